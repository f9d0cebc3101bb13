//! One person is one customer: bookings by address, visibility, merging, correcting and erasing.

use punctual_core::bookings::{self, Booker, Booking, BookingStatus, NewBooking, NewHold, RequestedSlot};
use punctual_core::customers::{self, Contact, ListCustomers};
use punctual_core::types::{Actor, ExpectedRev, Locale, Phone, Zone};
use punctual_core::{Error, Result, privacy, settings};
use uuid::Uuid;

use super::salon::{Salon, booking_of, email, name, tuesday};

async fn open() -> (Salon, Uuid) {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let mut business = settings::get(&salon.core.pool).await.unwrap();
    business.guests_allowed = true;
    settings::put(&salon.core.pool, salon.core.now(), &business).await.unwrap();
    (salon, service)
}

fn contact(who: &str, phone: Option<&str>) -> Contact {
    let phone = phone.map(|phone| Phone::parse(phone).unwrap());
    Contact { email: Some(email("gina")), name: name(who), phone, locale: None, zone: None, separate: false }
}

async fn book(salon: &Salon, actor: &Actor, service: Uuid, time: &str, contact: Contact) -> Result<Booking> {
    let new = NewBooking { booker: Booker::Person(contact), ..booking_of(service, None, tuesday(time)) };
    bookings::create(&salon.core, actor, None, new).await.map(|answer| answer.value)
}

fn customer(booking: &Booking) -> Uuid {
    booking.customer.as_ref().unwrap().id
}

const ROWS: &str = "SELECT count(*) FROM customers WHERE erased_at IS NULL";

#[tokio::test]
async fn another_spelling_of_phone_language_or_zone_makes_no_second_customer() {
    let (salon, service) = open().await;
    let first = contact("Gina", Some("+49 30 1234567"));
    let second = Contact {
        locale: Some(Locale::De),
        zone: Some(Zone::parse("Europe/Paris").unwrap()),
        ..contact("Gina", Some("+49 (30) 123-4567"))
    };
    let first = book(&salon, &Actor::Guest, service, "09:00", first).await.unwrap();
    let second = book(&salon, &Actor::Guest, service, "10:00", second).await.unwrap();
    assert_eq!(customer(&first), customer(&second));
    assert_eq!(salon.count(ROWS).await, 1);
    // Staff may enter another person who shares the mailbox.
    let separate = Contact { separate: true, ..contact("Gino", None) };
    let refused = book(&salon, &Actor::Guest, service, "11:00", separate.clone()).await;
    assert!(matches!(refused, Err(Error::StaffOnly(_))), "{refused:?}");
    let other = book(&salon, &salon.admin, service, "11:00", separate).await.unwrap();
    assert_ne!(customer(&other), customer(&first));
}

#[tokio::test]
async fn whoever_gives_anothers_address_learns_and_changes_nothing_of_theirs() {
    let (salon, service) = open().await;
    let first = contact("Gina Lovelace", Some("+49 30 1234567"));
    let first = book(&salon, &Actor::Guest, service, "09:00", first).await.unwrap();
    let stranger = book(&salon, &Actor::Guest, service, "10:00", contact("G.", None)).await.unwrap();
    let shown = stranger.customer.clone().unwrap();
    assert_eq!((shown.name.unwrap().as_str(), shown.phone), ("G.", None));
    let kept = customers::get(&salon.core.pool, &salon.admin, customer(&first)).await.unwrap();
    assert_eq!(kept.name.unwrap().as_str(), "Gina Lovelace");
    assert_eq!(kept.phone.unwrap().as_str(), "+49 30 1234567");
    let again = bookings::get(&salon.core, &salon.admin, first.id).await.unwrap();
    assert_eq!(again.customer.unwrap().name.unwrap().as_str(), "Gina Lovelace");
}

/// A second row of the same address, as programs before made them.
async fn duplicate(salon: &Salon, service: Uuid, time: &str) -> (Uuid, Booking) {
    let separate = Contact { separate: true, ..contact("Gina L.", Some("030 55")) };
    let booking = book(salon, &salon.admin, service, time, separate).await.unwrap();
    let id = customer(&booking);
    sqlx::query("UPDATE customers SET separate = false WHERE id = $1")
        .bind(id)
        .execute(&salon.core.pool)
        .await
        .unwrap();
    (id, booking)
}

#[tokio::test]
async fn duplicates_are_merged_with_their_bookings() {
    let (salon, service) = open().await;
    let first = book(&salon, &Actor::Guest, service, "09:00", contact("Gina", None)).await.unwrap();
    let (duplicate, second) = duplicate(&salon, service, "10:00").await;
    let same = customers::merge(&salon.core, &salon.admin, duplicate, duplicate).await;
    assert!(matches!(same, Err(Error::Invalid { .. })), "{same:?}");
    let refused = customers::merge(&salon.core, &Actor::Guest, customer(&first), duplicate).await;
    assert!(matches!(refused, Err(Error::Forbidden)), "{refused:?}");
    let merged = customers::merge(&salon.core, &salon.admin, customer(&first), duplicate).await.unwrap();
    assert_eq!((merged.id, merged.name.unwrap().as_str()), (customer(&first), "Gina"));
    let moved = bookings::get(&salon.core, &salon.admin, second.id).await.unwrap().customer.unwrap();
    assert_eq!((moved.id, moved.name.unwrap().as_str()), (customer(&first), "Gina L."));
    assert_eq!(moved.phone.unwrap().as_str(), "030 55");
    assert_eq!(salon.count(ROWS).await, 1);
}

