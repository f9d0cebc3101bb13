//! The `OpenAPI` document and its reference: an overview, a page for each operation and each schema, rendered on first
//! request. The pages have no script and load nothing.

mod fields;
mod json;
mod operation;
mod pages;
mod reference;

use std::sync::OnceLock;

use poem::{Request, Response, http::header};

use super::api;
use crate::http::problem::{Code, Problem};
use reference::Reference;

/// `/openapi.json`.
pub async fn document(_: Request) -> Result<Response, Problem> {
    Ok(Response::builder()
        .content_type("application/json")
        .header(header::CACHE_CONTROL, "no-cache")
        .body(text()?))
}

/// `/docs`: all operations and schemas.
pub async fn index(_: Request) -> Result<Response, Problem> {
    let reference = reference()?;
    pages::page("index.html.j2", "", reference)
}

/// `/docs/recipes`: `docs/recipes.md`.
pub async fn recipes(_: Request) -> Result<Response, Problem> {
    #[derive(serde::Serialize)]
    struct Recipes {
        text: String,
    }
    const TEXT: &str = include_str!("../../../../docs/recipes.md");
    pages::page("recipes.html.j2", "../", &Recipes { text: json::html_of(TEXT) })
}

/// `/docs/{operationId}`.
pub async fn operation(request: Request) -> Result<Response, Problem> {
    let name = request.raw_path_param("operation").unwrap_or_default();
    let operation = reference()?.operation(name);
    pages::page("operation.html.j2", "../", operation.ok_or_else(|| missing("operation"))?)
}

/// `/docs/schemas/{name}`.
pub async fn schema(request: Request) -> Result<Response, Problem> {
    let name = request.raw_path_param("schema").unwrap_or_default();
    let schema = reference()?.schema(name);
    pages::page("schema.html.j2", "../../", schema.ok_or_else(|| missing("schema"))?)
}

/// `/llms.txt`: the same list as text for language models, in the form of <https://llmstxt.org>.
pub async fn llms(_: Request) -> Result<Response, Problem> {
    Ok(Response::builder()
        .content_type("text/plain; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-cache")
        .body(pages::text("llms.txt.j2", "", reference()?)?))
}

fn missing(what: &str) -> Problem {
    Problem::new(Code::NotFound).detail(format!("There is no such {what}: /docs lists them."))
}

fn text() -> Result<&'static str, Problem> {
    static TEXT: OnceLock<String> = OnceLock::new();
    if let Some(text) = TEXT.get() {
        return Ok(text);
    }
    let text = api::document().map_err(|error| Problem::new(Code::InternalError).cause(error))?;
    Ok(TEXT.get_or_init(|| text))
}

fn reference() -> Result<&'static Reference, Problem> {
    static REFERENCE: OnceLock<Reference> = OnceLock::new();
    if let Some(reference) = REFERENCE.get() {
        return Ok(reference);
    }
    let made = Reference::new(text()?).map_err(|error| Problem::new(Code::InternalError).cause(error))?;
    Ok(REFERENCE.get_or_init(|| made))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_and_schema_has_a_page_that_loads_nothing() {
        let reference = reference().unwrap();
        let mut pages = vec![pages::text("index.html.j2", "", reference).unwrap()];
        let operations = reference.tags.iter().flat_map(|tag| &tag.operations);
        pages.extend(operations.map(|row| {
            let operation = reference.operation(&row.id).unwrap();
            pages::text("operation.html.j2", "../", operation).unwrap()
        }));
        pages.extend(
            reference.schemas.iter().map(|name| {
                pages::text("schema.html.j2", "../../", reference.schema(name).unwrap()).unwrap()
            }),
        );
        assert!(pages.len() > 200, "{}", pages.len());
        for page in pages {
            assert!(!page.contains("<script") && !page.contains("src="), "{page}");
            assert!(page.contains("<h1>"), "{page}");
        }
    }

    #[test]
    fn the_page_of_an_operation_has_what_a_program_needs() {
        let page =
            pages::text("operation.html.j2", "../", reference().unwrap().operation("createBooking").unwrap());
        let page = page.unwrap().replace("&#x2f;", "/");
        for text in [
            "Book a slot",
            "POST",
            "/v1/bookings",
            "Idempotency-Key",
            "href=\"../docs/schemas/BookingRequest\"",
            "slot_taken",
            "curl",
            "customer_note",
        ] {
            assert!(page.contains(text), "{text} in {page}");
        }
    }
}
