//! The document, and the page that shows it. Both are made when they are first asked for.

use std::sync::OnceLock;

use poem::{
    Request, Response,
    http::{HeaderValue, header},
};
use poem_openapi::OpenApiService;

use crate::{
    contract,
    endpoints::Endpoints,
    problem::{Code, Problem},
};

/// Scripts and styles stand in the page itself and nothing is loaded from another host.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
);

/// `/openapi.json`.
pub async fn document(_: Request) -> Result<Response, Problem> {
    Ok(Response::builder()
        .content_type("application/json")
        .header(header::CACHE_CONTROL, "no-cache")
        .body(text()?))
}

/// `/docs`.
pub async fn page(_: Request) -> Result<Response, Problem> {
    let page = poem_openapi_page(text()?);
    Ok(Response::builder()
        .content_type("text/html; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-cache")
        .header(header::CONTENT_SECURITY_POLICY, POLICY)
        .body(page))
}

fn text() -> Result<&'static str, Problem> {
    static TEXT: OnceLock<String> = OnceLock::new();
    if let Some(text) = TEXT.get() {
        return Ok(text);
    }
    let text = contract::document().map_err(|error| Problem::new(Code::InternalError).cause(error))?;
    Ok(TEXT.get_or_init(|| text))
}

/// poem-openapi's page brings Swagger UI along but shows the document before it is finished: that is exchanged.
fn poem_openapi_page(document: &str) -> String {
    let service = OpenApiService::new(Endpoints::default(), "Punctual", env!("CARGO_PKG_VERSION"));
    let (page, unfinished) = (service.swagger_ui_html(), service.spec());
    // A script ends at the first "</script", wherever it stands.
    page.replace(&unfinished, &document.replace("</", "<\\/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_the_finished_document_and_loads_nothing() {
        let page = poem_openapi_page(text().unwrap());
        assert!(page.contains("\"accessToken\"") && page.contains("SwaggerUIBundle("));
        let body = &page[page.rfind("<body>").unwrap()..];
        assert!(!body.contains("src=") && !page.contains("<link"), "everything stands in the page");
    }
}
