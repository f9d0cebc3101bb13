//! The inbox over HTTP.

use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::{Data, Html, Json, Path};
use poem::{Endpoint, EndpointExt as _, IntoResponse, Response, Route, get, handler};

use super::page;
use super::store::Store;

/// Policy of a mail's HTML in the browser: no script, request, form or access to this page; links open in a new tab.
const MAIL_POLICY: &str = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; \
                           style-src 'unsafe-inline'; img-src data:; font-src data:";
/// Our own pages need their style and the mail's frame.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'";

pub(super) fn routes(store: Arc<Store>) -> impl Endpoint {
    Route::new()
        .at("/", get(list_page))
        .at("/messages/:id", get(message_page))
        .at("/messages/:id/html", get(message_html))
        .at("/api/messages", get(messages))
        .at("/api/messages/:id", get(one_message))
        .data(store)
}

#[handler]
fn messages(Data(store): Data<&Arc<Store>>) -> Response {
    Json(store.list()).into_response()
}

#[handler]
fn one_message(Data(store): Data<&Arc<Store>>, Path(id): Path<String>) -> Response {
    match store.get(&id) {
        Some(message) => Json(&*message).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

#[handler]
fn list_page(Data(store): Data<&Arc<Store>>) -> Response {
    html(page::list(&store.list()), PAGE_POLICY)
}

#[handler]
fn message_page(Data(store): Data<&Arc<Store>>, Path(id): Path<String>) -> Response {
    match store.get(&id) {
        Some(message) => html(page::message(&message), PAGE_POLICY),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

#[handler]
fn message_html(Data(store): Data<&Arc<Store>>, Path(id): Path<String>) -> Response {
    match store.get(&id) {
        Some(message) => html(format!("<base target=\"_blank\">{}", message.html), MAIL_POLICY),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn html(body: String, policy: &str) -> Response {
    Html(body)
        .with_header("content-security-policy", policy)
        .with_header("x-content-type-options", "nosniff")
        .with_header("cache-control", "no-store")
        .with_header("referrer-policy", "no-referrer")
        .into_response()
}
