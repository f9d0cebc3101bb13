//! Two workers whose ways to the mail server differ: one is cut off while the other gets through.

use chrono::TimeDelta;
use punctual_core::bookings::Booking;
use punctual_core::mail_relay::OpenCircuit;
use punctual_core::operators::{self, Action, Operator};
use punctual_queue::JobState;
use punctual_testkit::smtp_sink::{Act, SmtpSink, Verb};
use punctual_testkit::wait_for;

use super::outages::settled;
use super::test_worker::TestWorker;
use crate::core::salon::tuesday;

const STAFF: usize = 8;
const DOWN: Act = Act::Reply("421 4.3.2 down");

async fn circuits(post: &TestWorker) -> Vec<OpenCircuit> {
    operators::mails(&post.salon.core).await.unwrap().circuits
}

/// So many bookings of one hour.
async fn book(post: &TestWorker, hour: &str, count: usize) -> Vec<Booking> {
    let mut bookings = Vec::new();
    for _ in 0..count {
        bookings.push(post.book(tuesday(hour)).await);
    }
    bookings
}

/// Waits until this many mails are under way, and this many wait for a worker.
async fn wait_for_counts(post: &TestWorker, running: usize, available: usize) {
    post.wait_for_jobs_that(|jobs| {
        let count = |state| jobs.iter().filter(|job| job.state == state).count();
        (count(JobState::Running), count(JobState::Available), count(JobState::Retryable))
            == (running, available, 0)
    })
    .await;
}

/// A first worker, which has sent five mails to the returned mail server, and a second one, whose circuit has opened by three
/// failures meanwhile.
async fn one_is_cut_off() -> (TestWorker, SmtpSink) {
    let mut post = TestWorker::with_staff(STAFF).await;
    let works = SmtpSink::start().await;
    works.always(Verb::Banner, Act::Stall);
    let short = std::mem::take(&mut post.timeouts);
    let one_connection = ("PUNCTUAL_RELAY_CONNECTIONS", "1");
    post.hire_worker_with(&[("SMTP_URL", &works.url()), one_connection]).await;
    book(&post, "09:00", 2).await;
    wait_for_counts(&post, 2, 0).await;

    post.sink.always(Verb::Banner, DOWN);
    post.timeouts = short;
    post.hire_worker().await;
    book(&post, "10:00", 3).await;
    wait_for("the circuit to open", async || circuits(&post).await.len() == 1).await;
    // Left to the first worker, which can take no more yet.
    wait_for_counts(&post, 2, 3).await;
    works.heal();
    works.release();
    works.wait_for_mails(5).await;
    (post, works)
}

/// The first worker's mail server takes no more mails until it is released.
fn stall(works: &SmtpSink) {
    works.hold();
    works.always(Verb::Mail, Act::Stall);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_alone_is_cut_off_leaves_the_mails_to_the_other() {
    let (post, works) = one_is_cut_off().await;
    // The clock stands still: a mail that is put off stays where it is.
    book(&post, "12:00", 8).await;
    works.wait_for_mails(13).await;
    assert_eq!(post.sink.seen(Verb::Banner), 3, "the second worker tried no more than opened its circuit");

    // A test that fails costs its mail nothing.
    stall(&works);
    book(&post, "13:00", 3).await;
    post.pass(TimeDelta::seconds(20));
    post.sink.wait_for(Verb::Banner, 4).await;
    wait_for_counts(&post, 2, 1).await;
    works.heal();
    works.release();
    works.wait_for_mails(16).await;
    assert!(post.jobs().await.iter().all(|job| job.errors.as_array().unwrap().is_empty()));
    post.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_was_cut_off_tests_the_mail_server_when_it_is_due_and_then_takes_mails_again() {
    let (post, works) = one_is_cut_off().await;
    post.sink.heal();
    stall(&works);
    book(&post, "12:00", 4).await;
    wait_for_counts(&post, 2, 2).await;
    let open_until = circuits(&post).await.remove(0).open_until;
    post.salon.clock.set(open_until);
    post.sink.wait_for_mails(2).await;
    wait_for("the circuit to close", async || circuits(&post).await.is_empty()).await;
    works.heal();
    works.release();
    settled(&post).await;
    assert_eq!((works.journal().len(), post.sink.journal().len()), (7, 2));
    post.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_cut_off_puts_mails_off_once_no_other_is_left() {
    let (mut post, _works) = one_is_cut_off().await;
    post.stop_first_worker().await;
    let booking = post.book(tuesday("16:00")).await;
    settled(&post).await;
    post.sink.heal();
    operators::act(&post.salon.core, Operator::CommandLine, Action::ProbeRelay).await.unwrap();
    post.wait_for_sent(&booking, "confirmation", 1).await;
    wait_for("the circuit to close", async || circuits(&post).await.is_empty()).await;
    post.close().await;
}

/// One closes its circuit by a mail, the other by what that one has written.
#[tokio::test(flavor = "multi_thread")]
async fn when_the_mail_server_fails_for_both_all_mails_wait_and_go_out_once_it_is_back() {
    let mut post = TestWorker::with_staff(STAFF).await;
    post.sink.always(Verb::Banner, DOWN);
    post.hire_worker().await;
    post.hire_worker().await;
    let bookings = book(&post, "09:00", STAFF).await;
    settled(&post).await;
    while circuits(&post).await.len() < 2 {
        post.pass(TimeDelta::seconds(20));
        settled(&post).await;
    }
    post.sink.heal();
    operators::act(&post.salon.core, Operator::CommandLine, Action::ProbeRelay).await.unwrap();
    for booking in &bookings {
        post.wait_for_sent(booking, "confirmation", 1).await;
    }
    // Each removes its own row once its circuit has closed.
    wait_for("both circuits to close", async || {
        let rows = sqlx::query_scalar("SELECT count(*) FROM mail_relay_circuits");
        rows.fetch_one(&post.salon.core.pool).await.map(|rows: i64| rows == 0).unwrap()
    })
    .await;
    assert_eq!(post.sink.journal().len(), bookings.len());
    post.close().await;
}
