//! Several seats of a class in one booking.

use chrono::TimeDelta;
use futures::future::join_all;
use punctual_core::bookings::{
    self, Booking, BookingPatch, Move, NewBooking, NewHold, RequestedSlot, SlotSource,
};
use punctual_core::calendar::local_date;
use punctual_core::hours::StrandedReason;
use punctual_core::services::{self, ServicePatch};
use punctual_core::slots::{self, SlotQuery};
use punctual_core::types::{Actor, ExpectedRev, PageSize, Zone};
use punctual_core::{Core, Error, Result, hours};
use uuid::Uuid;

use super::salon::{Salon, booking_of, tuesday};

fn wanted(service_id: Uuid, seats: u32, time: &str) -> NewBooking {
    let slot = RequestedSlot { service_id, staff_id: None, start: tuesday(time), seats };
    NewBooking { slot: SlotSource::Slot(slot), ..booking_of(service_id, None, tuesday(time)) }
}

async fn book(core: &Core, actor: &Actor, service_id: Uuid, seats: u32, time: &str) -> Result<Booking> {
    bookings::create(core, actor, None, wanted(service_id, seats, time)).await.map(|answer| answer.value)
}

/// Seats left at each start of the Tuesday that has so many.
async fn offered(salon: &Salon, service_id: Uuid, seats: u32) -> Vec<(String, u32)> {
    let date = local_date(Zone::parse("Europe/Berlin").unwrap(), tuesday("10:00"));
    let query = SlotQuery { service_id, staff_id: None, from: date, to: date, seats, exclude_booking: None };
    let list = slots::list(&salon.core, &query).await.unwrap();
    let slots = list.days.into_iter().flat_map(|day| day.slots);
    slots.map(|slot| (slot.start.format("%H:%M").to_string(), slot.seats_left)).collect()
}

const SEATS_SOLD_TWICE: &str = "SELECT count(*) FROM (
    SELECT FROM bookings
    CROSS JOIN LATERAL unnest(coalesce(all_seats, int4multirange(int4range(seat_no, seat_no, '[]')))) AS part
    CROSS JOIN LATERAL generate_series(lower(part), upper(part) - 1) AS seat
    WHERE blocks GROUP BY class_id, seat HAVING count(*) > 1) AS twice";

#[tokio::test(flavor = "multi_thread")]
async fn no_seat_is_sold_twice_by_three_processes_and_mixed_numbers() {
    let salon = Salon::open(1).await;
    let class = salon.service(|spec| spec.capacity = 20).await;
    let cores = [salon.core.clone(), salon.second_process(3), salon.second_process(3)];
    let customers = salon.customers(60).await;
    let attempts = customers.iter().enumerate().map(|(number, customer)| {
        let seats = [1, 2, 3, 5][number % 4];
        book(&cores[number % 3], customer, class, seats, "10:00")
    });
    let results = join_all(attempts).await;
    let mut sold = 0;
    for result in results {
        match result {
            Ok(booking) => sold += booking.seats,
            Err(Error::SlotTaken { alternatives, .. }) => assert!(!alternatives.is_empty()),
            Err(other) => panic!("{other:?}"),
        }
    }
    // Single seats fill what larger parties leave.
    assert_eq!(sold, 20);
    assert_eq!(salon.count("SELECT sum(seats)::bigint FROM bookings WHERE blocks").await, 20);
    assert_eq!(salon.count(SEATS_SOLD_TWICE).await, 0);
    let one_more = sqlx::query(
        "UPDATE bookings SET seats = 2, all_seats = '{[1,2],[20,20]}'
         WHERE id = (SELECT id FROM bookings WHERE seats = 1 AND seat_no > 1 LIMIT 1)",
    );
    let refused = one_more.execute(&salon.core.pool).await.unwrap_err();
    assert!(refused.to_string().contains("bookings_seats"), "the database refuses it too: {refused}");
}

#[tokio::test]
async fn three_seats_cost_three_times_the_price_and_are_offered_only_where_they_are_free() {
    let salon = Salon::open(1).await;
    let class = salon.service(|spec| spec.capacity = 4).await;
    let customer = salon.customer().await;
    let booking = book(&salon.core, &customer, class, 3, "10:00").await.unwrap();
    assert_eq!((booking.seats, booking.seat_no, booking.service.price.minor), (3, 1, 13_500));
    assert!(offered(&salon, class, 1).await.contains(&("10:00".to_owned(), 1)));
    let for_two = offered(&salon, class, 2).await;
    assert!(!for_two.iter().any(|(time, _)| time == "10:00"), "{for_two:?}");
    let refused = book(&salon.core, &customer, class, 2, "10:00").await;
    assert!(matches!(refused, Err(Error::SlotTaken { alternatives, .. }) if !alternatives.is_empty()));
    let too_many = book(&salon.core, &customer, class, 5, "11:00").await;
    assert!(matches!(too_many, Err(Error::Invalid { pointer: "/seats", .. })), "{too_many:?}");
    let haircut = salon.service(|_| ()).await;
    let two = book(&salon.core, &customer, haircut, 2, "15:00").await;
    assert!(matches!(two, Err(Error::Invalid { pointer: "/seats", .. })), "{two:?}");
}

