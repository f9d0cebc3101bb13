//! Ten thousand hostile requests to a real api: it must not fail, hang or grow, and must answer the next good request.

mod bodies;
mod forms;
mod requests;
mod tokens;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream;
use punctual_testkit::live::Live;
use punctual_testkit::{WAIT_TIMEOUT, lasting};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use requests::{Hostile, Requests};

const COUNT: usize = 10_000;
/// Concurrent clients, besides the slow ones.
const AT_ONCE: usize = 24;
/// More than the hashing threads.
const LOGINS: usize = 8;
/// Allowed growth of memory.
const GROWTH_KIB: u64 = 20 * 1024;

#[tokio::test]
async fn ten_thousand_hostile_requests_break_nothing() {
    let live =
        Live::open_with(&[("PUNCTUAL_API_HEADER_SECONDS", "3"), ("PUNCTUAL_LOG", "warn")]).await.unwrap();
    let address = live.api.url().trim_start_matches("http://").to_owned();
    let requests = Requests::of(&live);
    warm_up(&live).await;
    let before = at_rest_kib(&live, 0).await;
    let began = Instant::now();
    let slow = stream::iter(0..200).for_each_concurrent(100, |number| crawl(&address, number));
    let seen = Arc::new(AtomicUsize::new(0));
    let fast = stream::iter(0..COUNT).for_each_concurrent(AT_ONCE, |number| {
        let (request, seen) = (requests.hostile(number), Arc::clone(&seen));
        let address = &address;
        async move {
            let status = attack(address, &request).await;
            assert!(status.is_none_or(|status| status < 500), "{status:?}: {}", request.shown());
            if status.is_some_and(|status| status >= 400) {
                seen.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    tokio::join!(slow, fast);
    let took = began.elapsed();
    let good = reqwest::get(format!("{}/v1/services", live.api.url())).await.unwrap();
    assert_eq!(good.status(), 200);
    let after = at_rest_kib(&live, before + GROWTH_KIB).await;
    println!("{COUNT} hostile requests in {took:.1?}: {before} KiB resident before, {after} KiB after");
    assert!(seen.load(Ordering::Relaxed) > COUNT * 8 / 10, "most are refused: {seen:?}");
    assert!(after < before + GROWTH_KIB, "{before} KiB before, {after} KiB after");
    let log = live.api.log();
    assert!(!log.contains("panic") && !log.contains("ERROR"), "{log}");
}

/// Runs the most expensive requests first, so that their memory is counted before.
async fn warm_up(live: &Live) {
    let client = reqwest::Client::new();
    let body = serde_json::json!({ "email": "admin@example.org", "password": "a wrong password" });
    let logins =
        (0..LOGINS).map(|_| client.post(format!("{}/v1/auth/login", live.api.url())).json(&body).send());
    for answer in futures::future::join_all(logins).await {
        assert_eq!(answer.unwrap().status(), 401);
    }
    let reads = (0..200).map(|_| client.get(format!("{}/openapi.json", live.api.url())).send());
    for answer in stream::iter(reads).buffer_unordered(AT_ONCE).collect::<Vec<_>>().await {
        assert_eq!(answer.unwrap().bytes().await.unwrap().first(), Some(&b'{'));
    }
}

/// Sends the request; returns the status of the last answer, or none if the server closed without one.
async fn attack(address: &str, request: &Hostile) -> Option<u16> {
    let exchange = async {
        let mut socket = TcpStream::connect(address).await.expect("the api takes connections");
        // The server may close before it has read everything.
        let sent = socket.write_all(&request.bytes).await;
        if request.breaks_off {
            let _ = socket.shutdown().await;
        }
        let mut answer = Vec::new();
        let read = socket.read_to_end(&mut answer).await;
        drop((sent, read));
        answer
    };
    let answer = timeout(WAIT_TIMEOUT, exchange).await;
    let answer = answer.unwrap_or_else(|_| panic!("no end: {}", request.shown()));
    let mut heads = answer.windows(9).enumerate().filter(|(_, part)| *part == b"HTTP/1.1 ").map(|(at, _)| at);
    let last = heads.next_back()?;
    let head = String::from_utf8_lossy(&answer[last..answer.len().min(last + 1500)]).to_ascii_lowercase();
    let status = head.get(9..12)?.parse().ok()?;
    if (400..600).contains(&status) {
        // Pages answer with HTML, also for errors.
        let form = if request.is_for_a_page() { "text/html" } else { "application/problem+json" };
        assert!(head.contains(&format!("\r\ncontent-type: {form}")), "{head}\n{}", request.shown());
    }
    Some(status)
}

/// Sends a head or body byte by byte until the server ends the connection.
async fn crawl(address: &str, number: usize) {
    let start: &[u8] = if number.is_multiple_of(2) {
        b"GET /v1/services HTTP/1.1\r\nhost: x\r\nx-slow: "
    } else {
        b"POST /v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{\"a\":\""
    };
    let crawling = async {
        let mut socket = TcpStream::connect(address).await.expect("the api takes connections");
        socket.write_all(start).await.expect("the start is taken");
        let (mut reading, mut writing) = socket.split();
        let mut answer = Vec::new();
        let ended = reading.read_to_end(&mut answer);
        let drip = async {
            while writing.write_all(b"x").await.is_ok() {
                lasting(Duration::from_millis(100)).await;
            }
        };
        tokio::select! { _ = ended => {}, () = drip => {} }
    };
    timeout(WAIT_TIMEOUT, crawling).await.expect("the server ends what does not end");
}

/// The least memory seen while the api has little to do: for three seconds, then for up to a minute until it is less than
/// `enough` (0: not waited for). The allocator returns freed pages as it is used, so each look follows a small request.
async fn at_rest_kib(live: &Live, enough: u64) -> u64 {
    let mut least = u64::MAX;
    for round in 0..600 {
        let answer = reqwest::get(format!("{}/v1/services", live.api.url())).await.unwrap();
        answer.bytes().await.unwrap();
        least = least.min(resident_kib(live.api.pid()));
        if round >= 30 && (enough == 0 || least < enough) {
            break;
        }
        lasting(Duration::from_millis(100)).await;
    }
    least
}

/// Private memory: pages of the program file load as they run, and a debug build has many.
fn resident_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
