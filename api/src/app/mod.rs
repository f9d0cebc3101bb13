//! All routes of the public listener.

mod api;
mod docs;
mod health;
mod plain;
mod problems;

use plain::Plain;
use poem::Route;

use crate::{edge::HtmlErrors, pages};

pub use api::{document, schemas};

/// The endpoint of the public listener.
pub fn routes() -> Route {
    pages::add_to(api::routes())
        .at("/healthz", Plain(health::alive))
        .at("/readyz", Plain(health::ready))
        .at("/openapi.json", Plain(docs::document))
        .at("/docs", Plain(docs::index))
        .at("/docs/recipes", Plain(docs::recipes))
        .at("/docs/:operation", Plain(docs::operation))
        .at("/docs/schemas/:schema", Plain(docs::schema))
        .at("/llms.txt", Plain(docs::llms))
        .at("/problems", Plain(problems::index))
        .at("/problems/:code", Plain(problems::page))
}

/// Renders problems on paths that people open in a browser.
pub const HTML_ERRORS: HtmlErrors = HtmlErrors {
    language: |request| {
        pages::is_for_people(request.uri().path()).then(|| pages::accepted_language(request.headers()))
    },
    render: pages::error_page,
};
