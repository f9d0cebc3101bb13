use poem::{Response, http::header};
use punctual_core::types::Locale;
use serde::Serialize;
use uuid::Uuid;

use super::html::page;
use crate::{
    http::problem::{Code, Problem},
    state::State,
};

#[derive(Serialize)]
struct ErrorContext {
    /// Key of the message.
    kind: &'static str,
    /// Where a new link can be requested.
    next: Option<Next>,
    /// Request id, for questions to the business.
    request_id: String,
}

#[derive(Serialize)]
struct Next {
    href: String,
    words: &'static str,
}

/// Renders a problem as a page.
pub fn error_page(problem: Problem, locale: Locale, state: &State, request_id: Uuid) -> Response {
    let kind = match problem.code {
        Code::NotFound => "error_link",
        Code::LinkVoid => "error_link_void",
        Code::Forbidden => "error_other_site",
        Code::Unavailable | Code::Overloaded | Code::TooManyRequests => "error_busy",
        Code::InternalError => "error_server",
        _ => "error_request",
    };
    let next = match problem.code {
        Code::NotFound => Some(("links", "links_title")),
        Code::LinkVoid => Some(("account/login", "account_login")),
        _ => None,
    };
    let next = next.filter(|_| state.config.booking_page).map(|(path, words)| Next {
        href: format!("{}/{path}?lang={}", state.public_url, locale.as_str()),
        words,
    });
    let facts = ErrorContext { kind, next, request_id: request_id.to_string() };
    let answer = problem.into_answer(&state.public_url, request_id);
    let Ok(mut response) = page(answer.status(), "error.html.j2", locale, &facts) else { return answer };
    for name in [header::RETRY_AFTER, header::ALLOW] {
        if let Some(value) = answer.headers().get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}
