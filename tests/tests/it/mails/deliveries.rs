//! Mails on a good day.

use chrono::TimeDelta;
use punctual_core::bookings::{self, Move};
use punctual_core::notifications::{self, NotificationState};
use punctual_core::types::ExpectedRev;
use punctual_queue::JobState::{Completed, Scheduled};

use super::test_worker::{TestWorker, ended, sent};
use crate::core::salon::tuesday;

#[tokio::test(flavor = "multi_thread")]
async fn a_bookings_confirmation_is_sent_once_and_its_job_ends_with_it() {
    let setup = TestWorker::open().await;
    let booking = setup.book(tuesday("10:00")).await;
    let taken = setup.sink.wait_for_mails(1).await;
    setup.wait_for_ledger(&booking, &[sent("confirmation")]).await;
    let jobs = setup.wait_for_jobs(&[Completed]).await;
    assert_eq!((jobs[0].attempt, jobs[0].snoozes, jobs[0].rescues), (1, 0, 0));
    let id = jobs[0].unique_key.clone().unwrap();
    assert_eq!(taken[0].message_id, format!("<{id}@example.org>"));
    assert_eq!(taken[0].subject, "Booked: Haircut, Tuesday, 4 May, 10:00");
    assert_eq!(setup.close().await.journal().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_is_sent_when_it_falls_due_by_one_of_two_workers() {
    let mut setup = TestWorker::open().await;
    setup.hire_worker().await;
    let booking = setup.book(tuesday("10:00")).await;
    setup.sink.wait_for_mails(1).await;
    setup.salon.clock.set(tuesday("10:00") - TimeDelta::days(1) - TimeDelta::seconds(1));
    setup.wait_for_jobs(&[Completed, Scheduled]).await;
    assert_eq!(setup.sink.journal().len(), 1, "one second before it is due");
    setup.pass(TimeDelta::seconds(1));
    let taken = setup.sink.wait_for_mails(2).await;
    assert_eq!(taken[1].subject, "Reminder: Haircut, Tuesday, 4 May, 10:00");
    setup.wait_for_ledger(&booking, &[sent("confirmation"), sent("reminder")]).await;
    setup.wait_for_jobs(&[Completed, Completed]).await;
    assert_eq!(setup.close().await.journal().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_cancelled_one_second_before_its_reminder_gets_none() {
    let mut setup = TestWorker::open().await;
    setup.hire_worker().await;
    let booking = setup.book(tuesday("10:00")).await;
    setup.sink.wait_for_mails(1).await;
    setup.salon.clock.set(tuesday("10:00") - TimeDelta::days(1) - TimeDelta::seconds(1));
    setup.wait_for_jobs(&[Completed, Scheduled]).await;
    bookings::cancel(&setup.salon.core, &setup.customer, booking.id, ExpectedRev::Any).await.unwrap();
    setup.pass(TimeDelta::minutes(1));
    let taken = setup.sink.wait_for_mails(2).await;
    assert_eq!(taken[1].subject, "Cancelled: Haircut, Tuesday, 4 May, 10:00");
    let expected = [sent("confirmation"), ended("reminder", "cancelled", 0, None), sent("cancellation")];
    setup.wait_for_ledger(&booking, &expected).await;
    assert_eq!(setup.close().await.journal().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_that_moves_before_its_confirmation_is_sent_is_written_about_once() {
    let mut setup = TestWorker::without_worker().await;
    let booking = setup.book(tuesday("10:00")).await;
    setup.pass(TimeDelta::seconds(1));
    let to = Move::to(tuesday("15:00"), None);
    bookings::reschedule(&setup.salon.core, &setup.customer, booking.id, ExpectedRev::Any, to).await.unwrap();
    setup.hire_worker().await;
    let taken = setup.sink.wait_for_mails(1).await;
    assert_eq!(taken[0].subject, "Moved: Haircut, now Tuesday, 4 May, 15:00");
    let text = String::from_utf8(taken[0].bytes.clone()).unwrap();
    assert!(text.contains("Before: Tuesday, 4 May 2027, 10:00"), "{text}");
    let expected = [
        ended("confirmation", "cancelled", 0, None),
        ended("reminder", "cancelled", 0, None),
        sent("reschedule"),
    ];
    setup.wait_for_ledger(&booking, &expected).await;
    let mut conn = setup.salon.core.pool.acquire().await.unwrap();
    let mails = notifications::list(&mut conn, booking.id).await.unwrap();
    let states: Vec<NotificationState> = mails.iter().map(|mail| mail.state).collect();
    assert_eq!(states.iter().filter(|state| **state == NotificationState::Planned).count(), 1, "{states:?}");
    drop(conn);
    assert_eq!(setup.close().await.journal().len(), 1);
}
