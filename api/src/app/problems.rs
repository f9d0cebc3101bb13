//! `/problems/{code}`: what the `type` of a problem points to.

use poem::{
    Request, Response,
    http::{HeaderValue, header},
};

use crate::http::problem::{Code, Problem};

const POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");

/// The page of one kind of problem.
pub async fn page(request: Request) -> Result<Response, Problem> {
    let name = request.raw_path_param("code").unwrap_or_default();
    let code = Code::ALL.iter().find(|code| code.as_str() == name);
    let code = code.ok_or_else(|| Problem::new(Code::NotFound).detail("There is no such problem."))?;
    let page = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>{title}</title><style>body{{font:1rem/1.5 system-ui;max-width:40rem;margin:3rem auto;padding:0 1rem;\
         color-scheme:light dark}}</style><h1>{title}</h1><p><code>{name}</code>, status {status}</p><p>{meaning}</p>",
        title = code.title(),
        status = code.status().as_u16(),
        meaning = code.meaning().replace('`', ""),
    );
    Ok(Response::builder()
        .content_type("text/html; charset=utf-8")
        .header(header::CACHE_CONTROL, "public, max-age=3600")
        .header(header::CONTENT_SECURITY_POLICY, POLICY)
        .body(page))
}
