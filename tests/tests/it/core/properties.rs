//! Properties of random requests on a real database. Those of the calendar alone are tested in core.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use punctual_core::bookings::{
    self, Booking, BookingStatus, Move, NewBooking, NewHold, RequestedSlot, SlotSource,
};
use punctual_core::slots::{self, SlotQuery};
use punctual_core::types::{Actor, ExpectedRev};
use punctual_core::{Error, Result};
use punctual_sim::checker::{self, Observations};
use punctual_sim::dice::Dice;
use uuid::Uuid;

use super::salon::{Salon, booking_of, tuesday};

/// Starts on Tuesday that are offered, with whom.
async fn offered(salon: &Salon, service_id: Uuid) -> BTreeSet<(DateTime<Utc>, Uuid)> {
    let day = tuesday("12:00").date_naive();
    let query = SlotQuery { service_id, staff_id: None, from: day, to: day, seats: 1, exclude_booking: None };
    let list = slots::list(&salon.core, &query).await.unwrap();
    let slots = list.days.into_iter().flat_map(|day| day.slots);
    slots.flat_map(|slot| slot.staff_ids.into_iter().map(move |id| (slot.start.to_utc(), id))).collect()
}

/// Each quarter of an hour of a day, with each member of staff, is asked for as a booking: what is refused was not offered
/// at that instant, and what is booked was. Calendars fill up on the way.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_offered_is_booked_and_what_is_not_is_refused() {
    let mut dice = Dice::new(20_270_504);
    for _ in 0..3 {
        let salon = Salon::open(2).await;
        let customer = salon.customer().await;
        let mut services = Vec::new();
        for capacity in [1, 1, 3] {
            let minutes = |dice: &mut Dice, most: usize| u32::try_from(dice.index(most) * 5).unwrap();
            let (duration, step) = (minutes(&mut dice, 8) + 15, [15, 30][dice.index(2)]);
            let (before, after, notice) =
                (minutes(&mut dice, 4), minutes(&mut dice, 5), minutes(&mut dice, 40));
            let service = salon.service(|spec| {
                spec.duration_min = duration;
                spec.slot_step_min = step;
                (spec.buffer_before_min, spec.buffer_after_min) = (before, after);
                (spec.min_notice_min, spec.capacity) = (notice, capacity);
            });
            services.push(service.await);
        }
        salon.clock.set(tuesday("07:30"));
        let (mut booked, mut refused) = (0, 0);
        for quarter in 0..48 {
            let start = tuesday("08:00") + TimeDelta::minutes(quarter * 15);
            for staff_id in salon.staff.clone() {
                let service = *dice.pick(&services).unwrap();
                let was_offered = offered(&salon, service).await.contains(&(start, staff_id));
                match salon.book(&customer, service, Some(staff_id), start).await {
                    Ok(_) if was_offered => booked += 1,
                    Err(Error::SlotTaken { .. } | Error::OutsideHours | Error::OffGrid | Error::TooSoon)
                        if !was_offered =>
                    {
                        refused += 1;
                    }
                    other => panic!("offered: {was_offered}, {other:?}"),
                }
            }
        }
        assert!(booked >= 5 && refused >= 5, "{booked} booked, {refused} refused");
        // All remaining offered starts can be booked.
        while let Some((start, staff_id)) = offered(&salon, services[0]).await.first().copied() {
            salon.book(&customer, services[0], Some(staff_id), start).await.unwrap();
        }
    }
}

/// One of sixteen who do what comes to their mind, to bookings that are all theirs.
async fn doer(salon: &Salon, services: &[Uuid], mut dice: Dice, shared: &tokio::sync::Mutex<Vec<Booking>>) {
    let customer = salon.customer().await;
    for _ in 0..24 {
        let service_id = *dice.pick(services).unwrap();
        let start = tuesday("09:00") + TimeDelta::minutes(i64::try_from(dice.index(18)).unwrap() * 30);
        let staff_id = dice.pick(&salon.staff).copied().filter(|_| dice.below(2) == 0);
        let slot = RequestedSlot { service_id, staff_id, start, seats: 1 };
        let known = { dice.pick(&shared.lock().await).cloned() };
        let actor = if dice.below(3) == 0 { &salon.admin } else { &customer };
        let done = match (dice.below(8), known) {
            (0, Some(booking)) => {
                bookings::cancel(&salon.core, &salon.admin, booking.id, ExpectedRev::Any).await
            }
            (1, Some(booking)) => {
                let expected = ExpectedRev::Exactly(booking.rev);
                bookings::cancel(&salon.core, &salon.admin, booking.id, expected).await
            }
            (2 | 3, Some(booking)) => {
                let to = Move { overriding: dice.below(4) == 0, ..Move::to(start, staff_id) };
                bookings::reschedule(&salon.core, &salon.admin, booking.id, ExpectedRev::Any, to).await
            }
            (4, Some(booking)) => {
                bookings::confirm(&salon.core, &salon.admin, booking.id, ExpectedRev::Any).await
            }
            (5, _) => hold_and_book(salon, &customer, slot).await,
            _ => salon.book(actor, slot.service_id, slot.staff_id, slot.start).await,
        };
        match done {
            Ok(booking) => shared.lock().await.push(booking),
            Err(
                Error::SlotTaken { .. }
                | Error::InvalidTransition { .. }
                | Error::RevMismatch { .. }
                | Error::OffGrid
                | Error::OutsideHours
                | Error::NotFound(_)
                | Error::Overloaded { .. },
            ) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
}

async fn hold_and_book(salon: &Salon, customer: &Actor, slot: RequestedSlot) -> Result<Booking> {
    let wish = NewHold { slot, minutes: 5 };
    let held = bookings::hold(&salon.core, customer, "somewhere", None, wish).await?.value;
    let wish =
        NewBooking { slot: SlotSource::Hold(held.id), ..booking_of(Uuid::nil(), None, tuesday("09:00")) };
    bookings::create(&salon.core, customer, None, wish).await.map(|answer| answer.value)
}

#[tokio::test(flavor = "multi_thread")]
async fn after_random_deeds_of_sixteen_at_once_nothing_overlaps_and_reminders_are_those_of_what_stands() {
    let salon = Salon::open(3).await;
    let services = [
        salon.service(|_| ()).await,
        salon.service(|spec| (spec.duration_min, spec.buffer_after_min) = (90, 15)).await,
        salon.service(|spec| spec.capacity = 3).await,
        salon.service(|spec| spec.requires_confirmation = true).await,
    ];
    let shared = tokio::sync::Mutex::new(Vec::new());
    let mut dice = Dice::new(16);
    let doers = (0..16).map(|_| doer(&salon, &services, dice.fork(), &shared));
    join_all(doers.collect::<Vec<_>>()).await;
    let seen = Observations {
        journal: &[],
        acknowledged: &[],
        now: salon.core.now(),
        settled: false,
        one_clock: true,
    };
    let report = checker::check(&salon.core.pool, &seen).await.unwrap();
    assert!(report.violations.is_empty(), "{report}");
    let standing = "SELECT count(*) FROM bookings WHERE status = 'confirmed'";
    let reminded =
        "SELECT count(DISTINCT booking_id) FROM notifications WHERE kind = 'reminder' AND outcome IS NULL";
    let (standing, reminded) = (salon.count(standing).await, salon.count(reminded).await);
    assert!(standing >= 10, "{standing} stand");
    assert_eq!(standing, reminded, "a reminder waits for each that stands, and for no other");
    assert!(shared.lock().await.iter().any(|booking| booking.status == BookingStatus::Cancelled));
}
