//! Bookings that staff confirm: the mails to their customers and the calendar entries.

use chrono::TimeDelta;
use icalendar::{Calendar, Component as _};
use punctual_core::bookings::{self, BookingStatus, Move};
use punctual_core::types::{Actor, ExpectedRev};
use punctual_testkit::smtp_sink::ReceivedMail;

use super::test_worker::{TestWorker, calendar, ended, sent, text};
use crate::core::salon::tuesday;

/// METHOD, STATUS and SEQUENCE of the mail's calendar entry.
fn entry(mail: &ReceivedMail) -> Option<String> {
    let text = calendar(mail)?;
    let calendar: Calendar = text.parse().unwrap();
    let event = calendar.components[0].as_event()?;
    let value = |key: &str| event.property_value(key).unwrap_or_default().to_owned();
    Some(format!("{} {} {}", calendar.property_value("METHOD")?, value("STATUS"), value("SEQUENCE")))
}

/// A salon that confirms its bookings, and one of them.
async fn asked() -> (TestWorker, bookings::Booking) {
    let mut setup = TestWorker::open().await;
    setup.service = setup.salon.service(|spec| spec.requires_confirmation = true).await;
    let booking = setup.book(tuesday("10:00")).await;
    assert_eq!(booking.status, BookingStatus::Pending);
    let taken = setup.sink.wait_for_mails(1).await;
    assert_eq!(taken[0].subject, "Request received: Haircut, Tuesday, 4 May, 10:00");
    assert_eq!(entry(&taken[0]).as_deref(), Some("REQUEST TENTATIVE 1"));
    setup.wait_for_ledger(&booking, &[sent("pending")]).await;
    (setup, booking)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_confirmed_late_has_its_confirmation_and_the_reminders_still_to_come() {
    let (setup, booking) = asked().await;
    // Its reminder would have been due a day before.
    setup.salon.clock.set(tuesday("10:00") - TimeDelta::hours(2));
    bookings::confirm(&setup.salon.core, &Actor::System, booking.id, ExpectedRev::Any).await.unwrap();
    let taken = setup.sink.wait_for_mails(2).await;
    assert_eq!(taken[1].subject, "Booked: Haircut, Tuesday, 4 May, 10:00");
    assert_eq!(entry(&taken[1]).as_deref(), Some("REQUEST CONFIRMED 2"));
    let expected = [sent("pending"), sent("confirmation"), ended("reminder", "skipped_too_late", 0, None)];
    setup.wait_for_ledger(&booking, &expected).await;
    assert_eq!(setup.close().await.journal().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_declined_leaves_the_calendar() {
    let (setup, booking) = asked().await;
    setup.pass(TimeDelta::seconds(1));
    bookings::decline(&setup.salon.core, &Actor::System, booking.id, ExpectedRev::Any).await.unwrap();
    let taken = setup.sink.wait_for_mails(2).await;
    assert_eq!(taken[1].subject, "Not possible: Haircut, Tuesday, 4 May, 10:00");
    assert_eq!(entry(&taken[1]).as_deref(), Some("CANCEL CANCELLED 2"));
    setup.wait_for_ledger(&booking, &[sent("pending"), sent("declined")]).await;
    assert_eq!(setup.close().await.journal().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_nobody_answers_expires_at_its_start_with_a_mail() {
    let (setup, booking) = asked().await;
    setup.salon.clock.set(tuesday("10:00"));
    // The leader's sweep may be sooner.
    bookings::expire_pending(&setup.salon.core).await.unwrap();
    let taken = setup.sink.wait_for_mails(2).await;
    assert_eq!(taken[1].subject, "Not confirmed: Haircut, Tuesday, 4 May, 10:00");
    assert_eq!(entry(&taken[1]).as_deref(), Some("CANCEL CANCELLED 2"));
    setup.wait_for_ledger(&booking, &[sent("pending"), sent("expired")]).await;
    assert_eq!(bookings::expire_pending(&setup.salon.core).await.unwrap(), 0);
    assert_eq!(setup.close().await.journal().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_that_its_customer_moves_is_a_request_again_and_its_reminder_is_off() {
    let (setup, booking) = asked().await;
    setup.pass(TimeDelta::seconds(1));
    bookings::confirm(&setup.salon.core, &Actor::System, booking.id, ExpectedRev::Any).await.unwrap();
    setup.sink.wait_for_mails(2).await;
    setup.wait_for_ledger(&booking, &[sent("pending"), sent("confirmation")]).await;
    setup.pass(TimeDelta::seconds(1));
    let to = Move::to(tuesday("15:00"), None);
    bookings::reschedule(&setup.salon.core, &setup.customer, booking.id, ExpectedRev::Any, to).await.unwrap();
    let taken = setup.sink.wait_for_mails(3).await;
    assert_eq!(taken[2].subject, "Request received: Haircut, Tuesday, 4 May, 15:00");
    assert_eq!(entry(&taken[2]).as_deref(), Some("REQUEST TENTATIVE 3"));
    assert!(text(&taken[2]).contains("Before: Tuesday, 4 May 2027, 10:00"), "{}", text(&taken[2]));
    let expected =
        [sent("pending"), sent("confirmation"), ended("reminder", "cancelled", 0, None), sent("pending")];
    setup.wait_for_ledger(&booking, &expected).await;
    assert_eq!(setup.close().await.journal().len(), 3);
}
