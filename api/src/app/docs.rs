//! The document, built on first request, and its page: an embedded Swagger UI.

use std::{io::Read, sync::OnceLock};

use flate2::read::GzDecoder;
use poem::{
    Request, Response,
    http::{HeaderValue, header},
};

use super::api;
use crate::http::{
    compress::takes_gzip,
    problem::{Code, Problem},
};

/// Nothing is loaded from another host; Swagger UI sets inline styles.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
);

const PAGE: &str = "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
     <title>Punctual: the API</title><link rel=stylesheet href=docs/swagger-ui.css><div id=ui></div>\
     <script src=docs/swagger-ui.js></script><script src=docs/start.js></script></html>";

const SCRIPT: &[u8] = include_bytes!("../../assets/swagger-ui/swagger-ui-bundle.js.gz");
const STYLE: &[u8] = include_bytes!("../../assets/swagger-ui/swagger-ui.css.gz");
const START: &str = include_str!("../../assets/swagger-ui/start.js");

/// `/openapi.json`.
pub async fn document(_: Request) -> Result<Response, Problem> {
    Ok(Response::builder()
        .content_type("application/json")
        .header(header::CACHE_CONTROL, "no-cache")
        .body(text()?))
}

/// `/docs`.
pub async fn page(_: Request) -> Result<Response, Problem> {
    Ok(Response::builder()
        .content_type("text/html; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-cache")
        .header(header::CONTENT_SECURITY_POLICY, POLICY)
        .body(PAGE))
}

/// `/docs/swagger-ui.js`.
pub async fn script(request: Request) -> Result<Response, Problem> {
    packed(&request, "text/javascript; charset=utf-8", SCRIPT)
}

/// `/docs/swagger-ui.css`.
pub async fn style(request: Request) -> Result<Response, Problem> {
    packed(&request, "text/css; charset=utf-8", STYLE)
}

/// `/docs/start.js`.
pub async fn start(_: Request) -> Result<Response, Problem> {
    Ok(Response::builder()
        .content_type("text/javascript; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-cache")
        .body(START))
}

fn text() -> Result<&'static str, Problem> {
    static TEXT: OnceLock<String> = OnceLock::new();
    if let Some(text) = TEXT.get() {
        return Ok(text);
    }
    let text = api::document().map_err(|error| Problem::new(Code::InternalError).cause(error))?;
    Ok(TEXT.get_or_init(|| text))
}

/// An embedded gzip file: sent as it is to clients that accept gzip, unpacked for others.
fn packed(request: &Request, content_type: &'static str, bytes: &'static [u8]) -> Result<Response, Problem> {
    let response = Response::builder()
        .content_type(content_type)
        .header(header::CACHE_CONTROL, "public, max-age=3600")
        .header(header::VARY, "accept-encoding");
    if takes_gzip(request.headers()) {
        return Ok(response.header(header::CONTENT_ENCODING, "gzip").body(bytes));
    }
    let mut plain = Vec::new();
    match GzDecoder::new(bytes).read_to_end(&mut plain) {
        Ok(_) => Ok(response.body(plain)),
        Err(error) => Err(Problem::new(Code::InternalError).cause(error)),
    }
}

#[cfg(test)]
mod tests {
    use poem::http::{StatusCode, Uri};

    use super::*;

    #[test]
    fn the_page_names_nothing_of_another_host() {
        assert!(!PAGE.contains("//") && !START.contains("//"));
    }

    #[tokio::test]
    async fn files_come_packed_to_those_who_take_it_and_plain_to_others() {
        let uri = Uri::from_static("/docs/swagger-ui.js");
        let plain = script(Request::builder().uri(uri.clone()).finish()).await.unwrap();
        assert_eq!(plain.status(), StatusCode::OK);
        let text = plain.into_body().into_string().await.unwrap();
        assert!(text.contains("SwaggerUIBundle"));
        let packed =
            script(Request::builder().uri(uri).header("accept-encoding", "gzip").finish()).await.unwrap();
        assert_eq!(packed.headers()["content-encoding"], "gzip");
        assert_eq!(packed.into_body().into_bytes().await.unwrap(), SCRIPT);
    }
}