#[tokio::test]
async fn a_party_takes_the_seats_that_others_left_between_them_and_moves_as_a_whole() {
    let salon = Salon::open(1).await;
    let class = salon.service(|spec| spec.capacity = 4).await;
    let customers = salon.customers(4).await;
    let mut singles = Vec::new();
    for customer in &customers {
        singles.push(book(&salon.core, customer, class, 1, "10:00").await.unwrap());
    }
    for single in [&singles[0], &singles[2]] {
        bookings::cancel(&salon.core, &salon.admin, single.id, ExpectedRev::Any).await.unwrap();
    }
    let party = book(&salon.core, &customers[0], class, 2, "10:00").await.unwrap();
    let seats = "SELECT count(*) FROM bookings WHERE seats = 2 AND all_seats = '{[1,1],[3,3]}'";
    assert_eq!((party.seat_no, salon.count(seats).await), (1, 1));
    let other = book(&salon.core, &customers[1], class, 3, "14:00").await.unwrap();
    let move_to = |time| Move::to(tuesday(time), None);
    let refused =
        bookings::reschedule(&salon.core, &salon.admin, party.id, ExpectedRev::Any, move_to("14:00")).await;
    assert!(matches!(refused, Err(Error::SlotTaken { .. })), "{refused:?}");
    bookings::cancel(&salon.core, &salon.admin, other.id, ExpectedRev::Any).await.unwrap();
    let moved = bookings::reschedule(&salon.core, &salon.admin, party.id, ExpectedRev::Any, move_to("14:00"));
    let moved = moved.await.unwrap();
    assert_eq!((moved.seats, moved.seat_no, moved.service.price), (2, 1, party.service.price));
    assert_eq!(salon.count(SEATS_SOLD_TWICE).await, 0);
}

#[tokio::test]
async fn staff_change_the_number_of_seats_at_the_promised_price_of_one() {
    let salon = Salon::open(1).await;
    let class = salon.service(|spec| spec.capacity = 4).await;
    let customers = salon.customers(2).await;
    let party = book(&salon.core, &customers[0], class, 2, "10:00").await.unwrap();
    book(&salon.core, &customers[1], class, 1, "10:00").await.unwrap();
    let dearer = ServicePatch { price_minor: Some(9000), ..ServicePatch::default() };
    services::update(&salon.core, class, ExpectedRev::Any, dearer).await.unwrap();
    let patch = |seats| BookingPatch { seats: Some(seats), ..BookingPatch::default() };
    let change =
        |seats| bookings::update(&salon.core, &salon.admin, party.id, ExpectedRev::Any, patch(seats));
    let three = change(3).await.unwrap();
    assert_eq!((three.seats, three.service.price.minor), (3, 13_500));
    assert!(matches!(change(4).await, Err(Error::SlotTaken { .. })));
    assert!(matches!(change(5).await, Err(Error::Invalid { pointer: "/seats", .. })));
    let one = change(1).await.unwrap();
    assert_eq!((one.seats, one.service.price.minor), (1, 4500));
    assert_eq!(salon.count("SELECT count(*) FROM bookings WHERE all_seats IS NOT NULL").await, 0);
    let events = bookings::events(&salon.core, &salon.admin, party.id).await.unwrap();
    assert_eq!(
        events.iter().map(|event| event.details.seats).collect::<Vec<_>>(),
        [Some(2), Some(3), Some(1)]
    );
}

#[tokio::test]
async fn a_hold_of_seats_keeps_them_and_a_lowered_capacity_strands_the_later_party() {
    let salon = Salon::open(1).await;
    let class = salon.service(|spec| spec.capacity = 5).await;
    let customers = salon.customers(3).await;
    let slot = RequestedSlot { service_id: class, staff_id: None, start: tuesday("10:00"), seats: 2 };
    let new = NewHold { slot, minutes: 10 };
    let held = bookings::hold(&salon.core, &customers[0], "", None, new).await.unwrap().value;
    let refused = book(&salon.core, &customers[1], class, 4, "10:00").await;
    assert!(matches!(refused, Err(Error::SlotTaken { .. })), "{refused:?}");
    salon.wait(TimeDelta::minutes(1));
    let later = book(&salon.core, &customers[1], class, 2, "10:00").await.unwrap();
    let from_hold = NewBooking { slot: SlotSource::Hold(held.id), ..wanted(class, 1, "10:00") };
    let booked = bookings::create(&salon.core, &customers[0], None, from_hold).await.unwrap().value;
    assert_eq!((booked.seats, booked.service.price.minor), (2, 9000));
    let smaller = ServicePatch { capacity: Some(3), ..ServicePatch::default() };
    let changed = services::update(&salon.core, class, ExpectedRev::Any, smaller).await.unwrap();
    assert_eq!(changed.stranded.iter().map(|booking| booking.booking_id).collect::<Vec<_>>(), [later.id]);
    let listed = hours::list_stranded(&salon.core, &salon.admin, PageSize::default(), None).await.unwrap();
    assert_eq!(listed.data[0].reasons, [StrandedReason::OverCapacity]);
}
