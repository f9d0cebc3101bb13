//! Each change of a booking is exactly one event of the feed. A hold is none.

use chrono::TimeDelta;
use punctual_core::bookings::{self, Booking, BookingStatus, Move, NewHold, RequestedSlot, SlotSource};
use punctual_core::changes::{self, EventType, Position, Subject};
use punctual_core::types::{Actor, ActorKind, ExpectedRev, PageSize};

use super::test_hooks::until_readable;
use crate::core::salon::{Salon, booking_of, tuesday};

struct Walk {
    salon: Salon,
    seen: Position,
}

impl Walk {
    /// The events since the last call: type, revision, status and actor; of bookings only.
    async fn told(&mut self) -> Vec<(EventType, i32, BookingStatus, ActorKind)> {
        until_readable(&self.salon.core.pool).await;
        let size = PageSize::new(100).unwrap();
        let page = changes::list(&self.salon.core.pool, self.seen, &[], size).await.unwrap();
        self.seen = page.next;
        let of_booking = |event: changes::Event| match event.subject {
            Subject::Booking { booking, .. } => {
                Some((event.event_type, booking.rev, booking.status, event.actor.unwrap().kind))
            }
            _ => None,
        };
        page.events.into_iter().filter_map(of_booking).collect()
    }

    async fn told_once(&mut self, event: EventType, booking: &Booking, by: ActorKind) {
        assert_eq!(self.told().await, [(event, booking.rev.0, booking.status, by)]);
    }
}

#[tokio::test]
async fn every_write_of_a_booking_is_one_event() {
    let salon = Salon::open(2).await;
    let sure = salon.service(|_| ()).await;
    let asked = salon.service(|spec| spec.requires_confirmation = true).await;
    let customer = salon.customer().await;
    let admin = salon.admin;
    let (first, second) = (salon.staff[0], salon.staff[1]);
    let core = salon.core.clone();
    let core = &core;
    let any = ExpectedRev::Any;
    let mut walk = Walk { salon, seen: Position::START };
    walk.told().await;

    let booked = walk.salon.book(&customer, sure, Some(first), tuesday("09:00")).await.unwrap();
    walk.told_once(EventType::BookingCreated, &booked, ActorKind::Customer).await;

    // A hold, kept longer and given back, is nothing to tell of.
    let slot =
        |time| RequestedSlot { service_id: sure, staff_id: Some(first), start: tuesday(time), seats: 1 };
    let hold = |time| NewHold { slot: slot(time), minutes: 5 };
    let kept = bookings::hold(core, &customer, "", None, hold("11:00")).await.unwrap().value;
    bookings::renew_hold(core, kept.id).await.unwrap();
    bookings::release_hold(core, &customer, false, kept.id).await.unwrap();
    let kept = bookings::hold(core, &customer, "", None, hold("11:00")).await.unwrap().value;
    assert_eq!(walk.told().await, []);
    let mut wanted = booking_of(sure, None, tuesday("11:00"));
    wanted.slot = SlotSource::Hold(kept.id);
    let converted = bookings::create(core, &customer, None, wanted).await.unwrap().value;
    assert_eq!(converted.id, kept.id);
    walk.told_once(EventType::BookingCreated, &converted, ActorKind::Customer).await;
    // A hold that runs out.
    bookings::hold(core, &customer, "", None, hold("13:00")).await.unwrap();
    walk.salon.wait(TimeDelta::minutes(11));
    assert_eq!(bookings::expire_holds(core).await.unwrap(), 1);
    assert_eq!(walk.told().await, []);

    let to = |time, staff_id| Move::to(tuesday(time), staff_id);
    let moved = bookings::reschedule(core, &customer, booked.id, any, to("14:00", None)).await.unwrap();
    walk.told_once(EventType::BookingRescheduled, &moved, ActorKind::Customer).await;
    let handed = bookings::reschedule(core, &admin, booked.id, any, to("14:00", Some(second))).await.unwrap();
    walk.told_once(EventType::BookingRescheduled, &handed, ActorKind::Admin).await;
    // Nothing changes: nothing to tell.
    bookings::reschedule(core, &admin, booked.id, any, to("14:00", Some(second))).await.unwrap();
    assert_eq!(walk.told().await, []);
    // As the page behind the link of a mail does.
    let link = Actor::Link { booking_id: booked.id };
    let cancelled = bookings::cancel(core, &link, booked.id, any).await.unwrap();
    walk.told_once(EventType::BookingCancelled, &cancelled, ActorKind::Guest).await;
    let cancelled = bookings::cancel(core, &admin, converted.id, any).await.unwrap();
    walk.told_once(EventType::BookingCancelled, &cancelled, ActorKind::Admin).await;
    let again = walk.salon.book(&customer, sure, Some(first), tuesday("09:00")).await.unwrap();
    walk.told_once(EventType::BookingCreated, &again, ActorKind::Customer).await;
    let cancelled = bookings::cancel(core, &customer, again.id, any).await.unwrap();
    walk.told_once(EventType::BookingCancelled, &cancelled, ActorKind::Customer).await;

    let pending = walk.salon.book(&customer, asked, Some(first), tuesday("09:00")).await.unwrap();
    assert_eq!(pending.status, BookingStatus::Pending);
    walk.told_once(EventType::BookingCreated, &pending, ActorKind::Customer).await;
    let staff_link = Actor::StaffLink { booking_id: pending.id, user_id: None };
    let confirmed = bookings::confirm(core, &staff_link, pending.id, any).await.unwrap();
    walk.told_once(EventType::BookingConfirmed, &confirmed, ActorKind::Staff).await;
    let pending = walk.salon.book(&customer, asked, Some(first), tuesday("10:00")).await.unwrap();
    let declined = bookings::decline(core, &admin, pending.id, any).await.unwrap();
    let told = walk.told().await;
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[1], (EventType::BookingDeclined, 2, declined.status, ActorKind::Admin));

    let unanswered = walk.salon.book(&customer, asked, Some(first), tuesday("11:00")).await.unwrap();
    let attended = walk.salon.book(&customer, sure, Some(second), tuesday("11:00")).await.unwrap();
    assert_eq!(walk.told().await.len(), 2);
    walk.salon.clock.set(tuesday("11:00"));
    assert_eq!(bookings::expire_pending(core).await.unwrap(), 1);
    let expired = bookings::get(core, &admin, unanswered.id).await.unwrap();
    walk.told_once(EventType::BookingExpired, &expired, ActorKind::System).await;
    let missed = bookings::no_show(core, &admin, attended.id, any).await.unwrap();
    walk.told_once(EventType::BookingNoShow, &missed, ActorKind::Admin).await;
    let completed = bookings::complete(core, &admin, attended.id, any).await.unwrap();
    walk.told_once(EventType::BookingCompleted, &completed, ActorKind::Admin).await;
    // The one that was confirmed above is completed by the sweep.
    walk.salon.wait(TimeDelta::days(2));
    assert_eq!(bookings::complete_past(core).await.unwrap(), 1);
    let swept = bookings::get(core, &admin, confirmed.id).await.unwrap();
    walk.told_once(EventType::BookingCompleted, &swept, ActorKind::System).await;
}

