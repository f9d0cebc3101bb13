//! The relay fails: mails wait, cost no attempt, and are sent when it is back, or end when they are too late.

use chrono::TimeDelta;
use punctual_core::bookings;
use punctual_core::types::ExpectedRev;
use punctual_queue::JobState;
use punctual_queue::testing::StoredJob;
use punctual_testkit::smtp_sink::{Act, Verb};

use super::test_worker::{Row, TestWorker, ended, sent, waiting};
use crate::core::salon::tuesday;

/// Waits until the only mail was put off, and answers what the ledger holds of the relay's words.
async fn put_off(setup: &TestWorker) -> String {
    let jobs = setup
        .wait_for_jobs_that(|jobs| jobs.iter().all(|job| job.snoozes == 1 && job.state != JobState::Running))
        .await;
    assert_eq!(jobs[0].attempt, 0, "it costs no attempt");
    let wait = (jobs[0].run_at - setup.now()).num_seconds();
    assert!((14..=19).contains(&wait), "{wait} s");
    sqlx::query_scalar(
        "SELECT reply FROM notifications WHERE tries = 1 AND outcome IS NULL AND dot_at IS NULL",
    )
    .fetch_one(&setup.salon.core.pool)
    .await
    .unwrap()
}

/// The mail of one booking meets this failure, waits, and is sent once the relay has recovered.
async fn meets(verb: Verb, act: Act, said: &str) {
    let setup = TestWorker::open().await;
    setup.sink.script(verb, [act]);
    let booking = setup.book(tuesday("10:00")).await;
    assert_eq!(put_off(&setup).await, said);
    assert_eq!(setup.sink.journal().len(), 0);
    setup.pass(TimeDelta::seconds(20));
    setup.wait_for_ledger(&booking, &[Row { tries: 2, ..sent("confirmation") }]).await;
    assert_eq!(setup.close().await.journal().len(), 1);
}

