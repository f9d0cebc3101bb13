//! The circuit breaker as operators see it: what is shown while the relay is down, and how mails go out at once when it
//! is back. The salon's clock stands still unless a test moves it, so a mail that waits for its time stays where it is.

use chrono::TimeDelta;
use punctual_core::bookings::Booking;
use punctual_core::operators::{self, Action, Operator};
use punctual_queue::{JobId, JobState};
use punctual_testkit::smtp_sink::{Act, Verb};
use punctual_testkit::{Programs, wait_for};

use super::outages::settled;
use super::test_worker::TestWorker;
use crate::core::salon::tuesday;

/// A relay that has been down for long enough to open the circuit, with four mails that wait.
async fn down() -> (TestWorker, Vec<Booking>) {
    let post = TestWorker::open().await;
    post.sink.always(Verb::Banner, Act::Reply("421 4.3.2 down"));
    let mut bookings = Vec::new();
    for hour in ["09:00", "10:00", "11:00", "12:00"] {
        bookings.push(post.book(tuesday(hour)).await);
    }
    settled(&post).await;
    while operators::mails(&post.salon.core).await.unwrap().circuits.is_empty() {
        post.pass(TimeDelta::seconds(20));
        settled(&post).await;
    }
    (post, bookings)
}

async fn all_are_sent(post: &TestWorker, bookings: &[Booking]) {
    for booking in bookings {
        post.wait_for_sent(booking, "confirmation", 1).await;
    }
    assert_eq!(post.sink.journal().len(), bookings.len());
    wait_for("the circuit to close", async || {
        operators::mails(&post.salon.core).await.unwrap().circuits.is_empty()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_has_the_mail_server_tested_and_all_mails_go_out_at_once() {
    let (post, bookings) = down().await;
    post.sink.heal();
    let done = operators::act(&post.salon.core, Operator::CommandLine, Action::ProbeRelay).await.unwrap();
    assert_eq!(done.details, serde_json::json!({ "circuits": 1, "mails": 4 }));
    all_are_sent(&post, &bookings).await;
    post.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_was_being_put_off_while_the_circuit_closed_is_sent_soon_after() {
    let (post, bookings) = down().await;
    // Locked, as while it is put off: whoever releases the others leaves it out.
    let last = post.jobs().await.pop().unwrap();
    let mut putting_off = post.salon.core.pool.begin().await.unwrap();
    let lock = "SELECT FROM queue.jobs WHERE id = $1 FOR UPDATE";
    sqlx::query(lock).bind(last.id.0).execute(&mut *putting_off).await.unwrap();
    post.sink.heal();
    let done = operators::act(&post.salon.core, Operator::CommandLine, Action::ProbeRelay).await.unwrap();
    assert_eq!(done.details, serde_json::json!({ "circuits": 1, "mails": 3 }));
    post.sink.wait_for_mails(3).await;
    wait_for("the circuit to close", async || {
        operators::mails(&post.salon.core).await.unwrap().circuits.is_empty()
    })
    .await;
    putting_off.rollback().await.unwrap();
    all_are_sent(&post, &bookings).await;
    post.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_of_a_mail_server_that_is_still_down_opens_the_circuit_for_longer() {
    let (post, _) = down().await;
    let before = operators::mails(&post.salon.core).await.unwrap().circuits.remove(0);
    let asked = post.sink.seen(Verb::Banner);
    operators::act(&post.salon.core, Operator::CommandLine, Action::ProbeRelay).await.unwrap();
    let after = loop {
        settled(&post).await;
        let circuit = operators::mails(&post.salon.core).await.unwrap().circuits.remove(0);
        if circuit.openings > before.openings {
            break circuit;
        }
    };
    assert!(after.open_until > before.open_until, "it stays open for longer: {before:?} {after:?}");
    assert_eq!(after.opened_at, before.opened_at, "the outage began when it began");
    assert!(post.sink.seen(Verb::Banner) > asked, "the mail server was asked");
    assert!(post.jobs().await.iter().all(|job| job.attempt == 0), "it costs no attempt");
    post.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_an_operator_retries_while_the_circuit_is_open_is_the_test() {
    let (post, bookings) = down().await;
    post.sink.heal();
    let job = post.jobs().await.remove(2);
    operators::act(&post.salon.core, Operator::CommandLine, Action::Retry(JobId(job.id.0))).await.unwrap();
    all_are_sent(&post, &bookings).await;
    post.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_email_that_gets_through_closes_the_circuit() {
    let (post, bookings) = down().await;
    post.sink.heal();
    let programs = Programs::on(post.salon.database()).smtp(&post.sink.url());
    let output = programs.run("worker", &["test-email", "ada@example.org"], "");
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(output.status.success() && said.contains("4 mails that waited"), "{said}");
    for booking in &bookings {
        post.wait_for_sent(booking, "confirmation", 1).await;
    }
    assert_eq!(post.sink.journal().len(), 5);
    post.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_mail_server_is_down_operators_see_since_when_and_how_late_mails_are() {
    let (post, bookings) = down().await;
    post.pass(TimeDelta::minutes(12));
    settled(&post).await;
    let mails = operators::mails(&post.salon.core).await.unwrap();
    assert_eq!(mails.oldest_due, Some(bookings[0].created_at));
    let [circuit] = &mails.circuits[..] else { panic!("{:?}", mails.circuits) };
    assert_eq!(circuit.failure, "421 4.3.2 at connect");
    assert!(post.sink.url().ends_with(&circuit.relay));

    let programs = Programs::on(post.salon.database()).smtp(&post.sink.url());
    for (arguments, shown) in [
        (&["relay"][..], "421 4.3.2 at connect"),
        (&["queues"][..], "421 4.3.2 at connect"),
        (&["queues", "--json"][..], "\"failure\":\"421 4.3.2 at connect\""),
        (&["relay", "probe"][..], "4 mails are due now"),
    ] {
        let output = programs.run("worker", arguments, "");
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(output.status.success() && said.contains(shown), "{arguments:?}: {said}");
    }
    post.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_match_a_filter_are_discarded_together() {
    let (post, _) = down().await;
    let programs = Programs::on(post.salon.database()).smtp(&post.sink.url());
    let run = |arguments: &[&str]| {
        let output = programs.run("worker", arguments, "");
        (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    let (code, said) =
        run(&["jobs", "discard", "--all", "--state", "retryable", "--queue", "mails", "--search", "nothing"]);
    assert!(code == Some(0) && said.contains("0 jobs;"), "{said}");
    let (code, said) = run(&["jobs", "discard", "--all", "--state", "retryable", "--queue", "mails"]);
    assert!(code == Some(0) && said.contains("4 jobs;"), "{said}");
    post.wait_for_jobs(&[JobState::Discarded; 4]).await;
    assert_eq!(run(&["jobs", "discard", "--all"]).0, Some(2), "all of no state is refused");
    assert_eq!(run(&["jobs", "discard"]).0, Some(2));
    post.close().await;
}
