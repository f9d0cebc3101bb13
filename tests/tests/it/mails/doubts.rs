//! The message went out and no reply came back: one resend, never a third copy.

use chrono::TimeDelta;
use punctual_core::bookings;
use punctual_core::types::ExpectedRev;
use punctual_queue::JobState::{Completed, Discarded, Retryable};
use punctual_testkit::smtp_sink::{Act, Verb};

use super::test_worker::{Row, TestWorker, ended, sent, waiting};
use crate::core::salon::tuesday;

const CUT: &str = "dot: the connection was closed";

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_cut_off_after_its_dot_is_sent_once_more_with_the_same_id() {
    let setup = TestWorker::open().await;
    setup.sink.script(Verb::Dot, [Act::Cut]);
    let booking = setup.book(tuesday("10:00")).await;
    setup.wait_for_ledger(&booking, &[Row { doubts: 1, ..waiting("confirmation", 1, CUT) }]).await;
    let jobs = setup.wait_for_jobs(&[Retryable]).await;
    assert_eq!(jobs[0].attempt, 1);
    setup.pass(TimeDelta::seconds(20));
    setup.wait_for_ledger(&booking, &[Row { tries: 2, doubts: 1, ..sent("confirmation") }]).await;
    setup.wait_for_jobs(&[Completed]).await;
    let copies = setup.close().await.journal();
    assert_eq!(copies.len(), 2);
    assert_eq!(copies[0].message_id, copies[1].message_id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_in_doubt_twice_ends_so_and_is_not_sent_a_third_time() {
    let setup = TestWorker::open().await;
    setup.sink.script(Verb::Dot, [Act::Stall, Act::Cut]);
    let booking = setup.book(tuesday("10:00")).await;
    setup
        .wait_for_ledger(&booking, &[Row { doubts: 1, ..waiting("confirmation", 1, "dot: timed out") }])
        .await;
    setup.wait_for_jobs(&[Retryable]).await;
    setup.pass(TimeDelta::seconds(20));
    let in_doubt = Row { doubts: 2, ..ended("confirmation", "in_doubt", 2, Some(CUT)) };
    setup.wait_for_ledger(&booking, std::slice::from_ref(&in_doubt)).await;
    let jobs = setup.wait_for_jobs(&[Discarded]).await;
    assert_eq!(jobs[0].note.as_deref(), Some("in_doubt: no reply at dot"));
    // Another mail goes out: the worker has had the time to do wrong.
    let other = setup.book(tuesday("12:00")).await;
    setup.wait_for_ledger(&other, &[sent("confirmation")]).await;
    setup.wait_for_ledger(&booking, &[in_doubt]).await;
    let copies = setup.close().await.journal();
    assert_eq!(copies.iter().filter(|copy| copy.subject.ends_with("10:00")).count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_in_doubt_whose_booking_is_cancelled_is_not_sent_again() {
    let setup = TestWorker::open().await;
    setup.sink.script(Verb::Dot, [Act::Cut]);
    let booking = setup.book(tuesday("10:00")).await;
    setup.wait_for_ledger(&booking, &[Row { doubts: 1, ..waiting("confirmation", 1, CUT) }]).await;
    setup.wait_for_jobs(&[Retryable]).await;
    setup.pass(TimeDelta::seconds(1));
    bookings::cancel(&setup.salon.core, &setup.customer, booking.id, ExpectedRev::Any).await.unwrap();
    setup.pass(TimeDelta::seconds(20));
    let expected = [
        Row { doubts: 1, ..ended("confirmation", "in_doubt", 1, Some(CUT)) },
        ended("reminder", "cancelled", 0, None),
        sent("cancellation"),
    ];
    setup.wait_for_ledger(&booking, &expected).await;
    let subjects: Vec<String> = setup.close().await.journal().into_iter().map(|copy| copy.subject).collect();
    assert_eq!(
        subjects,
        ["Booked: Haircut, Tuesday, 4 May, 10:00", "Cancelled: Haircut, Tuesday, 4 May, 10:00"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_comes_late_is_still_the_truth() {
    let setup = TestWorker::patient().await;
    setup.sink.script(Verb::Dot, [Act::Stall]);
    let booking = setup.book(tuesday("10:00")).await;
    setup.sink.wait_for(Verb::Dot, 1).await;
    setup.sink.release();
    setup.wait_for_ledger(&booking, &[sent("confirmation")]).await;
    setup.wait_for_jobs(&[Completed]).await;
    assert_eq!(setup.close().await.journal().len(), 1);
}
