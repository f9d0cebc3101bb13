//! Concurrent requests for the same slots.

use futures::future::join_all;
use punctual_core::bookings::{self, Booking, BookingStatus, Move};
use punctual_core::types::{ExpectedRev, Rev};
use punctual_core::{Error, Result};

use super::salon::{Salon, tuesday};

/// Splits into what succeeded and how many found the slot taken; anything else is a failure of the test.
fn sorted_out(results: Vec<Result<Booking>>) -> (Vec<Booking>, usize) {
    let (mut booked, mut taken) = (Vec::new(), 0);
    for result in results {
        match result {
            Ok(booking) => booked.push(booking),
            Err(Error::SlotTaken { alternatives, .. }) => {
                assert_eq!(alternatives.len(), 3, "{alternatives:?}");
                taken += 1;
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    (booked, taken)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sixteen_who_want_one_slot_one_gets_it() {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let customers = salon.customers(16).await;
    let attempts = customers
        .iter()
        .map(|customer| salon.book(customer, service, Some(salon.staff[0]), tuesday("10:00")));
    let (booked, taken) = sorted_out(join_all(attempts).await);
    assert_eq!((booked.len(), taken), (1, 15));
    assert_eq!(salon.count("SELECT count(*) FROM bookings").await, 1);
    assert_eq!(salon.count("SELECT count(*) FROM booking_events").await, 1);
    assert_eq!(salon.count("SELECT count(*) FROM notifications WHERE kind = 'confirmation'").await, 1);
    assert_eq!(salon.count("SELECT count(*) FROM notifications WHERE kind = 'reminder'").await, 1);
    assert_eq!(salon.count("SELECT count(*) FROM queue.jobs").await, 1, "the reminder is not near");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sixteen_who_want_anyone_of_three_at_one_time_three_get_one_each() {
    let salon = Salon::open(3).await;
    let service = salon.service(|_| ()).await;
    let customers = salon.customers(16).await;
    let attempts = customers.iter().map(|customer| salon.book(customer, service, None, tuesday("10:00")));
    let (mut booked, taken) = sorted_out(join_all(attempts).await);
    assert_eq!((booked.len(), taken), (3, 13));
    booked.sort_by_key(|booking| booking.staff.id);
    assert_eq!(booked.iter().map(|booking| booking.staff.id).collect::<Vec<_>>(), salon.staff);
}

#[tokio::test]
async fn anyone_is_who_has_the_fewest_bookings_that_day() {
    let salon = Salon::open(2).await;
    let service = salon.service(|_| ()).await;
    let customer = salon.customer().await;
    let first = salon.book(&customer, service, None, tuesday("10:00")).await.unwrap();
    assert_eq!(first.staff.id, salon.staff[0], "of equals the first by id");
    let second = salon.book(&customer, service, None, tuesday("14:00")).await.unwrap();
    assert_eq!(second.staff.id, salon.staff[1], "the other has one already");
}

#[tokio::test(flavor = "multi_thread")]
async fn anyone_and_each_by_name_at_once_never_overlap_and_never_fail() {
    let salon = Salon::open(3).await;
    let service = salon.service(|_| ()).await;
    let customers = salon.customers(18).await;
    let attempts = customers.iter().enumerate().map(|(index, customer)| {
        let staff = [None, Some(salon.staff[index % 3])][index % 2];
        let start = tuesday(["10:00", "10:30", "11:00"][index % 3]);
        salon.book(customer, service, staff, start)
    });
    let results = join_all(attempts).await;
    assert!(
        results.iter().all(|result| matches!(result, Ok(_) | Err(Error::SlotTaken { .. }))),
        "{results:?}"
    );
    let overlaps = "SELECT count(*) FROM bookings a JOIN bookings b
                    ON a.id < b.id AND a.staff_id = b.staff_id AND a.during && b.during";
    assert_eq!(salon.count(overlaps).await, 0);
    let booked = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(salon.count("SELECT count(*) FROM bookings").await, i64::try_from(booked).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn moves_in_opposite_directions_between_two_calendars_all_succeed() {
    let salon = Salon::open(2).await;
    let service = salon.service(|_| ()).await;
    let customer = salon.customer().await;
    let mut standing = Vec::new();
    for (index, time) in
        ["09:00", "10:00", "11:00", "12:00", "13:00", "14:00", "15:00", "16:00"].iter().enumerate()
    {
        let staff = salon.staff[index % 2];
        standing.push(salon.book(&customer, service, Some(staff), tuesday(time)).await.unwrap());
    }
    for round in 2..=5 {
        let requests = standing.iter().map(|booking| {
            let other = salon.staff.iter().copied().find(|id| *id != booking.staff.id);
            let to = Move::to(booking.start.to_utc(), other);
            let expected = ExpectedRev::Exactly(booking.rev);
            bookings::reschedule(&salon.core, &customer, booking.id, expected, to)
        });
        let moved: Vec<Booking> = join_all(requests).await.into_iter().collect::<Result<_>>().unwrap();
        for (before, after) in standing.iter().zip(&moved) {
            assert_eq!((after.id, after.rev, after.start), (before.id, Rev(round), before.start));
            assert_ne!(after.staff.id, before.staff.id);
        }
        standing = moved;
    }
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(salon.count(deadlocks).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_change_one_booking_by_one_revision_one_succeeds() {
    let salon = Salon::open(2).await;
    let service = salon.service(|_| ()).await;
    let customer = salon.customer().await;
    let booking = salon.book(&customer, service, Some(salon.staff[0]), tuesday("10:00")).await.unwrap();
    let expected = ExpectedRev::Exactly(booking.rev);
    let to = Move::to(tuesday("15:00"), Some(salon.staff[1]));
    let (moved, cancelled) = tokio::join!(
        bookings::reschedule(&salon.core, &customer, booking.id, expected, to),
        bookings::cancel(&salon.core, &customer, booking.id, expected),
    );
    match (moved, cancelled) {
        (Ok(moved), Err(Error::RevMismatch { current })) => {
            assert_eq!((moved.rev, current), (Rev(2), Rev(2)));
        }
        (Err(Error::RevMismatch { current: Rev(2) }), Ok(cancelled)) => {
            assert_eq!((cancelled.rev, cancelled.status), (Rev(2), BookingStatus::Cancelled));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_class_of_two_seats_takes_two_of_three_and_no_other_service() {
    let salon = Salon::open(1).await;
    let class = salon.service(|spec| spec.capacity = 2).await;
    let other = salon.service(|_| ()).await;
    let customers = salon.customers(3).await;
    let attempts = customers.iter().map(|customer| salon.book(customer, class, None, tuesday("10:00")));
    let (mut booked, taken) = sorted_out(join_all(attempts).await);
    assert_eq!((booked.len(), taken), (2, 1));
    booked.sort_by_key(|booking| booking.seat_no);
    assert_eq!(booked.iter().map(|booking| booking.seat_no).collect::<Vec<_>>(), [1, 2]);
    let refused = salon.book(&customers[0], other, None, tuesday("10:00")).await;
    assert!(matches!(refused, Err(Error::SlotTaken { .. })), "{refused:?}");
    // A seat that is given back is the next to be taken.
    bookings::cancel(&salon.core, &salon.admin, booked[0].id, ExpectedRev::Any).await.unwrap();
    let again = salon.book(&customers[2], class, None, tuesday("10:00")).await.unwrap();
    assert_eq!(again.seat_no, 1);
}
