//! HTTP rules that apply to every path.

use reqwest::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::TestApi;

#[tokio::test]
async fn unknown_paths_answer_with_a_problem() {
    let api = TestApi::start().await;
    let answer = api.get("/nowhere", None).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (404, "not_found"));
    let answer = api.send(api.request(Method::PUT, "/v1/me")).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (405, "method_not_allowed"));
    assert_eq!(answer.header("allow"), "DELETE, GET, PATCH, HEAD, OPTIONS");
    let answer = api.send(api.request(Method::POST, "/healthz")).await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "GET, HEAD, OPTIONS"));
}

#[tokio::test]
async fn head_is_get_without_a_body_and_options_lists_the_methods() {
    let api = TestApi::start().await;
    let (get, head) =
        (api.get("/openapi.json", None).await, api.send(api.request(Method::HEAD, "/openapi.json")).await);
    assert_eq!(head.header("content-length"), get.header("content-length"));
    assert!(head.body.is_null());
    let head = api.send(api.request(Method::HEAD, "/v1/services")).await;
    assert_eq!(head.status, 200);
    let options = api.send(api.request(Method::OPTIONS, "/v1/bookings")).await;
    assert_eq!((options.status.as_u16(), options.header("allow")), (204, "GET, POST, HEAD, OPTIONS"));
}

#[tokio::test]
async fn a_request_id_that_is_a_uuid_is_kept_and_another_is_not() {
    let api = TestApi::start().await;
    let id = "0196a1f0-7c1e-7000-8000-000000000000";
    let answer = api.send(api.request(Method::GET, "/nowhere").header("x-request-id", id)).await;
    assert_eq!(answer.header("x-request-id"), id);
    let answer = api.send(api.request(Method::GET, "/nowhere").header("x-request-id", "hunter2")).await;
    assert_ne!(answer.header("x-request-id"), "hunter2");
}

#[tokio::test]
async fn every_answer_has_the_default_headers() {
    let api = TestApi::start().await;
    for path in [
        "/healthz",
        "/readyz",
        "/openapi.json",
        "/docs",
        "/docs/createBooking",
        "/docs/schemas/Booking",
        "/docs/recipes",
        "/llms.txt",
        "/v1/services",
        "/nowhere",
        "/problems",
        "/problems/slot_taken",
    ] {
        let answer = api.get(path, None).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"), "{path}");
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
        assert!(answer.headers.get("access-control-allow-origin").is_none(), "{path}");
    }
}

#[tokio::test]
async fn gzip_is_only_for_clients_that_accept_it() {
    let api = TestApi::start().await;
    let plain = api.send(api.request(Method::GET, "/openapi.json")).await;
    assert!(
        plain.headers.get("content-encoding").is_none() && plain.header("vary").contains("accept-encoding")
    );
    let packed =
        api.request(Method::GET, "/openapi.json").header("accept-encoding", "br, gzip").send().await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    let bytes = packed.bytes().await.unwrap();
    assert!(
        bytes.starts_with(&[0x1f, 0x8b]) && bytes.len() < plain.header("content-length").parse().unwrap()
    );
}

#[tokio::test]
async fn a_body_of_ten_megabytes_is_refused_and_the_next_request_is_answered() {
    let api = TestApi::start().await;
    let big = vec![b'x'; 10_000_000];
    let login = || api.request(Method::POST, "/v1/auth/login").header("content-type", "application/json");
    let answer = api.send(login().body(big.clone())).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (413, "content_too_large"));
    let chunks = futures::stream::iter(
        big.chunks(65_536).map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec())).collect::<Vec<_>>(),
    );
    let answer = api.send(login().body(reqwest::Body::wrap_stream(chunks))).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (413, "content_too_large"));
    assert_eq!(api.get("/readyz", None).await.status, 200);
}

#[tokio::test]
async fn a_head_that_does_not_arrive_does_not_hold_a_connection() {
    let api = TestApi::start_with(&[("PUNCTUAL_API_HEADER_SECONDS", "1")]).await;
    let address = api.url.trim_start_matches("http://");
    let mut slow = tokio::net::TcpStream::connect(address).await.unwrap();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: ").await.unwrap();
    let mut answer = Vec::new();
    slow.read_to_end(&mut answer).await.unwrap();
    assert!(!answer.starts_with(b"HTTP/1.1 200"), "the server ended it");
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let api = TestApi::start().await;
    let request = api.request(Method::GET, "/healthz").header("x-large", "x".repeat(32_768));
    assert_eq!(request.send().await.unwrap().status(), 431);
    assert_eq!(api.get("/healthz", None).await.status, 200);
}

#[tokio::test]
async fn only_configured_pages_may_call_from_a_browser() {
    let api = TestApi::start_with(&[("PUNCTUAL_CORS_ORIGINS", "https://book.example.org")]).await;
    let preflight = |origin: &'static str| {
        api.request(Method::OPTIONS, "/v1/bookings")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
    };
    let answer = api.send(preflight("https://book.example.org")).await;
    assert_eq!(answer.header("access-control-allow-origin"), "https://book.example.org");
    assert!(answer.header("access-control-allow-headers").contains("idempotency-key"));
    let answer = api.send(preflight("https://evil.example.org")).await;
    assert!(answer.headers.get("access-control-allow-origin").is_none());
}

#[tokio::test]
async fn a_stopping_api_fails_readyz_before_it_stops_listening() {
    let api = TestApi::start_with(&[("PUNCTUAL_API_DRAIN_SECONDS", "2")]).await;
    assert_eq!(api.get("/readyz", None).await.status, 200);
    let (url, client) = (api.url.clone(), api.client.clone());
    let stopping = tokio::spawn(api.stop());
    let ready = loop {
        let answer = client.get(format!("{url}/readyz")).send().await.unwrap();
        if answer.status() != 200 {
            break answer;
        }
    };
    assert_eq!(ready.status(), 503);
    assert_eq!(ready.headers()["connection"], "close");
    let read = client.get(format!("{url}/v1/services")).send().await.unwrap();
    assert_eq!(read.status(), 200, "what still comes is still answered");
    stopping.await.unwrap();
    assert!(client.get(format!("{url}/readyz")).send().await.is_err());
}
