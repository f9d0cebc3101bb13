//! `/problems/{code}`: what the `type` of a problem points to, and the list of them.

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
    let body = format!(
        "<p><code>{name}</code>, status {status}</p><p>{meaning}</p><p><a href=\"../problems\">All problems</a></p>",
        status = code.status().as_u16(),
        meaning = code.meaning().replace('`', ""),
    );
    Ok(html(code.title(), &body))
}

/// The list of all kinds.
pub async fn index(_: Request) -> Result<Response, Problem> {
    let rows = Code::ALL.iter().fold(String::new(), |rows, code| {
        let (name, status, title) = (code.as_str(), code.status().as_u16(), code.title());
        format!("{rows}<tr><td>{status}<td><a href=\"problems/{name}\"><code>{name}</code></a><td>{title}")
    });
    Ok(html("Problems", &format!("<table><tr><th>status<th>code<th>meaning{rows}</table>")))
}

fn html(title: &str, body: &str) -> Response {
    Response::builder()
        .content_type("text/html; charset=utf-8")
        .header(header::CACHE_CONTROL, "public, max-age=3600")
        .header(header::CONTENT_SECURITY_POLICY, POLICY)
        .body(format!(
            "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
             <title>{title}</title><style>body{{font:1rem/1.5 system-ui;max-width:40rem;margin:3rem auto;padding:0 1rem;\
             color-scheme:light dark}}td,th{{text-align:left;padding:.2rem .8rem .2rem 0}}</style><h1>{title}</h1>{body}"
        ))
}
