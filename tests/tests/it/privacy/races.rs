//! Erasure during a booking.

use futures::future::join_all;
use punctual_core::bookings::{self, Booker};
use punctual_core::{Error, privacy};

use crate::core::salon::{Salon, booking_of, tuesday};

const TIMES: [&str; 8] = ["09:00", "10:00", "11:00", "12:00", "13:00", "14:00", "15:00", "16:00"];

/// Either the booking commits first and the customer stays, or the customer is erased and there is no booking.
#[tokio::test(flavor = "multi_thread")]
async fn no_booking_stands_for_somebody_who_was_erased_at_the_same_moment() {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let attempts = TIMES.map(async |time| {
        // A customer without a future appointment.
        let customer = salon.customer().await;
        let first = salon.book(&customer, service, None, tuesday("17:00")).await;
        let first = match first {
            Ok(booking) => booking,
            Err(other) => panic!("{other:?}"),
        };
        bookings::cancel(&salon.core, &customer, first.id, punctual_core::types::ExpectedRev::Any)
            .await
            .unwrap();
        (time, first.customer.unwrap().id)
    });
    let mut on_file = Vec::new();
    for attempt in attempts {
        on_file.push(attempt.await);
    }
    let outcomes = join_all(on_file.iter().map(async |(time, id)| {
        let mut wish = booking_of(service, None, tuesday(time));
        wish.booker = Booker::Customer(*id);
        tokio::join!(
            bookings::create(&salon.core, &salon.admin, None, wish),
            privacy::erase_customer(&salon.core, &salon.admin, *id),
        )
    }))
    .await;
    for (booked, erased) in outcomes {
        match (&booked, &erased) {
            (Ok(_), Err(Error::HasBookings(_))) | (Err(Error::NotFound("customer")), Ok(())) => {}
            other => panic!("{other:?}"),
        }
    }
    let standing = "SELECT count(*) FROM bookings AS b JOIN customers AS c ON c.id = b.customer_id
                    WHERE b.blocks AND c.erased_at IS NOT NULL";
    assert_eq!(salon.count(standing).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_booking_stands_for_an_account_that_is_deleted_at_the_same_moment() {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let customers = salon.customers(TIMES.len()).await;
    let outcomes = join_all(customers.iter().zip(TIMES).map(async |(customer, time)| {
        tokio::join!(
            salon.book(customer, service, None, tuesday(time)),
            privacy::delete_account(&salon.core, customer.user_id().unwrap()),
        )
    }))
    .await;
    for (booked, deleted) in outcomes {
        match (&booked, &deleted) {
            (Ok(_), Err(Error::HasBookings(_))) | (Err(Error::SessionEnded), Ok(())) => {}
            other => panic!("{other:?}"),
        }
    }
    let orphans = "SELECT count(*) FROM bookings AS b JOIN customers AS c ON c.id = b.customer_id
                   WHERE b.blocks AND c.user_id IS NULL";
    assert_eq!(salon.count(orphans).await, 0);
}
