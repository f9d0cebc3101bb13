//! Bookings whose service, calendar or member of staff changed after they were made.

use chrono::{NaiveDate, TimeDelta, Utc};
use futures::future::join_all;
use punctual_core::bookings::{
    self, Booking, BookingStatus, Move, NewBooking, NewHold, RequestedSlot, SlotSource, StaffMessage,
};
use punctual_core::calendar::Span;
use punctual_core::hours::{self, Closure, NewTimeOff, StrandedReason};
use punctual_core::services::{self, ServicePatch};
use punctual_core::settings::{self, BusinessPatch};
use punctual_core::slots::{self, SlotQuery};
use punctual_core::staff::{self, StaffPatch};
use punctual_core::types::{Actor, Currency, ExpectedRev, Label, Note, PageSize, Reason, Zone};
use punctual_core::{Error, Result, feeds};
use uuid::Uuid;

use super::salon::{Salon, booking_of, email, tuesday};

const DAY: &str = "2027-05-04";

fn date() -> NaiveDate {
    DAY.parse().unwrap()
}

async fn hold(salon: &Salon, actor: &Actor, service_id: Uuid, time: &str) -> Booking {
    let slot = RequestedSlot { service_id, staff_id: None, start: tuesday(time), seats: 1 };
    let new = NewHold { slot, minutes: 10 };
    bookings::hold(&salon.core, actor, "somewhere", None, new).await.unwrap().value
}

async fn book_hold(salon: &Salon, actor: &Actor, hold: &Booking, overriding: bool) -> Result<Booking> {
    let new = booking_of(Uuid::nil(), None, tuesday("10:00"));
    let new = NewBooking { slot: SlotSource::Hold(hold.id), overriding, ..new };
    bookings::create(&salon.core, actor, None, new).await.map(|answer| answer.value)
}

async fn change_service(salon: &Salon, service_id: Uuid, patch: ServicePatch) -> Vec<Uuid> {
    let changed = services::update(&salon.core, service_id, ExpectedRev::Any, patch).await.unwrap();
    changed.stranded.into_iter().map(|booking| booking.booking_id).collect()
}

async fn change_staff(salon: &Salon, staff_id: Uuid, active: bool) {
    let patch = StaffPatch { active: Some(active), ..StaffPatch::default() };
    staff::update(&salon.core, staff_id, ExpectedRev::Any, patch).await.unwrap();
}

fn minutes(booking: &Booking) -> i64 {
    (booking.end - booking.start).num_minutes()
}