#[tokio::test]
async fn a_duplicate_that_asked_for_its_links_is_merged_and_the_mail_is_still_sent() {
    let (salon, service) = open().await;
    let first = book(&salon, &Actor::Guest, service, "09:00", contact("Gina", None)).await.unwrap();
    let (duplicate, _) = duplicate(&salon, service, "10:00").await;
    customers::mail_booking_links(&salon.core, email("gina")).await.unwrap();
    let asked = "SELECT count(*) FROM notifications WHERE kind = 'booking_links' AND outcome IS NULL";
    assert_eq!(salon.count(asked).await, 1);
    customers::merge(&salon.core, &salon.admin, customer(&first), duplicate).await.unwrap();
    assert_eq!(salon.count(asked).await, 1);
}

#[tokio::test]
async fn a_customer_with_an_account_is_not_merged_into_anothers() {
    let (salon, service) = open().await;
    let (one, other) = (salon.customer().await, salon.customer().await);
    let first = salon.book(&one, service, None, tuesday("09:00")).await.unwrap();
    let second = salon.book(&other, service, None, tuesday("10:00")).await.unwrap();
    let refused = customers::merge(&salon.core, &salon.admin, customer(&first), customer(&second)).await;
    assert!(matches!(refused, Err(Error::Invalid { .. })), "{refused:?}");
    let guest = book(&salon, &Actor::Guest, service, "11:00", contact("Gina", None)).await.unwrap();
    customers::merge(&salon.core, &salon.admin, customer(&first), customer(&guest)).await.unwrap();
    let now_own = bookings::get(&salon.core, &one, guest.id).await.unwrap();
    assert_eq!(customer(&now_own), customer(&first));
}

#[tokio::test]
async fn erasing_a_customer_erases_the_person_in_all_rows_and_on_all_bookings() {
    let (salon, service) = open().await;
    let first = book(&salon, &Actor::Guest, service, "09:00", contact("Gina", None)).await.unwrap();
    let named = book(&salon, &Actor::Guest, service, "11:00", contact("G. L.", None)).await.unwrap();
    let (_, second) = duplicate(&salon, service, "10:00").await;
    let standing = privacy::erase_customer(&salon.core, &salon.admin, customer(&first)).await;
    let Err(Error::HasBookings(ids)) = standing else { panic!("{standing:?}") };
    assert_eq!(ids, [first.id, second.id, named.id]);
    for booking in [&first, &second, &named] {
        bookings::cancel(&salon.core, &salon.admin, booking.id, ExpectedRev::Any).await.unwrap();
    }
    privacy::erase_customer(&salon.core, &salon.admin, customer(&first)).await.unwrap();
    assert_eq!(salon.count(ROWS).await, 0);
    let left = "SELECT count(*) FROM bookings WHERE contact_name IS NOT NULL OR contact_phone IS NOT NULL";
    assert_eq!(salon.count(left).await, 0);
}

#[tokio::test]
async fn a_corrected_address_gets_the_confirmation_and_old_links_end() {
    let (salon, service) = open().await;
    let booking = book(&salon, &Actor::Guest, service, "09:00", contact("Gina", None)).await.unwrap();
    sqlx::query(
        "UPDATE notifications SET outcome = 'sent', outcome_at = $1, accepted_at = $1 WHERE kind = 'confirmation'",
    )
    .bind(salon.core.now())
    .execute(&salon.core.pool)
    .await
    .unwrap();
    bookings::managed(&salon.core, booking.id, 0).await.unwrap();
    customers::correct(&salon.core, &salon.admin, customer(&booking), ExpectedRev::Any, &email("gina.l"))
        .await
        .unwrap();
    let to_new = "SELECT count(*) FROM notifications
                  WHERE kind = 'confirmation' AND outcome IS NULL AND recipient = 'gina.l@example.org'";
    assert_eq!(salon.count(to_new).await, 1);
    let reminders = "SELECT count(*) FROM notifications
                     WHERE kind = 'reminder' AND outcome IS NULL AND recipient = 'gina.l@example.org'";
    assert_eq!(salon.count(reminders).await, 1, "those planned go there as well");
    let void = bookings::managed(&salon.core, booking.id, 0).await;
    assert!(matches!(void, Err(Error::NotFound(_))), "{void:?}");
    bookings::managed(&salon.core, booking.id, 1).await.unwrap();
    // And whenever staff ask for it.
    bookings::send_confirmation(&salon.core, &salon.admin, booking.id).await.unwrap();
    assert_eq!(salon.count(to_new).await, 2);
    let refused = bookings::send_confirmation(&salon.core, &Actor::Guest, booking.id).await;
    assert!(matches!(refused, Err(Error::Forbidden)), "{refused:?}");
    bookings::cancel(&salon.core, &salon.admin, booking.id, ExpectedRev::Any).await.unwrap();
    let late = bookings::send_confirmation(&salon.core, &salon.admin, booking.id).await;
    assert!(matches!(late, Err(Error::NotResendable(_))), "{late:?}");
}

