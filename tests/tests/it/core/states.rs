//! A booking's states, and who may change them.

use chrono::TimeDelta;
use punctual_core::Error;
use punctual_core::bookings::{self, BookingStatus, Move};
use punctual_core::types::BookingAction;
use punctual_core::types::{ActorKind, ExpectedRev, Rev};

use super::salon::{Salon, at, booking_of, tuesday};

#[tokio::test]
async fn a_pending_booking_is_confirmed_by_staff_and_only_then_owes_a_confirmation() {
    let salon = Salon::open(1).await;
    let service = salon.service(|spec| spec.requires_confirmation = true).await;
    let customer = salon.customer().await;
    let booking = salon.book(&customer, service, None, tuesday("10:00")).await.unwrap();
    assert_eq!(booking.status, BookingStatus::Pending);
    assert_eq!(
        salon.count("SELECT count(*) FROM notifications WHERE kind <> 'pending' AND NOT to_staff").await,
        0
    );

    let forbidden = bookings::confirm(&salon.core, &customer, booking.id, ExpectedRev::Any).await;
    assert!(matches!(forbidden, Err(Error::Forbidden)), "{forbidden:?}");
    let stale = bookings::confirm(&salon.core, &salon.admin, booking.id, ExpectedRev::Exactly(Rev(7))).await;
    assert!(matches!(stale, Err(Error::RevMismatch { current: Rev(1) })), "{stale:?}");

    let expected = ExpectedRev::Exactly(booking.rev);
    let confirmed = bookings::confirm(&salon.core, &salon.admin, booking.id, expected).await.unwrap();
    assert_eq!((confirmed.status, confirmed.rev), (BookingStatus::Confirmed, Rev(2)));
    assert_eq!(salon.count("SELECT count(*) FROM notifications WHERE rev = 2 AND NOT to_staff").await, 2);

    // Moved by its customer it waits for staff again, and what was planned is off.
    let to = Move::to(tuesday("15:00"), None);
    let moved = bookings::reschedule(&salon.core, &customer, booking.id, ExpectedRev::Any, to).await.unwrap();
    assert_eq!((moved.status, moved.rev), (BookingStatus::Pending, Rev(3)));
    assert_eq!(salon.count("SELECT count(*) FROM notifications WHERE outcome IS NULL AND kind <> 'pending' AND NOT to_staff").await, 0);

    let declined = bookings::decline(&salon.core, &salon.admin, booking.id, ExpectedRev::Any).await.unwrap();
    assert_eq!(declined.status, BookingStatus::Declined);
    salon.book(&customer, service, None, tuesday("15:00")).await.unwrap();
}

#[tokio::test]
async fn what_is_not_possible_names_what_is() {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let customer = salon.customer().await;
    let booking = salon.book(&customer, service, None, tuesday("10:00")).await.unwrap();
    let early = bookings::complete(&salon.core, &salon.admin, booking.id, ExpectedRev::Any).await;
    let Err(Error::InvalidTransition { from, allowed }) = early else { panic!("{early:?}") };
    assert_eq!(
        (from, allowed),
        (
            BookingStatus::Confirmed,
            vec![BookingAction::Cancel, BookingAction::Reschedule, BookingAction::Update]
        )
    );

    salon.clock.set(tuesday("10:00"));
    let missed = bookings::no_show(&salon.core, &salon.admin, booking.id, ExpectedRev::Any).await.unwrap();
    assert_eq!(missed.status, BookingStatus::NoShow);
    let mended = bookings::complete(&salon.core, &salon.admin, booking.id, ExpectedRev::Any).await.unwrap();
    assert_eq!((mended.status, mended.rev), (BookingStatus::Completed, Rev(3)));
    let late = bookings::cancel(&salon.core, &salon.admin, booking.id, ExpectedRev::Any).await;
    let Err(Error::InvalidTransition { from, allowed }) = late else { panic!("{late:?}") };
    assert_eq!((from, allowed), (BookingStatus::Completed, vec![BookingAction::NoShow]));
}

#[tokio::test]
async fn cancelling_a_cancelled_booking_changes_nothing() {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let customer = salon.customer().await;
    let booking = salon.book(&customer, service, None, tuesday("10:00")).await.unwrap();
    let expected = ExpectedRev::Exactly(booking.rev);
    let first = bookings::cancel(&salon.core, &customer, booking.id, expected).await.unwrap();
    let second = bookings::cancel(&salon.core, &customer, booking.id, expected).await.unwrap();
    assert_eq!((first.status, first.rev), (BookingStatus::Cancelled, Rev(2)));
    assert_eq!(first, second);
    assert_eq!(salon.count("SELECT count(*) FROM notifications WHERE kind = 'cancellation'").await, 1);
    let changes = bookings::events(&salon.core, &customer, booking.id).await.unwrap();
    let changes: Vec<_> =
        changes.iter().map(|event| (event.rev.0, event.change.as_str(), event.actor)).collect();
    assert_eq!(changes, [(1, "created", ActorKind::Customer), (2, "cancelled", ActorKind::Customer)]);
}

