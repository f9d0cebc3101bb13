//! One trace from a client's request to the mail server's reply, across two processes.

use punctual_testkit::collector::{Collector, Seen};
use punctual_testkit::free_port;

use super::TestStack;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CLIENT: &str = "00f067aa0ba902b7";

/// The span that this one is a child of.
fn parent<'a>(spans: &'a [Seen], child: &Seen) -> &'a Seen {
    spans.iter().find(|seen| seen.span.span_id == child.span.parent_span_id).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_is_one_trace_from_the_request_to_the_reply_of_the_mail_server() {
    let collector = Collector::start().await;
    let stack = TestStack::open(1, |programs| {
        let programs = programs.set("PUNCTUAL_OTLP_ENDPOINT", collector.url());
        programs.set("PUNCTUAL_LOG", "info").set("PUNCTUAL_LOG_FORMAT", "json")
    })
    .await;
    let worker = stack.programs.worker().await;
    let start = stack.starts().await.remove(0);

    let answer = stack.request_booking_in_trace("a key", &start, &format!("00-{TRACE}-{CLIENT}-01")).await;
    assert_eq!(answer.status(), 201);
    let told = answer.headers()["traceparent"].to_str().unwrap().to_owned();

    let trace_id = u128::from_str_radix(TRACE, 16).unwrap().to_be_bytes();
    let ended = |spans: &[Seen]| {
        let named = |name: &str| spans.iter().any(|seen| seen.span.name.starts_with(name));
        named("smtp dot") && named("job ") && named("request ")
    };
    let spans = collector.trace(&trace_id, ended).await;
    let dot = spans.iter().find(|seen| seen.span.name == "smtp dot").unwrap();
    assert_eq!((dot.program.as_str(), dot.attribute("code").as_deref()), ("punctual-worker", Some("250")));
    let job = parent(&spans, dot);
    assert_eq!(job.span.name, "job mail.send.v1");
    assert_eq!(job.attribute("outcome").as_deref(), Some("done"));
    let transaction = parent(&spans, job);
    assert_eq!(
        (transaction.program.as_str(), transaction.span.name.as_str()),
        ("punctual-api", "transaction")
    );
    let request = parent(&spans, transaction);
    assert_eq!(request.span.name, "request POST /v1/bookings");
    assert_eq!(request.attribute("status").as_deref(), Some("201"));
    assert_eq!(hex(&request.span.parent_span_id), CLIENT);
    assert_eq!(told, format!("00-{TRACE}-{}-01", hex(&request.span.span_id)));
    for seen in &spans {
        assert!(seen.span.end_time_unix_nano >= seen.span.start_time_unix_nano, "{seen:?}");
        let all = format!("{seen:?}");
        assert!(!all.contains('@') && !all.contains("Ada"), "a span names someone: {all}");
    }

    let of_trace = format!("\"trace_id\":\"{TRACE}\",\"span_id\":\"{}\"", hex(&request.span.span_id));
    stack.api.wait_for_log(&of_trace).await;
    worker.wait_for_log(&format!("\"trace_id\":\"{TRACE}\"")).await;
    assert!(worker.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_holds_nothing_up() {
    let nowhere = format!("http://127.0.0.1:{}", free_port());
    let stack = TestStack::open(1, |programs| programs.set("PUNCTUAL_OTLP_ENDPOINT", &nowhere)).await;
    let worker = stack.programs.worker().await;
    let start = stack.starts().await.remove(0);
    let booking = stack.book("a key", &start).await;
    stack.wait_for_confirmation(&booking, |mail| mail["state"] == "sent").await;
    stack.api.wait_for_log("the collector of traces").await;
    assert!(worker.stop().await.success());
}
