//! The relay fails at RCPT, at DATA or at the end of the message for one recipient only: that mail is deferred, and no
//! other waits for it.

use chrono::TimeDelta;
use punctual_core::types::Actor;
use punctual_queue::JobState;
use punctual_queue::testing::StoredJob;
use punctual_testkit::smtp_sink::{Act, Verb};

use super::outages::settled;
use super::test_worker::{Row, TestWorker, address, sent};
use crate::core::salon::tuesday;

/// A salon with one mail at a time, and a customer whose mails the relay fails.
async fn with_bad_recipient(verb: Verb, act: Act) -> (TestWorker, Actor) {
    let mut post = TestWorker::with_staff(3).await;
    post.hire_worker_with(&[("PUNCTUAL_WORKER_CONCURRENCY", "1")]).await;
    let bad = post.salon.customer().await;
    post.sink.always_for(verb, &address(&bad), act);
    (post, bad)
}

/// Waits until the first mail has been tried so often, and answers its job.
async fn tried(post: &TestWorker, times: i32) -> StoredJob {
    let tried = |job: &StoredJob| job.attempt + job.snoozes == times && job.state != JobState::Running;
    post.wait_for_jobs_that(|jobs| jobs.first().is_some_and(tried)).await.remove(0)
}

async fn holds_up_nobody(verb: Verb, act: Act, said: &str) {
    let (post, bad) = with_bad_recipient(verb, act).await;
    let first = post.book_as(&bad, tuesday("09:00")).await;
    for times in 1..=4 {
        let job = tried(&post, times).await;
        assert_eq!((job.attempt, job.snoozes), (times, 0), "each try costs an attempt");
        post.pass(TimeDelta::minutes(10));
    }
    let row = post.ledger(&first).await.remove(0);
    assert_eq!(row.reply.as_deref(), Some(said));
    let mut good = Vec::new();
    for hour in ["09:00", "10:00", "11:00"] {
        for customer in post.salon.customers(2).await {
            good.push(post.book_as(&customer, tuesday(hour)).await);
        }
    }
    for booking in &good {
        post.wait_for_ledger(booking, &[sent("confirmation")]).await;
    }
    assert!(post.jobs().await.iter().skip(1).all(|job| job.snoozes == 0), "no good mail waited");
    // The bad mail is due too and is tried once more. Its next try is planned from that one, so the clock stands until then.
    settled(&post).await;
    post.sink.heal();
    post.pass(TimeDelta::hours(1));
    post.wait_for_sent(&first, "confirmation", 1).await;
    assert_eq!(post.close().await.journal().len(), good.len() + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_421_at_rcpt_for_one_recipient_holds_up_nobody_else() {
    holds_up_nobody(Verb::Rcpt, Act::Reply("421 4.3.0 try later"), "rcpt: 421 4.3.0 try later").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_421_at_data_for_one_recipient_holds_up_nobody_else() {
    holds_up_nobody(Verb::Data, Act::Reply("421 4.3.0 try later"), "data: 421 4.3.0 try later").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_421_to_one_message_holds_up_nobody_else() {
    holds_up_nobody(Verb::Dot, Act::Reply("421 4.3.0 try later"), "dot: 421 4.3.0 try later").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_at_rcpt_for_one_recipient_holds_up_nobody_else() {
    holds_up_nobody(Verb::Rcpt, Act::Stall, "rcpt: timed out").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_cut_at_data_for_one_recipient_holds_up_nobody_else() {
    holds_up_nobody(Verb::Data, Act::Cut, "data: the connection was closed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mail_after_a_failed_probe_is_another_one() {
    let (post, bad) = with_bad_recipient(Verb::Rcpt, Act::Reply("421 4.3.0 try later")).await;
    // The relay is down: the circuit opens, with the bad mail among those that wait.
    post.sink.always(Verb::Banner, Act::Reply("421 4.3.2 down"));
    let mut bookings = vec![post.book_as(&bad, tuesday("09:00")).await];
    for customer in post.salon.customers(3).await {
        bookings.push(post.book_as(&customer, tuesday("10:00")).await);
        if bookings.len() == 3 {
            break;
        }
    }
    for _ in 0..4 {
        settled(&post).await;
        post.pass(TimeDelta::minutes(2));
    }
    post.sink.heal();
    post.sink.always_to(&address(&bad), Act::Reply("421 4.3.0 try later"));
    // Whichever mail probes first: the good ones go out without a further wait of minutes.
    post.pass(TimeDelta::minutes(10));
    for booking in &bookings[1..] {
        post.wait_for_sent(booking, "confirmation", 1).await;
    }
    post.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_fails_every_recipient_is_in_trouble_and_costs_the_other_mails_no_attempt() {
    let mut post = TestWorker::with_staff(3).await;
    post.sink.always(Verb::Rcpt, Act::Reply("421 4.3.0 try later"));
    let mut bookings = Vec::new();
    for customer in post.salon.customers(3).await {
        bookings.push(post.book_as(&customer, tuesday("10:00")).await);
    }
    post.hire_worker_with(&[("PUNCTUAL_WORKER_CONCURRENCY", "1")]).await;
    settled(&post).await;
    let mut attempts: Vec<(i32, i32)> =
        post.jobs().await.iter().map(|job| (job.attempt, job.snoozes)).collect();
    attempts.sort_unstable();
    assert_eq!(attempts, [(0, 1), (0, 1), (1, 0)], "only the first one is blamed");
    post.sink.heal();
    post.pass(TimeDelta::minutes(1));
    for booking in &bookings {
        post.wait_for_ledger(booking, &[Row { tries: 2, ..sent("confirmation") }]).await;
    }
    assert_eq!(post.close().await.journal().len(), 3);
}