#[tokio::test]
async fn an_event_shows_the_booking_as_it_was_then_also_after_later_moves() {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let customer = salon.customer().await;
    let booked = salon.book(&customer, service, None, tuesday("09:00")).await.unwrap();
    let (core, any) = (&salon.core, ExpectedRev::Any);
    for time in ["10:00", "12:00"] {
        bookings::reschedule(core, &customer, booked.id, any, Move::to(tuesday(time), None)).await.unwrap();
    }
    // The service is half as long by now, and staff move the booking to its terms.
    sqlx::query("UPDATE services SET duration_min = 30 WHERE id = $1")
        .bind(service)
        .execute(&core.pool)
        .await
        .unwrap();
    let renewed = Move { current_terms: true, ..Move::to(tuesday("12:00"), None) };
    bookings::reschedule(core, &salon.admin, booked.id, any, renewed).await.unwrap();
    bookings::cancel(core, &customer, booked.id, any).await.unwrap();
    until_readable(&core.pool).await;
    let size = PageSize::new(100).unwrap();
    let page = changes::list(&core.pool, Position::START, &[], size).await.unwrap();
    let places: Vec<_> = page
        .events
        .iter()
        .filter_map(|event| match &event.subject {
            Subject::Booking { booking, previous } => Some((
                booking.start.to_utc(),
                (booking.end - booking.start).num_minutes(),
                previous.as_ref().map(|place| place.start.to_utc()),
            )),
            _ => None,
        })
        .collect();
    let (nine, ten, noon) = (tuesday("09:00"), tuesday("10:00"), tuesday("12:00"));
    assert_eq!(
        places,
        [
            (nine, 60, None),
            (ten, 60, Some(nine)),
            (noon, 60, Some(ten)),
            (noon, 30, Some(noon)),
            (noon, 30, None)
        ]
    );
}