#[tokio::test]
async fn customers_change_a_booking_until_the_notice_inclusive_and_staff_at_any_time() {
    let salon = Salon::open(1).await;
    let service = salon
        .service(|spec| {
            spec.cancel_notice_min = 120;
            spec.reschedule_notice_min = 60;
        })
        .await;
    let customer = salon.customer().await;
    let booking = salon.book(&customer, service, None, tuesday("12:00")).await.unwrap();
    let to = |time| Move::to(tuesday(time), None);

    salon.clock.set(tuesday("10:00") + TimeDelta::seconds(1));
    let late = bookings::cancel(&salon.core, &customer, booking.id, ExpectedRev::Any).await;
    assert!(matches!(late, Err(Error::NoticePassed)), "{late:?}");
    salon.clock.set(tuesday("11:00"));
    let moved = bookings::reschedule(&salon.core, &customer, booking.id, ExpectedRev::Any, to("13:00")).await;
    assert_eq!(moved.unwrap().rev, Rev(2));
    salon.clock.set(tuesday("12:00") + TimeDelta::seconds(1));
    let late = bookings::reschedule(&salon.core, &customer, booking.id, ExpectedRev::Any, to("14:00")).await;
    assert!(matches!(late, Err(Error::NoticePassed)), "{late:?}");
    let moved =
        bookings::reschedule(&salon.core, &salon.admin, booking.id, ExpectedRev::Any, to("14:00")).await;
    assert_eq!(moved.unwrap().rev, Rev(3));
    salon.clock.set(tuesday("12:00"));
    let cancelled = bookings::cancel(&salon.core, &customer, booking.id, ExpectedRev::Any).await.unwrap();
    assert_eq!(cancelled.status, BookingStatus::Cancelled);
}

#[tokio::test]
async fn a_move_keeps_the_booking_and_its_price_and_frees_its_old_time() {
    let salon = Salon::open(2).await;
    let service = salon.service(|_| ()).await;
    let customer = salon.customer().await;
    let before = salon.book(&customer, service, Some(salon.staff[0]), tuesday("10:00")).await.unwrap();
    // Half an hour on: into its own old time.
    let to = Move::to(tuesday("10:30"), None);
    let moved = bookings::reschedule(&salon.core, &customer, before.id, ExpectedRev::Any, to).await.unwrap();
    assert_eq!((moved.id, moved.rev, moved.start.to_utc()), (before.id, Rev(2), tuesday("10:30")));
    assert_eq!((moved.staff.id, moved.service), (before.staff.id, before.service.clone()));
    let to = Move::to(tuesday("10:30"), Some(salon.staff[1]));
    let moved =
        bookings::reschedule(&salon.core, &customer, before.id, ExpectedRev::Any, to.clone()).await.unwrap();
    assert_eq!((moved.staff.id, moved.rev), (salon.staff[1], Rev(3)));
    // To where it is: nothing changes.
    let same = bookings::reschedule(&salon.core, &customer, before.id, ExpectedRev::Any, to).await.unwrap();
    assert_eq!(same, moved);
    salon.book(&customer, service, Some(salon.staff[0]), tuesday("10:00")).await.unwrap();
    let taken = salon.book(&customer, service, Some(salon.staff[1]), tuesday("11:00")).await;
    assert!(matches!(taken, Err(Error::SlotTaken { .. })), "{taken:?}");

    let events = bookings::events(&salon.core, &salon.admin, before.id).await.unwrap();
    let details = &events[1].details;
    assert_eq!(details.from.map(|from| from.start), Some(at("2027-05-04T08:00:00Z")));
    assert_eq!(details.to.map(|to| to.start), Some(at("2027-05-04T08:30:00Z")));
    assert_eq!(events[1].actor_id, customer.user_id());
}

#[tokio::test]
async fn staff_pass_limits_on_purpose_but_never_another_booking() {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let customer = salon.customer().await;
    let mut late = booking_of(service, None, at("2027-05-04T20:10:00+02:00"));
    late.overriding = true;
    let forbidden = bookings::create(&salon.core, &customer, None, late.clone()).await;
    assert!(matches!(forbidden, Err(Error::StaffOnly(_))), "{forbidden:?}");
    let booked = bookings::create(&salon.core, &salon.admin, None, late.clone()).await.unwrap().value;
    let events = bookings::events(&salon.core, &salon.admin, booked.id).await.unwrap();
    assert!(events[0].overridden);
    let taken = bookings::create(&salon.core, &salon.admin, None, late).await;
    assert!(matches!(taken, Err(Error::SlotTaken { .. })), "{taken:?}");
}

#[tokio::test]
async fn time_ends_what_nobody_ends() {
    let salon = Salon::open(1).await;
    let asked = salon.service(|spec| spec.requires_confirmation = true).await;
    let sure = salon.service(|_| ()).await;
    let customer = salon.customer().await;
    let pending = salon.book(&customer, asked, None, tuesday("10:00")).await.unwrap();
    let confirmed = salon.book(&customer, sure, None, tuesday("11:00")).await.unwrap();
    let status = async |id| bookings::get(&salon.core, &customer, id).await.unwrap().status;

    salon.clock.set(tuesday("10:00") - TimeDelta::seconds(1));
    assert_eq!(bookings::expire_pending(&salon.core).await.unwrap(), 0);
    salon.clock.set(tuesday("10:00"));
    assert_eq!(bookings::expire_pending(&salon.core).await.unwrap(), 1);
    assert_eq!(status(pending.id).await, BookingStatus::Expired);

    salon.clock.set(tuesday("12:00") + TimeDelta::hours(24) - TimeDelta::seconds(1));
    assert_eq!(bookings::complete_past(&salon.core).await.unwrap(), 0);
    salon.wait(TimeDelta::seconds(1));
    assert_eq!(bookings::complete_past(&salon.core).await.unwrap(), 1);
    assert_eq!(status(confirmed.id).await, BookingStatus::Completed);
    let events = bookings::events(&salon.core, &salon.admin, confirmed.id).await.unwrap();
    assert_eq!((events[1].change.as_str(), events[1].actor), ("completed", ActorKind::System));
}