async fn hold(salon: &Salon, actor: &Actor, guest: &str, service: Uuid, time: &str) -> Result<Booking> {
    let slot = RequestedSlot { service_id: service, staff_id: None, start: tuesday(time), seats: 1 };
    let new = NewHold { slot, minutes: 10 };
    bookings::hold(&salon.core, actor, guest, None, new).await.map(|answer| answer.value)
}

#[tokio::test]
async fn a_hold_is_released_by_whoever_made_it_and_by_staff_only() {
    let (salon, service) = open().await;
    let (one, other) = (salon.customer().await, salon.customer().await);
    let held = hold(&salon, &one, "", service, "09:00").await.unwrap();
    for stranger in [other, Actor::Guest] {
        let refused = bookings::release_hold(&salon.core, &stranger, false, held.id).await;
        assert!(matches!(refused, Err(Error::NotFound("hold"))), "{refused:?}");
    }
    bookings::release_hold(&salon.core, &one, false, held.id).await.unwrap();
    bookings::release_hold(&salon.core, &salon.admin, false, held.id).await.unwrap();
    let released = bookings::get(&salon.core, &salon.admin, held.id).await.unwrap();
    assert_eq!(released.status, BookingStatus::Expired);
    let guests = hold(&salon, &Actor::Guest, "here", service, "09:00").await.unwrap();
    let refused = bookings::release_hold(&salon.core, &Actor::Guest, false, guests.id).await;
    assert!(matches!(refused, Err(Error::NotFound("hold"))), "{refused:?}");
    bookings::release_hold(&salon.core, &Actor::Guest, true, guests.id).await.unwrap();
    salon.book(&other, service, None, tuesday("09:00")).await.unwrap();
    let booked = salon.book(&one, service, None, tuesday("10:00")).await.unwrap();
    let refused = bookings::release_hold(&salon.core, &salon.admin, false, booked.id).await;
    assert!(matches!(refused, Err(Error::HoldExpired)), "{refused:?}");
}

#[tokio::test]
async fn nobody_holds_a_whole_day() {
    let (salon, service) = open().await;
    let times = ["09:00", "10:00", "11:00", "12:00"];
    let mut holds = Vec::new();
    for time in times {
        holds.push(hold(&salon, &Actor::Guest, "one place", service, time).await.unwrap());
    }
    let refused = hold(&salon, &Actor::Guest, "one place", service, "13:00").await;
    assert!(matches!(refused, Err(Error::TooManyHolds)), "{refused:?}");
    hold(&salon, &Actor::Guest, "another place", service, "13:00").await.unwrap();
    bookings::release_hold(&salon.core, &Actor::Guest, true, holds[0].id).await.unwrap();
    hold(&salon, &Actor::Guest, "one place", service, "14:00").await.unwrap();
    // The hold of an account is booked by that account only.
    let customer = salon.customer().await;
    let held = hold(&salon, &customer, "", service, "15:00").await.unwrap();
    let new = NewBooking {
        slot: bookings::SlotSource::Hold(held.id),
        booker: Booker::Person(contact("Gina", None)),
        ..booking_of(service, None, tuesday("15:00"))
    };
    let refused = bookings::create(&salon.core, &Actor::Guest, None, new).await;
    assert!(matches!(refused, Err(Error::HoldExpired)), "{refused:?}");
}

#[tokio::test]
async fn customers_are_found_by_words_in_any_order_without_accents_and_in_any_unicode_form() {
    let (salon, service) = open().await;
    // As a database before this release holds it: the decomposed form.
    let booking = book(&salon, &Actor::Guest, service, "09:00", contact("Max Muller", None)).await.unwrap();
    sqlx::query("UPDATE customers SET name = $1")
        .bind("Max Mu\u{308}ller")
        .execute(&salon.core.pool)
        .await
        .unwrap();
    for text in ["müller", "muller max", "MAX  MÜLLER", "Mu\u{308}l gina@", "max", ""] {
        let which = ListCustomers { search: text.to_owned(), ..ListCustomers::default() };
        let found = customers::search(&salon.core.pool, &salon.admin, &which).await.unwrap();
        let ids: Vec<_> = found.data.iter().map(|found| found.id).collect();
        assert_eq!(ids, [customer(&booking)], "{text:?}");
    }
    let which = ListCustomers { search: "max miller".to_owned(), ..ListCustomers::default() };
    let none = customers::search(&salon.core.pool, &salon.admin, &which).await.unwrap();
    assert_eq!(none.data, []);
}
