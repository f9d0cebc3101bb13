//! All routes of the public listener.

mod docs;
mod health;
mod plain;
mod problems;

use plain::Plain;
use poem::Route;

use crate::{contract, pages};

/// What the public listener answers.
pub fn routes() -> Route {
    pages::add_to(contract::routes())
        .at("/healthz", Plain(health::alive))
        .at("/readyz", Plain(health::ready))
        .at("/openapi.json", Plain(docs::document))
        .at("/docs", Plain(docs::page))
        .at("/docs/swagger-ui.js", Plain(docs::script))
        .at("/docs/swagger-ui.css", Plain(docs::style))
        .at("/docs/start.js", Plain(docs::start))
        .at("/problems/:code", Plain(problems::page))
}