/// The mail of one booking meets this failure, which costs it an attempt, and is sent at the next.
async fn defers(verb: Verb, act: Act, said: &str) {
    let post = TestWorker::open().await;
    post.sink.script(verb, [act]);
    let booking = post.book(tuesday("10:00")).await;
    post.wait_for_ledger(&booking, &[waiting("confirmation", 1, said)]).await;
    let jobs = post.wait_for_jobs(&[JobState::Retryable]).await;
    assert_eq!((jobs[0].attempt, jobs[0].snoozes), (1, 0));
    assert_eq!(post.sink.journal().len(), 0);
    post.pass(TimeDelta::seconds(20));
    post.wait_for_ledger(&booking, &[Row { tries: 2, ..sent("confirmation") }]).await;
    assert_eq!(post.close().await.journal().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_421_at_the_banner_puts_the_mail_off() {
    meets(Verb::Banner, Act::Reply("421 4.3.2 closing"), "connect: 421 4.3.2 closing").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_421_before_the_recipient_is_the_relays_trouble() {
    for (verb, step) in [(Verb::Ehlo, "connect"), (Verb::Mail, "mail")] {
        meets(verb, Act::Reply("421 4.3.2 closing"), &format!("{step}: 421 4.3.2 closing")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_refuses_the_sender_is_the_relays_trouble() {
    meets(Verb::Mail, Act::Reply("550 5.7.1 who are you"), "mail: 550 5.7.1 who are you").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_stalls_before_the_message_is_given_up_at_each_verb() {
    for (verb, step) in [(Verb::Banner, "connect"), (Verb::Ehlo, "connect"), (Verb::Mail, "mail")] {
        meets(verb, Act::Stall, &format!("{step}: timed out")).await;
    }
    for (verb, step) in [(Verb::Rcpt, "rcpt"), (Verb::Data, "data")] {
        defers(verb, Act::Stall, &format!("{step}: timed out")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_421_from_rcpt_on_costs_a_lone_mail_an_attempt() {
    for (verb, step) in [(Verb::Rcpt, "rcpt"), (Verb::Data, "data"), (Verb::Dot, "dot")] {
        defers(verb, Act::Reply("421 4.3.2 closing"), &format!("{step}: 421 4.3.2 closing")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_cut_before_the_message_leaves_no_doubt() {
    meets(Verb::Banner, Act::Cut, "connect: the connection was closed").await;
    for (verb, step) in [(Verb::Rcpt, "rcpt"), (Verb::Data, "data")] {
        defers(verb, Act::Cut, &format!("{step}: the connection was closed")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_the_relay_closed_while_it_lay_idle_is_nobodys_trouble() {
    let setup = TestWorker::open().await;
    let first = setup.book(tuesday("10:00")).await;
    setup.wait_for_ledger(&first, &[sent("confirmation")]).await;
    setup.sink.script(Verb::Mail, [Act::Reply("421 4.4.2 idle too long")]);
    let second = setup.book(tuesday("12:00")).await;
    setup.wait_for_ledger(&second, &[sent("confirmation")]).await;
    let sink = setup.close().await;
    assert_eq!((sink.journal().len(), sink.seen(Verb::Banner)), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_that_commits_while_rcpt_stalls_stops_the_mail() {
    let setup = TestWorker::patient().await;
    setup.sink.script(Verb::Rcpt, [Act::Stall]);
    let booking = setup.book(tuesday("10:00")).await;
    setup.sink.wait_for(Verb::Rcpt, 1).await;
    setup.pass(TimeDelta::seconds(1));
    bookings::cancel(&setup.salon.core, &setup.customer, booking.id, ExpectedRev::Any).await.unwrap();
    setup.sink.release();
    let taken = setup.sink.wait_for_mails(1).await;
    assert_eq!(taken[0].subject, "Cancelled: Haircut, Tuesday, 4 May, 10:00");
    let expected = [
        ended("confirmation", "cancelled", 1, None),
        ended("reminder", "cancelled", 0, None),
        sent("cancellation"),
    ];
    setup.wait_for_ledger(&booking, &expected).await;
    let sink = setup.close().await;
    assert_eq!((sink.journal().len(), sink.seen(Verb::Data)), (1, 1), "no DATA for the confirmation");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_down_for_three_hours_is_asked_seldom_and_no_mail_is_lost() {
    let setup = TestWorker::open().await;
    setup.sink.always(Verb::Banner, Act::Reply("421 4.3.2 down"));
    let mut bookings = Vec::new();
    for hour in ["09:00", "10:00", "11:00", "12:00", "13:00"] {
        bookings.push(setup.book(tuesday(hour)).await);
    }
    let mut asked = Vec::new();
    for _ in 0..18 {
        settled(&setup).await;
        asked.push(setup.sink.seen(Verb::Banner));
        setup.pass(TimeDelta::minutes(10));
    }
    assert!(*asked.last().unwrap() <= 30, "one probe at a time: {asked:?}");
    setup.sink.heal();
    settled(&setup).await;
    setup.pass(TimeDelta::minutes(15));
    let taken = setup.sink.wait_for_mails(5).await;
    assert_eq!(taken.len(), 5);
    for booking in &bookings {
        let sent_once = async {
            loop {
                let rows = setup.ledger(booking).await;
                if rows.iter().all(|row| row.outcome.as_deref() == Some("sent")) {
                    break rows;
                }
                setup.pass(TimeDelta::seconds(16));
                settled(&setup).await;
            }
        };
        let rows = sent_once.await;
        assert_eq!((rows.len(), rows[0].doubts), (1, 0));
    }
    assert!(setup.jobs().await.iter().all(|job| job.attempt == 1), "waiting cost no attempt");
    assert_eq!(setup.close().await.journal().len(), 5);
}

/// Waits until no mail is due or under way.
pub async fn settled(setup: &TestWorker) {
    setup
        .wait_for_jobs_that(|jobs| {
            let now = setup.now();
            let busy = |job: &StoredJob| match job.state {
                JobState::Running | JobState::Available => true,
                JobState::Scheduled | JobState::Retryable => job.run_at <= now,
                _ => false,
            };
            !jobs.iter().any(busy)
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmation_that_waited_past_the_start_expires_with_its_job() {
    let setup = TestWorker::open().await;
    setup.sink.always(Verb::Banner, Act::Reply("421 4.3.2 down"));
    let booking = setup.book(tuesday("10:00")).await;
    let said = put_off(&setup).await;
    setup.salon.clock.set(tuesday("10:00"));
    // The sweep may meet the reminder, which is too late as well, before or after this looks.
    let jobs = setup.wait_for_jobs_that(|jobs| jobs.iter().all(|job| job.state == JobState::Discarded)).await;
    assert!(jobs.iter().all(|job| job.note.as_deref() == Some("expired before it was begun")), "{jobs:?}");
    let rows = setup.ledger(&booking).await;
    assert_eq!(rows[0], ended("confirmation", "expired", 1, Some(&said)));
    assert_eq!(setup.close().await.journal().len(), 0);
}
