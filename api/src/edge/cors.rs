//! CORS (Fetch standard): off unless origins are configured. Tokens travel in a header, so credentials are not
//! allowed and not needed.

use poem::{
    Request, Response,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
};
use punctual_core::config::CorsOrigins;

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");
const HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, idempotency-key, if-match, if-none-match, traceparent, x-request-id",
);
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "etag, location, idempotency-replayed, ratelimit, ratelimit-policy, retry-after, traceparent, x-request-id",
);
const MAX_AGE_SECONDS: HeaderValue = HeaderValue::from_static("3600");

/// The answer to a CORS preflight request.
pub fn preflight(origins: &CorsOrigins, request: &Request) -> Option<Response> {
    let asks = *request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    allowed(origins, request.headers().get(header::ORIGIN)).filter(|_| asks)?;
    let mut response: Response = StatusCode::NO_CONTENT.into();
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE_SECONDS);
    Some(response)
}

/// Lets the page at `origin` read the answer, if it may.
pub fn apply_headers(origins: &CorsOrigins, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
    if matches!(origins, CorsOrigins::These(_)) {
        headers.append(header::VARY, HeaderValue::from_static("origin"));
    }
    if let Some(allowed) = allowed(origins, origin) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
}

fn allowed(origins: &CorsOrigins, origin: Option<&HeaderValue>) -> Option<HeaderValue> {
    let origin = origin?;
    match origins {
        CorsOrigins::None => None,
        CorsOrigins::Any => Some(HeaderValue::from_static("*")),
        CorsOrigins::These(these) => {
            these.iter().any(|one| one.as_bytes() == origin.as_bytes()).then(|| origin.clone())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(origins: &CorsOrigins, origin: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        apply_headers(origins, Some(&HeaderValue::from_static(origin)), &mut headers);
        headers
    }

    #[test]
    fn only_configured_origins_may_read() {
        let these = CorsOrigins::These(vec!["https://book.example".to_owned()]);
        assert_eq!(
            answer(&these, "https://book.example")["access-control-allow-origin"],
            "https://book.example"
        );
        assert!(!answer(&these, "https://evil.example").contains_key("access-control-allow-origin"));
        assert_eq!(answer(&these, "https://evil.example")["vary"], "origin");
        assert!(answer(&CorsOrigins::None, "https://book.example").is_empty());
        assert_eq!(answer(&CorsOrigins::Any, "https://x.example")["access-control-allow-origin"], "*");
    }

    #[test]
    fn a_preflight_is_answered_and_a_plain_options_is_not_taken_for_one() {
        let request = |asks: bool| {
            let request = Request::builder().method(Method::OPTIONS).header("origin", "https://book.example");
            let request =
                if asks { request.header("access-control-request-method", "POST") } else { request };
            request.finish()
        };
        assert!(preflight(&CorsOrigins::Any, &request(true)).is_some());
        assert!(preflight(&CorsOrigins::Any, &request(false)).is_none());
        assert!(preflight(&CorsOrigins::None, &request(true)).is_none());
    }
}
