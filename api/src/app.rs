//! All routes of the public listener.

mod docs;
mod health;
mod plain;
mod problems;

use std::sync::Arc;

use plain::Plain;
use poem::{Endpoint, Response};

use crate::{contract, edge::Edge, pages, state::State};

/// The public listener's endpoint.
pub fn app(state: Arc<State>) -> impl Endpoint<Output = Response> {
    let routes = pages::add_to(contract::routes())
        .at("/healthz", Plain(health::alive))
        .at("/readyz", Plain(health::ready))
        .at("/openapi.json", Plain(docs::document))
        .at("/docs", Plain(docs::page))
        .at("/docs/swagger-ui.js", Plain(docs::script))
        .at("/docs/swagger-ui.css", Plain(docs::style))
        .at("/docs/start.js", Plain(docs::start))
        .at("/problems/:code", Plain(problems::page));
    Edge::new(state, routes)
}