#[tokio::test]
async fn a_move_keeps_name_duration_price_and_buffers_as_they_were_promised() {
    let salon = Salon::open(2).await;
    let service = salon
        .service(|spec| {
            spec.duration_min = 30;
            spec.price_minor = 1000;
            spec.buffer_after_min = 15;
        })
        .await;
    let customer = salon.customer().await;
    let booking = salon.book(&customer, service, Some(salon.staff[0]), tuesday("10:00")).await.unwrap();
    let patch = ServicePatch {
        name: Some(Label::parse("Haircut deluxe").unwrap()),
        duration_min: Some(90),
        price_minor: Some(3000),
        buffer_after_min: Some(60),
        ..ServicePatch::default()
    };
    assert_eq!(change_service(&salon, service, patch).await, Vec::<Uuid>::new());

    let query = SlotQuery {
        service_id: service,
        staff_id: None,
        from: date(),
        to: date(),
        seats: 1,
        exclude_booking: Some(booking.id),
    };
    let offered = slots::list(&salon.core, &query).await.unwrap().days.remove(0).slots;
    assert!(offered.iter().all(|slot| (slot.end - slot.start).num_minutes() == 30), "{offered:?}");

    let to = Move::to(tuesday("14:00"), None);
    let moved = bookings::reschedule(&salon.core, &customer, booking.id, ExpectedRev::Any, to).await.unwrap();
    assert_eq!((minutes(&moved), &moved.service), (30, &booking.service));
    // To a colleague at the same time.
    let to = Move::to(tuesday("14:00"), Some(salon.staff[1]));
    let handed =
        bookings::reschedule(&salon.core, &salon.admin, booking.id, ExpectedRev::Any, to).await.unwrap();
    assert_eq!((minutes(&handed), &handed.service), (30, &booking.service));
    let blocked = "SELECT (extract(epoch FROM upper(blocked) - lower(blocked)) / 60)::bigint FROM bookings";
    assert_eq!(salon.count(blocked).await, 45, "the buffer of then");

    let to = Move { current_terms: true, ..Move::to(tuesday("14:00"), None) };
    let refused =
        bookings::reschedule(&salon.core, &customer, booking.id, ExpectedRev::Any, to.clone()).await;
    assert!(matches!(refused, Err(Error::StaffOnly(_))), "{refused:?}");
    let renewed =
        bookings::reschedule(&salon.core, &salon.admin, booking.id, ExpectedRev::Any, to).await.unwrap();
    assert_eq!((minutes(&renewed), renewed.service.name.as_str()), (90, "Haircut deluxe"));
    assert_eq!((renewed.service.price.minor, renewed.service.duration_min), (3000, 90));
    assert_eq!(salon.count(blocked).await, 150, "the buffer of now");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_that_others_move_between_staff_is_found_all_the_same() {
    let salon = Salon::open(4).await;
    let service = salon.service(|_| ()).await;
    let customer = salon.customer().await;
    let booking = salon.book(&customer, service, Some(salon.staff[0]), tuesday("10:00")).await.unwrap();
    let movers = (0..8).map(|mover| {
        let salon = &salon;
        async move {
            for round in 0..12_usize {
                let to = Move::to(tuesday("10:00"), Some(salon.staff[(mover + round) % salon.staff.len()]));
                let moved =
                    bookings::reschedule(&salon.core, &salon.admin, booking.id, ExpectedRev::Any, to).await;
                assert!(moved.is_ok(), "mover {mover}, round {round}: {moved:?}");
            }
        }
    });
    join_all(movers).await;
    let cancelled = bookings::cancel(&salon.core, &customer, booking.id, ExpectedRev::Any).await.unwrap();
    assert_eq!(cancelled.status, BookingStatus::Cancelled);
}

#[tokio::test]
async fn a_hold_books_nothing_that_was_closed_after_it_was_made() {
    let salon = Salon::open(2).await;
    let service = salon.service(|_| ()).await;
    let customer = salon.customer().await;
    let held = hold(&salon, &customer, service, "10:00").await;
    let (keeper, other) = (held.staff.id, *salon.staff.iter().find(|id| **id != held.staff.id).unwrap());

    let during = Span::new(tuesday("09:00"), tuesday("12:00")).unwrap();
    let new = NewTimeOff { during, reason: Reason::default() };
    let away = hours::add_time_off(&salon.core, &salon.admin, None, keeper, new).await.unwrap().value;
    let stranded: Vec<_> = away.stranded.iter().map(|booking| (booking.booking_id, booking.status)).collect();
    assert_eq!(stranded, [(held.id, BookingStatus::Held)]);
    let refused = book_hold(&salon, &customer, &held, false).await;
    assert!(matches!(refused, Err(Error::OutsideHours)), "time off: {refused:?}");
    hours::remove_time_off(&salon.core, &salon.admin, keeper, away.value.id).await.unwrap();

    hours::close(&salon.core, Closure::of_day(date(), Reason::default())).await.unwrap();
    let refused = book_hold(&salon, &customer, &held, false).await;
    assert!(matches!(refused, Err(Error::OutsideHours)), "closure: {refused:?}");
    hours::reopen(&salon.core, date()).await.unwrap();

    change_staff(&salon, keeper, false).await;
    let refused = book_hold(&salon, &customer, &held, false).await;
    let Err(Error::SlotTaken { alternatives, .. }) = refused else { panic!("staff left: {refused:?}") };
    assert!(alternatives.iter().all(|slot| slot.staff_ids == [other]), "{alternatives:?}");
    change_staff(&salon, keeper, true).await;

    let only_other = ServicePatch { staff_ids: Some(vec![other]), ..ServicePatch::default() };
    assert_eq!(change_service(&salon, service, only_other).await, [held.id]);
    let refused = book_hold(&salon, &customer, &held, false).await;
    assert!(matches!(refused, Err(Error::SlotTaken { .. })), "off the service: {refused:?}");
    let both = ServicePatch { staff_ids: Some(salon.staff.clone()), ..ServicePatch::default() };
    change_service(&salon, service, both).await;

    let inactive = ServicePatch { active: Some(false), ..ServicePatch::default() };
    assert_eq!(change_service(&salon, service, inactive).await, [held.id]);
    let refused = book_hold(&salon, &customer, &held, false).await;
    assert!(matches!(refused, Err(Error::NotFound("service"))), "service inactive: {refused:?}");
    let active = ServicePatch { active: Some(true), ..ServicePatch::default() };
    change_service(&salon, service, active).await;

    // As it was when the hold was made.
    let booked = book_hold(&salon, &customer, &held, false).await.unwrap();
    assert_eq!((booked.id, booked.status), (held.id, BookingStatus::Confirmed));
}

#[tokio::test]
async fn a_hold_beyond_a_lowered_capacity_books_no_seat() {
    let salon = Salon::open(1).await;
    let service = salon.service(|spec| spec.capacity = 2).await;
    let (one, other) = (salon.customer().await, salon.customer().await);
    let first = hold(&salon, &one, service, "10:00").await;
    salon.wait(TimeDelta::seconds(1));
    let second = hold(&salon, &other, service, "10:00").await;
    let lowered = ServicePatch { capacity: Some(1), ..ServicePatch::default() };
    assert_eq!(change_service(&salon, service, lowered).await, [second.id]);
    let refused = book_hold(&salon, &other, &second, false).await;
    assert!(matches!(refused, Err(Error::SlotTaken { .. })), "{refused:?}");
    book_hold(&salon, &one, &first, false).await.unwrap();
}

#[tokio::test]
async fn a_request_is_not_confirmed_at_a_time_that_was_closed_since_unless_staff_say_so() {
    let salon = Salon::open(1).await;
    let service = salon.service(|spec| spec.requires_confirmation = true).await;
    let customer = salon.customer().await;
    let booking = salon.book(&customer, service, None, tuesday("10:00")).await.unwrap();
    assert_eq!(booking.status, BookingStatus::Pending);
    hours::close(&salon.core, Closure::of_day(date(), Reason::default())).await.unwrap();
    let refused = bookings::confirm(&salon.core, &salon.admin, booking.id, ExpectedRev::Any).await;
    assert!(matches!(refused, Err(Error::OutsideHours)), "{refused:?}");
    let confirmed =
        bookings::confirm_overriding(&salon.core, &salon.admin, booking.id, ExpectedRev::Any).await.unwrap();
    assert_eq!(confirmed.status, BookingStatus::Confirmed);
    let events = bookings::events(&salon.core, &salon.admin, booking.id).await.unwrap();
    assert_eq!(events.iter().map(|event| event.overridden).collect::<Vec<_>>(), [false, true]);
}

#[tokio::test]
async fn stranded_bookings_can_be_listed_at_any_time_with_their_reasons() {
    let salon = Salon::open(2).await;
    let service = salon.service(|_| ()).await;
    let customer = salon.customer().await;
    let early = salon.book(&customer, service, Some(salon.staff[0]), tuesday("09:00")).await.unwrap();
    let noon = salon.book(&customer, service, Some(salon.staff[1]), tuesday("12:00")).await.unwrap();
    let list = async || {
        let page = hours::list_stranded(&salon.core, &salon.admin, PageSize::default(), None).await.unwrap();
        let listed = page.data.into_iter().map(|booking| (booking.booking_id, booking.reasons));
        listed.collect::<Vec<_>>()
    };
    assert_eq!(list().await, []);
    // In London nine o'clock is ten in Berlin: what starts at nine in Berlin is too early now.
    let zone = Some(Zone::parse("Europe/London").unwrap());
    let changed =
        settings::update(&salon.core, ExpectedRev::Any, BusinessPatch { zone, ..BusinessPatch::default() })
            .await
            .unwrap();
    assert_eq!(changed.stranded.len(), 1);
    assert_eq!(list().await, [(early.id, vec![StrandedReason::OutsideHours])]);
    change_staff(&salon, salon.staff[1], false).await;
    let both =
        [(early.id, vec![StrandedReason::OutsideHours]), (noon.id, vec![StrandedReason::StaffInactive])];
    assert_eq!(list().await, both);
    // By pages of one.
    let one = PageSize::new(1).unwrap();
    let first = hours::list_stranded(&salon.core, &salon.admin, one, None).await.unwrap();
    let second = hours::list_stranded(&salon.core, &salon.admin, one, first.next_cursor).await.unwrap();
    let ids: Vec<_> = first.data.iter().chain(&second.data).map(|booking| booking.booking_id).collect();
    assert_eq!((ids, second.next_cursor), (vec![early.id, noon.id], None));
    let refused = hours::list_stranded(&salon.core, &customer, one, None).await;
    assert!(matches!(refused, Err(Error::Forbidden)), "{refused:?}");
    // What is over is not listed.
    salon.wait(TimeDelta::days(4));
    assert!(salon.core.now() > early.end.with_timezone(&Utc));
    assert_eq!(list().await, []);
}

#[tokio::test]
async fn moving_without_a_name_says_that_the_member_of_staff_no_longer_works() {
    let salon = Salon::open(2).await;
    let service = salon.service(|_| ()).await;
    let customer = salon.customer().await;
    let booking = salon.book(&customer, service, Some(salon.staff[0]), tuesday("10:00")).await.unwrap();
    change_staff(&salon, salon.staff[0], false).await;
    let to = Move::to(tuesday("11:00"), None);
    let refused = bookings::reschedule(&salon.core, &customer, booking.id, ExpectedRev::Any, to).await;
    assert!(matches!(refused, Err(Error::Invalid { pointer: "/staff_id", .. })), "{refused:?}");
    let to = Move::to(tuesday("11:00"), Some(salon.staff[1]));
    bookings::reschedule(&salon.core, &customer, booking.id, ExpectedRev::Any, to).await.unwrap();
}

#[tokio::test]
async fn whoever_left_gets_no_mail_and_has_no_feed() {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let customer = salon.customer().await;
    let member = salon.staff[0];
    let patch = StaffPatch { email: Some(Some(email("sam"))), ..StaffPatch::default() };
    staff::update(&salon.core, member, ExpectedRev::Any, patch).await.unwrap();
    let booking = salon.book(&customer, service, None, tuesday("10:00")).await.unwrap();
    let to_staff = "SELECT count(*) FROM notifications WHERE to_staff AND outcome IS NULL";
    assert_eq!(salon.count(to_staff).await, 1);
    let epoch = feeds::renew(&salon.core, &salon.admin, member).await.unwrap();
    feeds::of_staff(&salon.core, member, epoch).await.unwrap();

    change_staff(&salon, member, false).await;
    let gone = feeds::of_staff(&salon.core, member, epoch).await;
    assert!(matches!(gone, Err(Error::NotFound("feed"))), "{gone:?}");
    let renewed = feeds::renew(&salon.core, &salon.admin, member).await;
    assert!(matches!(renewed, Err(Error::NotFound("staff"))), "{renewed:?}");
    bookings::cancel(&salon.core, &customer, booking.id, ExpectedRev::Any).await.unwrap();
    assert_eq!(salon.count(to_staff).await, 0);
}

#[tokio::test]
async fn staff_tell_the_customer_why_and_may_stay_silent() {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let customer = salon.customer().await;
    let told = salon.book(&customer, service, None, tuesday("10:00")).await.unwrap();
    let silent = salon.book(&customer, service, None, tuesday("12:00")).await.unwrap();
    let text = Note::parse("The heating is broken.").unwrap();
    let message = StaffMessage::new(Some(text.clone()), None);
    let refused =
        bookings::cancel_with(&salon.core, &customer, told.id, ExpectedRev::Any, message.clone()).await;
    assert!(matches!(refused, Err(Error::StaffOnly(_))), "{refused:?}");
    bookings::cancel_with(&salon.core, &salon.admin, told.id, ExpectedRev::Any, message).await.unwrap();
    let message = StaffMessage::new(None, Some(false));
    bookings::cancel_with(&salon.core, &salon.admin, silent.id, ExpectedRev::Any, message).await.unwrap();

    let details = |events: Vec<bookings::BookingEvent>| events[1].details.0.clone();
    let events = bookings::events(&salon.core, &customer, told.id).await.unwrap();
    assert_eq!(details(events).message, Some(text));
    let events = bookings::events(&salon.core, &customer, silent.id).await.unwrap();
    assert!(details(events).no_mail);
    let mails = "SELECT count(*) FROM notifications WHERE kind = 'cancellation'";
    assert_eq!(salon.count(mails).await, 1);
}

#[tokio::test]
async fn the_currency_stays_while_services_have_prices() {
    let salon = Salon::open(1).await;
    let service = salon.service(|spec| spec.price_minor = 4550).await;
    let currency = Some(Currency::parse("JPY").unwrap());
    let patch = BusinessPatch { currency, ..BusinessPatch::default() };
    let refused = settings::update(&salon.core, ExpectedRev::Any, patch.clone()).await;
    assert!(matches!(refused, Err(Error::Invalid { pointer: "/currency", .. })), "{refused:?}");
    let free = ServicePatch { price_minor: Some(0), ..ServicePatch::default() };
    change_service(&salon, service, free).await;
    let changed = settings::update(&salon.core, ExpectedRev::Any, patch).await.unwrap();
    assert_eq!(changed.value.currency.as_str(), "JPY");
    for unknown in ["ZZZ", "BTC", "eur"] {
        assert!(Currency::parse(unknown).is_err(), "{unknown}");
    }
}

#[tokio::test]
async fn a_service_that_nobody_performs_does_not_ask_for_a_member_of_staff() {
    let salon = Salon::open(1).await;
    let service = salon.service(|spec| spec.staff_ids = Vec::new()).await;
    let customer = salon.customer().await;
    let refused = salon.book(&customer, service, None, tuesday("10:00")).await;
    assert!(matches!(refused, Err(Error::Invalid { pointer: "/service_id", .. })), "{refused:?}");
}
