//! Reminders, and changes between the booking and its day.

use chrono::{DateTime, TimeDelta, Utc};
use punctual_core::bookings::{self, Booking, Move};
use punctual_core::types::ExpectedRev;
use punctual_queue::JobState::{Cancelled, Completed, Scheduled};
use punctual_testkit::smtp_sink::{Act, Verb};

use super::outages::settled;
use super::test_worker::{TestWorker, ended, sent, waiting};
use crate::core::salon::{at, tuesday};

async fn move_to(setup: &TestWorker, booking: &Booking, start: DateTime<Utc>) {
    let to = Move::to(start, None);
    bookings::reschedule(&setup.salon.core, &setup.customer, booking.id, ExpectedRev::Any, to).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_moved_one_second_before_its_reminder_is_reminded_of_by_its_new_time() {
    let mut setup = TestWorker::open().await;
    setup.hire_worker().await;
    let booking = setup.book(tuesday("10:00")).await;
    setup.wait_for_ledger(&booking, &[sent("confirmation")]).await;
    setup.salon.clock.set(tuesday("10:00") - TimeDelta::days(1) - TimeDelta::seconds(1));
    setup.wait_for_jobs(&[Completed, Scheduled]).await;
    move_to(&setup, &booking, tuesday("15:00")).await;
    setup.pass(TimeDelta::seconds(1));
    let moved = [sent("confirmation"), ended("reminder", "cancelled", 0, None), sent("reschedule")];
    setup.wait_for_ledger(&booking, &moved).await;
    setup.wait_for_jobs(&[Completed, Cancelled, Completed]).await;
    setup.salon.clock.set(tuesday("15:00") - TimeDelta::days(1));
    let taken = setup.sink.wait_for_mails(3).await;
    assert_eq!(taken[2].subject, "Reminder: Haircut, Tuesday, 4 May, 15:00");
    let [confirmation, off, moved] = moved;
    setup.wait_for_ledger(&booking, &[confirmation, off, sent("reminder"), moved]).await;
    assert_eq!(setup.close().await.journal().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_moved_twice_is_reminded_of_once() {
    let setup = TestWorker::open().await;
    let booking = setup.book(tuesday("10:00")).await;
    setup.wait_for_ledger(&booking, &[sent("confirmation")]).await;
    for (hour, moves) in [("12:00", 1), ("14:00", 2)] {
        setup.pass(TimeDelta::seconds(1));
        move_to(&setup, &booking, tuesday(hour)).await;
        setup.wait_for_sent(&booking, "reschedule", moves).await;
    }
    setup.salon.clock.set(tuesday("14:00") - TimeDelta::days(1));
    let taken = setup.sink.wait_for_mails(4).await;
    assert_eq!(taken[3].subject, "Reminder: Haircut, Tuesday, 4 May, 14:00");
    let expected = [
        sent("confirmation"),
        ended("reminder", "cancelled", 0, None),
        ended("reminder", "cancelled", 0, None),
        sent("reschedule"),
        sent("reminder"),
        sent("reschedule"),
    ];
    setup.wait_for_ledger(&booking, &expected).await;
    assert_eq!(setup.close().await.journal().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_made_inside_the_lead_time_has_no_reminder() {
    let setup = TestWorker::open().await;
    // Saturday 10:00 now; a day before Sunday 09:00 is past.
    let booking = setup.book(at("2027-05-02T09:00:00+02:00")).await;
    let expected = [sent("confirmation"), ended("reminder", "skipped_too_late", 0, None)];
    setup.wait_for_ledger(&booking, &expected).await;
    assert_eq!(setup.close().await.journal().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_down_for_a_weekend_loses_no_mail_that_is_still_of_use() {
    let setup = TestWorker::open().await;
    setup.sink.always(Verb::Banner, Act::Reply("421 4.3.2 down"));
    let sunday = setup.book(at("2027-05-02T10:30:00+02:00")).await;
    let tuesday = setup.book(tuesday("10:00")).await;
    let monday = at("2027-05-03T09:00:00+02:00");
    while setup.now() < monday {
        settled(&setup).await;
        setup.pass(TimeDelta::minutes(30));
    }
    settled(&setup).await;
    let rows = setup.ledger(&sunday).await;
    let outcomes: Vec<_> = rows.iter().map(|row| (row.kind.as_str(), row.outcome.as_deref())).collect();
    assert_eq!(outcomes, [("confirmation", Some("expired")), ("reminder", Some("expired"))]);
    assert!(rows.iter().all(|row| !row.dot && row.doubts == 0));
    let rows = setup.ledger(&tuesday).await;
    let said = "connect: 421 4.3.2 down";
    assert_eq!(rows, [waiting("confirmation", rows[0].tries, said)]);
    assert!(setup.jobs().await.iter().all(|job| job.attempt <= 1), "waiting costs no attempt");
    assert_eq!(setup.sink.journal().len(), 0);

    setup.sink.heal();
    setup.pass(TimeDelta::minutes(15));
    setup.wait_for_sent(&tuesday, "confirmation", 1).await;
    setup.salon.clock.set(at("2027-05-03T10:00:00+02:00"));
    setup.wait_for_sent(&tuesday, "reminder", 1).await;
    let subjects: Vec<String> = setup.close().await.journal().into_iter().map(|mail| mail.subject).collect();
    assert_eq!(
        subjects,
        ["Booked: Haircut, Tuesday, 4 May, 10:00", "Reminder: Haircut, Tuesday, 4 May, 10:00"]
    );
}
