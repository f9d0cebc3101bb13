//! Holds and guests.

use chrono::TimeDelta;
use punctual_core::bookings::{self, Booker, BookingStatus, NewBooking, NewHold, RequestedSlot, SlotSource};
use punctual_core::customers::Contact;
use punctual_core::settings;
use punctual_core::types::{Actor, ExpectedRev, Rev};
use punctual_core::{Error, Result};
use uuid::Uuid;

use super::salon::{Salon, booking_of, email, name, tuesday};

async fn hold(salon: &Salon, actor: &Actor, service_id: Uuid, minutes: u32) -> Result<bookings::Booking> {
    let slot = RequestedSlot { service_id, staff_id: None, start: tuesday("10:00"), seats: 1 };
    let held = bookings::hold(&salon.core, actor, "somewhere", None, NewHold { slot, minutes }).await;
    held.map(|answer| answer.value)
}

fn of_hold(id: Uuid) -> NewBooking {
    NewBooking { slot: SlotSource::Hold(id), ..booking_of(Uuid::nil(), None, tuesday("10:00")) }
}

#[tokio::test]
async fn a_hold_keeps_its_slot_until_it_is_booked() {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let (one, other) = (salon.customer().await, salon.customer().await);
    let held = hold(&salon, &one, service, 10).await.unwrap();
    assert_eq!((held.status, held.customer.as_ref()), (BookingStatus::Held, None));
    let taken = salon.book(&other, service, None, tuesday("10:00")).await;
    assert!(matches!(taken, Err(Error::SlotTaken { .. })), "{taken:?}");
    let booked = bookings::create(&salon.core, &one, None, of_hold(held.id)).await.unwrap().value;
    assert_eq!((booked.id, booked.status, booked.rev), (held.id, BookingStatus::Confirmed, Rev(2)));
    assert_eq!(booked.hold_expires_at, None);
    let again = bookings::create(&salon.core, &other, None, of_hold(held.id)).await;
    assert!(matches!(again, Err(Error::HoldExpired)), "{again:?}");
}

#[tokio::test]
async fn a_hold_that_ran_out_blocks_nobody_even_before_the_leader_ends_it() {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let (one, other) = (salon.customer().await, salon.customer().await);
    let held = hold(&salon, &one, service, 10).await.unwrap();
    salon.wait(TimeDelta::minutes(10));
    let late = bookings::create(&salon.core, &one, None, of_hold(held.id)).await;
    assert!(matches!(late, Err(Error::HoldExpired)), "{late:?}");
    salon.book(&other, service, None, tuesday("10:00")).await.unwrap();
    let ended = bookings::get(&salon.core, &salon.admin, held.id).await.unwrap();
    assert_eq!((ended.status, ended.rev), (BookingStatus::Expired, Rev(2)));
    assert_eq!(bookings::expire_holds(&salon.core).await.unwrap(), 0);
}

#[tokio::test]
async fn the_leader_ends_holds_that_ran_out() {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let customer = salon.customer().await;
    hold(&salon, &customer, service, 1).await.unwrap();
    assert_eq!(bookings::expire_holds(&salon.core).await.unwrap(), 0);
    salon.wait(TimeDelta::minutes(1));
    assert_eq!(bookings::expire_holds(&salon.core).await.unwrap(), 1);
    let refused = hold(&salon, &customer, service, 11).await;
    assert!(matches!(refused, Err(Error::Invalid { pointer: "/minutes", .. })), "{refused:?}");
}

#[tokio::test]
async fn guests_book_only_where_they_may_and_one_address_is_one_customer() {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let guest = |time, who: &str| NewBooking {
        booker: Booker::Person(Contact {
            email: Some(email("gina")),
            name: name(who),
            phone: None,
            locale: None,
            zone: None,
            separate: false,
        }),
        ..booking_of(service, None, tuesday(time))
    };
    let refused = bookings::create(&salon.core, &Actor::Guest, None, guest("10:00", "Gina")).await;
    assert!(matches!(refused, Err(Error::LoginRequired)), "{refused:?}");
    let mut business = settings::get(&salon.core.pool).await.unwrap();
    business.guests_allowed = true;
    settings::put(&salon.core.pool, salon.core.now(), &business).await.unwrap();

    let create = async |new| bookings::create(&salon.core, &Actor::Guest, None, new).await.unwrap().value;
    let first = create(guest("10:00", "Gina")).await;
    let second = create(guest("11:00", "Gina")).await;
    let third = create(guest("12:00", "Somebody Else")).await;
    let customer = |booking: &bookings::Booking| booking.customer.as_ref().unwrap().id;
    assert_eq!(customer(&first), customer(&second));
    assert_eq!(customer(&first), customer(&third));

    // Without a link a guest sees nothing; with one, only this booking.
    let hidden = bookings::get(&salon.core, &Actor::Guest, first.id).await;
    assert!(matches!(hidden, Err(Error::NotFound("booking"))), "{hidden:?}");
    let link = Actor::Link { booking_id: first.id };
    assert!(bookings::get(&salon.core, &link, second.id).await.is_err());
    let cancelled = bookings::cancel(&salon.core, &link, first.id, ExpectedRev::Any).await.unwrap();
    assert_eq!(cancelled.status, BookingStatus::Cancelled);
}
