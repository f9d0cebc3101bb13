//! A sandbox: its clock is moved ahead, and what falls due on the way runs at its own time.

use chrono::{DateTime, TimeDelta, Utc};
use punctual_testkit::webhook_receiver::WebhookReceiver;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::TestStack;
use crate::programs::test_hooks::{LOCAL, body, endpoint};

/// A program with an API key.
struct Developer<'a> {
    stack: &'a TestStack,
    key: String,
}

impl<'a> Developer<'a> {
    fn of(stack: &'a TestStack) -> Self {
        let arguments = ["api-key", "create", "Developer", "--scope", "webhooks:write"];
        let made = stack.programs.run("api", &arguments, "");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self { stack, key: String::from_utf8(made.stdout).unwrap().trim().to_owned() }
    }

    async fn request(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}/v1/sandbox/{path}", self.stack.api.url());
        let request = Client::new().request(method, url).bearer_auth(&self.key);
        let request = if body.is_null() { request } else { request.json(body) };
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Moves the clock to this instant, in as many requests as that takes.
    async fn advance_to(&self, to: DateTime<Utc>) -> Value {
        loop {
            let (status, clock) = self.request(Method::POST, "clock/advance", &json!({ "to": to })).await;
            assert_eq!(status, 200, "{clock}");
            if clock["done"] == true {
                return clock;
            }
        }
    }
}

fn instant(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap_or_else(|| panic!("{value} is no instant")).parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn four_days_pass_at_once_with_their_reminder_and_their_webhooks() {
    let sandbox =
        |programs: punctual_testkit::Programs| programs.set("PUNCTUAL_SANDBOX", "on").set(LOCAL.0, LOCAL.1);
    let mut stack = TestStack::open(1, sandbox).await;
    let receiver = WebhookReceiver::start().await;
    endpoint(&stack.salon, &receiver.url()).await;
    let worker = stack.programs.worker().await;
    let starts = stack.starts().await;
    // The day after tomorrow, with a reminder a day before.
    let booking = stack.book("one", &starts[0]).await;
    let developer = Developer::of(&stack);
    let (status, before) = developer.request(Method::GET, "clock", &Value::Null).await;
    assert_eq!((status, &before["ahead_seconds"]), (200, &json!(0)), "{before}");

    let to = instant(&before["now"]) + TimeDelta::days(4);
    let moved = developer.advance_to(to).await;
    assert_eq!(moved["due"], json!({ "jobs": 0, "endpoints": 0 }), "{moved}");
    assert!(instant(&moved["now"]) >= to, "{moved}");
    // Nothing was waited for: what was due had run when the answer came.
    let types: Vec<_> = receiver.received().iter().map(|one| body(one)["type"].clone()).collect();
    assert_eq!(types, ["booking.created", "booking.completed"]);
    let subjects: Vec<_> = stack.sink.journal().into_iter().map(|mail| mail.subject).collect();
    assert_eq!(subjects.len(), 2, "a confirmation and a reminder: {subjects:?}");

    drop(developer);
    stack.renew_token().await;
    assert_eq!(stack.get(&format!("/v1/bookings/{booking}")).await["status"], "completed");
    let mails = stack.get(&format!("/v1/bookings/{booking}/notifications")).await;
    let reminder = mails["data"].as_array().unwrap().iter().find(|mail| mail["kind"] == "reminder").unwrap();
    let (due, sent) = (instant(&reminder["send_at"]), instant(&reminder["accepted_at"]));
    let start: DateTime<Utc> = starts[0].parse().unwrap();
    assert!(due <= sent && sent < start, "due {due}, sent {sent}, start {start}");
    assert!(worker.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_takes_periods_and_instants_and_says_what_is_wrong_with_others() {
    let stack = TestStack::open(1, |programs| programs.set("PUNCTUAL_SANDBOX", "on")).await;
    let developer = Developer::of(&stack);
    for (wish, pointer, code) in [
        (json!({}), "/by", "required"),
        (json!({ "by": "PT1H", "to": "2027-01-01T00:00:00Z" }), "/to", "not_allowed"),
        (json!({ "by": "1 day" }), "/by", "bad_period"),
        (json!({ "by": "P367D" }), "/by", "too_large"),
    ] {
        let (status, refused) = developer.request(Method::POST, "clock/advance", &wish).await;
        assert_eq!(status, 400, "{wish}: {refused}");
        let fault = &refused["errors"][0];
        assert_eq!((&fault["pointer"], &fault["code"]), (&json!(pointer), &json!(code)), "{wish}: {refused}");
    }
    // Without a worker nothing that is due runs: a mail still waits.
    stack.book("one", &stack.starts().await[0]).await;
    let (status, moved) = developer.request(Method::POST, "clock/advance", &json!({ "by": "PT1H" })).await;
    assert_eq!((status, &moved["done"]), (200, &json!(false)), "{moved}");
    assert!(moved["due"]["jobs"].as_i64() >= Some(1), "{moved}");
    // An instant in the past is refused: the clock never goes back.
    let (_, before) = developer.request(Method::GET, "clock", &Value::Null).await;
    let past = json!({ "to": instant(&before["now"]) - TimeDelta::days(1) });
    let (status, after) = developer.request(Method::POST, "clock/advance", &past).await;
    assert_eq!(status, 200, "{after}");
    assert!(after["ahead_seconds"].as_i64() >= before["ahead_seconds"].as_i64(), "{after}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_starts_with_no_relay_and_its_database_with_no_other_program() {
    let stack = TestStack::open(1, |programs| programs.set("PUNCTUAL_SANDBOX", "on")).await;
    let refused = |name: &str, key: &str, value: &str| {
        let ended = stack.programs.clone().set(key, value).run(name, &[], "");
        assert!(!ended.status.success(), "{name} with {key}={value}");
        String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned()
    };
    for url in
        ["smtps://me:secret@mail.example.org", "smtp://mail.example.org:25", "smtp://me:x@127.0.0.1:25"]
    {
        for name in ["api", "worker"] {
            let said = refused(name, "SMTP_URL", url);
            assert!(said.contains("SMTP_URL is a mail relay") && !said.contains("secret"), "{said}");
        }
    }
    for name in ["api", "worker"] {
        let said = refused(name, "PUNCTUAL_SANDBOX", "off");
        assert!(said.contains("this database belongs to a sandbox"), "{said}");
    }
}

#[tokio::test]
async fn where_there_is_no_sandbox_there_is_no_test_clock() {
    let salon = crate::api::salon::Salon::open(1).await;
    let (api, admin) = (&salon.api, &salon.admin);
    let read = api.get("/v1/sandbox/clock", Some(admin)).await;
    assert_eq!(crate::api::salon::brief(&read), (404, "not_found"));
    let moved = api.post("/v1/sandbox/clock/advance", Some(admin), &json!({ "by": "PT1H" })).await;
    assert_eq!(crate::api::salon::brief(&moved), (404, "not_found"));
    assert!(moved.body["detail"].as_str().unwrap().contains("PUNCTUAL_SANDBOX=on"), "{}", moved.body);
}
