//! Bytes over a bare socket that no HTTP client would send.

use std::time::Duration;

use punctual_testkit::wait_for;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::TestApi;

/// Longer than any answer takes, so that a hang fails.
const WAIT_TIMEOUT: Duration = Duration::from_secs(30);

async fn connect(api: &TestApi) -> TcpStream {
    TcpStream::connect(api.url.trim_start_matches("http://")).await.unwrap()
}

/// Sends the bytes and reads until the server closes.
async fn exchange(api: &TestApi, bytes: &[u8]) -> String {
    let mut socket = connect(api).await;
    socket.write_all(bytes).await.unwrap();
    rest(&mut socket).await
}

async fn rest(socket: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    timeout(WAIT_TIMEOUT, socket.read_to_end(&mut answer)).await.expect("the server closes").unwrap();
    String::from_utf8(answer).unwrap()
}

/// Status and problem code of the last answer, after a check of its form.
fn problem(answers: &str) -> (u16, String) {
    let last = answers.rfind("HTTP/1.1 ").unwrap_or_else(|| panic!("no answer: {answers:?}"));
    let (head, body) = answers[last..].split_once("\r\n\r\n").unwrap();
    let status = head[9..12].parse().unwrap();
    let field = |name: &str| {
        let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")));
        line.unwrap_or_else(|| panic!("no {name}: {head}")).split_once(": ").unwrap().1.to_owned()
    };
    assert_eq!(field("content-type"), "application/problem+json");
    assert_eq!(field("content-length"), body.len().to_string());
    assert_eq!(field("x-content-type-options"), "nosniff");
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["status"], status);
    assert_eq!(body["instance"], format!("urn:uuid:{}", field("x-request-id")));
    (status, body["code"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn what_is_not_http_is_answered_with_a_problem_and_the_end() {
    let api = TestApi::start().await;
    for bytes in [
        &b"NONSENSE\r\n\r\n"[..],
        b"GET /healthz\r\n\r\n",
        b"GET  /healthz HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /healthz HTTP/9.9\r\nhost: x\r\n\r\n",
        b"G\x00T /healthz HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: x\r\nbad name: 1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-a: \x01\r\n\r\n",
        b"POST /v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-length: ten\r\n\r\n",
        b"POST /v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST /v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        b"POST /v1/auth/login HTTP/1.1\r\nhost: x\r\ntransfer-encoding: rot13\r\n\r\n",
        b"GET /healthz HTTP/1.1\nhost: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: x\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-a: 1\n\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ] {
        let answer = exchange(&api, bytes).await;
        let shown = String::from_utf8_lossy(bytes);
        assert_eq!(problem(&answer), (400, "invalid_request".to_owned()), "{shown}");
    }
    assert_eq!(api.get("/healthz", None).await.status, 200);
}

#[tokio::test]
async fn a_request_names_one_host() {
    let api = TestApi::start().await;
    for head in [
        "GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n",
        "GET /healthz HTTP/1.0\r\nhost: a\r\nhost: a\r\n\r\n",
    ] {
        let answer = exchange(&api, head.as_bytes()).await.replacen("HTTP/1.0", "HTTP/1.1", 1);
        assert_eq!(problem(&answer), (400, "invalid_request".to_owned()), "{head}");
    }
}

#[tokio::test]
async fn an_answer_before_the_body_leaves_a_connection_that_works_or_says_that_it_ends() {
    let api = TestApi::start().await;
    for length in [2, 70_000] {
        let mut socket = connect(&api).await;
        let head = format!(
            "POST /v1/services HTTP/1.1\r\nhost: x\r\nauthorization: Bearer x\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        let mut early = vec![0; 8192];
        // An answer that does not wait for the body comes within this time.
        let answered = timeout(Duration::from_millis(300), socket.read(&mut early)).await;
        if let Ok(read) = answered {
            let answer = String::from_utf8_lossy(&early[..read.unwrap()]).to_ascii_lowercase();
            assert!(answer.starts_with("http/1.1 401") && answer.contains("connection: close"), "{answer}");
            continue;
        }
        assert_eq!(length, 2, "a large body is not waited for");
        socket.write_all(b"{}GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        let answers = rest(&mut socket).await;
        assert!(answers.starts_with("HTTP/1.1 401") && answers.contains("HTTP/1.1 200"), "{answers}");
    }
}

#[tokio::test]
async fn a_too_large_head_gets_431_whatever_its_size() {
    let api = TestApi::start().await;
    let fields: String =
        (0..100).fold(String::new(), |fields, number| fields + &format!("x-{number}: 1\r\n"));
    let heads = [
        format!("GET /healthz HTTP/1.1\r\nx-large: {}\r\n\r\n", "x".repeat(20_000)),
        format!("GET /healthz HTTP/1.1\r\nx-large: {}\r\n\r\n", "x".repeat(900_000)),
        format!("GET /healthz?{} HTTP/1.1\r\nhost: x\r\n\r\n", "q".repeat(40_000)),
        format!("GET /healthz HTTP/1.1\r\n{fields}\r\n"),
    ];
    for head in heads {
        let answer = exchange(&api, head.as_bytes()).await;
        assert_eq!(problem(&answer), (431, "head_too_large".to_owned()), "{} bytes", head.len());
    }
}

#[tokio::test]
async fn nonsense_behind_a_good_request_does_not_cost_its_answer() {
    let api = TestApi::start().await;
    let answers = exchange(&api, b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\nNONSENSE\r\n\r\n").await;
    assert!(answers.starts_with("HTTP/1.1 200 OK"), "{answers}");
    assert!(answers.contains("HTTP/1.1 400 Bad Request"), "{answers}");
}

#[tokio::test]
async fn odd_but_valid_requests_are_answered() {
    let api = TestApi::start().await;
    let login = "content-type: application/json\r\nconnection: close\r\n";
    for (request, status) in [
        ("GET /healthz HTTP/1.0\r\n\r\n".to_owned(), "200"),
        ("GET http://elsewhere/healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(), "200"),
        ("\r\n\r\nGET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(), "200"),
        ("OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(), "404"),
        ("TRACE /v1/me HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(), "405"),
        ("BREW /v1/me HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(), "405"),
        ("GET /v1//me HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(), "404"),
        ("GET /../../etc/passwd HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(), "404"),
        (
            format!(
                "POST /v1/auth/login HTTP/1.1\r\nhost: x\r\n{login}expect: 100-continue\r\ncontent-length: 2\r\n\r\n{{}}"
            ),
            "400",
        ),
        (
            format!(
                "POST /v1/auth/login HTTP/1.1\r\nhost: x\r\n{login}transfer-encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"
            ),
            "400",
        ),
        (
            format!(
                "POST /v1/auth/login HTTP/1.1\r\nhost: x\r\n{login}transfer-encoding: chunked\r\n\r\nzz\r\n"
            ),
            "400",
        ),
    ] {
        let answers = exchange(&api, request.as_bytes()).await;
        let last = answers.rfind("HTTP/1.").map(|at| &answers[at..]).unwrap_or_default();
        assert_eq!(last.get(9..12), Some(status), "{request}{answers}");
    }
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_408_and_one_that_breaks_off_holds_nothing() {
    let api = TestApi::start_with(&[("PUNCTUAL_API_REQUEST_SECONDS", "1")]).await;
    let head = b"POST /v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    let mut slow = connect(&api).await;
    slow.write_all(head).await.unwrap();
    assert_eq!(problem(&rest(&mut slow).await), (408, "request_timeout".to_owned()));
    let mut broken = connect(&api).await;
    broken.write_all(head).await.unwrap();
    broken.shutdown().await.unwrap();
    let answer = rest(&mut broken).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
}

#[tokio::test]
async fn a_client_that_does_not_read_its_answers_is_disconnected() {
    let api = TestApi::start_with(&[("PUNCTUAL_API_HEADER_SECONDS", "1")]).await;
    let mut socket = connect(&api).await;
    let requests = "GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(100);
    socket.write_all(requests.as_bytes()).await.unwrap();
    // The client reads nothing. The server's close is detected by writing.
    wait_for("the server to close the connection", async || socket.write_all(b"GET").await.is_err()).await;
    assert_eq!(api.get("/healthz", None).await.status, 200);
}

#[tokio::test]
async fn every_path_knows_its_methods() {
    let api = TestApi::start().await;
    let document = api.get("/openapi.json", None).await.body;
    let mut paths: Vec<(String, Vec<String>)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(path, methods)| {
            let id = "0196a1f0-7c1e-7000-8000-000000000000";
            let steps = path.split('/').map(|step| match step {
                "{date}" => "2027-05-04",
                step if step.starts_with('{') => id,
                step => step,
            });
            let methods = methods.as_object().unwrap().keys().map(|method| method.to_uppercase());
            (steps.collect::<Vec<_>>().join("/"), methods.collect())
        })
        .collect();
    for path in ["/healthz", "/readyz", "/docs", "/openapi.json", "/problems", "/problems/not_found"] {
        paths.push((path.to_owned(), vec!["GET".to_owned()]));
    }
    assert!(paths.len() > 25);
    for (path, methods) in paths {
        let options = api.send(api.request(reqwest::Method::OPTIONS, &path)).await;
        let mut want: Vec<&str> = methods.iter().map(String::as_str).chain(["OPTIONS"]).collect();
        if methods.iter().any(|method| method == "GET") {
            want.push("HEAD");
            let (get, head) = (
                api.get(&path, None).await,
                api.client.head(format!("{}{path}", api.url)).send().await.unwrap(),
            );
            assert_eq!(head.status(), get.status, "HEAD {path}");
            assert_eq!(head.headers()["content-type"], get.headers["content-type"], "HEAD {path}");
            assert_eq!(head.headers()["content-length"], get.headers["content-length"], "HEAD {path}");
            assert!(head.bytes().await.unwrap().is_empty());
        }
        let mut allowed: Vec<&str> = options.header("allow").split(", ").collect();
        allowed.sort_unstable();
        want.sort_unstable();
        assert_eq!((options.status.as_u16(), &allowed), (204, &want), "{path}");
        let wrong = api.send(api.request(reqwest::Method::from_bytes(b"BREW").unwrap(), &path)).await;
        assert_eq!((wrong.status.as_u16(), wrong.code()), (405, "method_not_allowed"), "{path}");
        assert_eq!(wrong.header("allow"), options.header("allow"), "{path}");
    }
}
