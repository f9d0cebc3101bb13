use std::time::Duration;

use poem::{
    Response,
    http::{HeaderValue, StatusCode, header},
};
use punctual_core::types::Locale;
use serde::Serialize;

use super::{Visitor, site::Site};
use crate::{
    http::problem::{Code, Problem},
    pages::appointment::span,
};

#[derive(Serialize)]
struct Facts {
    kind: &'static str,
    wait: Option<String>,
    again: String,
    again_words: &'static str,
}

/// Renders a problem as a page: what happened, what to do, and the business's contact.
///
/// # Errors
/// The problem itself if the business cannot be read.
pub async fn page(visitor: &Visitor, problem: Problem) -> Result<Response, Problem> {
    let kind = match problem.code {
        Code::NotFound => "book_not_found",
        Code::LinkVoid | Code::IdempotencyKeyReused => "book_stale",
        Code::Forbidden => "book_other_site",
        Code::TooManyRequests => "book_limit",
        Code::Unavailable | Code::Overloaded | Code::IdempotencyInProgress => "book_busy",
        Code::Unauthenticated => "book_login",
        Code::StartInPast | Code::TooSoon | Code::TooFar | Code::OutsideHours | Code::OffGrid => {
            "book_unavailable"
        }
        // These use the general error page.
        _ => return Err(problem),
    };
    let again = format!("{}book{}", visitor.visit.root(), visitor.carry());
    let (status, wait) = (problem.code.status(), problem.facts.retry_after);
    match message(visitor, status, kind, wait, (again, "book_title")).await {
        Ok(mut response) => {
            if let Some(wait) = wait {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds(wait)));
            }
            Ok(response)
        }
        Err(_) => Err(problem),
    }
}

/// Renders the message `kind` with a link.
pub async fn message(
    visitor: &Visitor,
    status: StatusCode,
    kind: &'static str,
    wait: Option<Duration>,
    (again, again_words): (String, &'static str),
) -> Result<Response, Problem> {
    let site = Site::of(visitor).await?;
    let wait = wait.map(|wait| in_words(wait, visitor.locale));
    site.page(visitor, status, "book/error.html.j2", &Facts { kind, wait, again, again_words })
}

fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// `20 seconds`, `5 minutes`, `2 hours`: rounded up.
fn in_words(wait: Duration, locale: Locale) -> String {
    let seconds = seconds(wait).max(1);
    if seconds < 60 {
        return match (seconds, locale) {
            (1, Locale::En) => "1 second".to_owned(),
            (_, Locale::En) => format!("{seconds} seconds"),
            (1, Locale::De) => "1 Sekunde".to_owned(),
            (_, Locale::De) => format!("{seconds} Sekunden"),
        };
    }
    let minutes = seconds.div_ceil(60);
    let minutes = if minutes > 90 { minutes.div_ceil(60) * 60 } else { minutes };
    span(u32::try_from(minutes).unwrap_or(u32::MAX), locale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_in_words_and_never_too_short() {
        let words = |seconds| in_words(Duration::from_secs(seconds), Locale::En);
        assert_eq!([words(0), words(20), words(61)], ["1 second", "20 seconds", "2 minutes"]);
        assert_eq!([words(3600), words(5460), words(86_000)], ["1 hour", "2 hours", "1 day"]);
    }
}
