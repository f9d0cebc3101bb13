//! Timetables of services, and classes as a whole.

use chrono::{NaiveDate, TimeDelta, Weekday};
use punctual_core::bookings::{
    self, Booking, BookingStatus, ClassAt, ClassMove, NewBooking, NewHold, RequestedSlot, SlotSource,
    StaffMessage,
};
use punctual_core::calendar::Span;
use punctual_core::hours::{self, Closure, NewTimeOff, StrandedReason};
use punctual_core::services::{self, ClassWindow, ServicePatch, ServiceTimetable};
use punctual_core::slots::{self, SlotQuery};
use punctual_core::types::{Actor, ExpectedRev, Note, PageSize, Reason, Rev};
use punctual_core::{Error, Result};
use uuid::Uuid;

use super::salon::{Salon, booking_of, tuesday};

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Tuesdays at ten with the first member of staff, from 4 May on.
fn at_ten(salon: &Salon) -> ClassWindow {
    ClassWindow {
        staff_id: salon.staff[0],
        weekday: Weekday::Tue,
        start: "10:00".parse().unwrap(),
        valid_from: date("2027-05-04"),
        valid_until: None,
    }
}

async fn put(salon: &Salon, service: Uuid, windows: Vec<ClassWindow>) -> hours::Changed<ServiceTimetable> {
    services::put_timetable(&salon.core, service, ExpectedRev::Any, windows, Vec::new()).await.unwrap()
}

/// Starts of a service on a date with one member of staff.
async fn starts(salon: &Salon, service_id: Uuid, staff: usize, on: &str) -> Vec<String> {
    let (from, to) = (date(on), date(on));
    let staff_id = Some(salon.staff[staff]);
    let query = SlotQuery { service_id, staff_id, from, to, seats: 1, exclude_booking: None };
    let list = slots::list(&salon.core, &query).await.unwrap();
    list.days[0].slots.iter().map(|slot| slot.start.format("%H:%M").to_string()).collect()
}

async fn book(salon: &Salon, actor: &Actor, service: Uuid, time: &str, seats: u32) -> Result<Booking> {
    let slot =
        RequestedSlot { service_id: service, staff_id: Some(salon.staff[0]), start: tuesday(time), seats };
    let new = NewBooking { slot: SlotSource::Slot(slot), ..booking_of(service, None, tuesday(time)) };
    bookings::create(&salon.core, actor, None, new).await.map(|answer| answer.value)
}

fn told(text: &str) -> StaffMessage {
    StaffMessage::new(Some(Note::parse(text).unwrap()), None)
}

#[tokio::test]
async fn a_class_is_offered_at_its_times_alone_and_takes_them_from_other_services() {
    let salon = Salon::open(2).await;
    let yoga = salon.service(|spec| spec.capacity = 3).await;
    let haircut = salon.service(|_| ()).await;
    let evening = ClassWindow { start: "19:00".parse().unwrap(), ..at_ten(&salon) };
    let last = ClassWindow { valid_until: Some(date("2027-05-11")), ..at_ten(&salon) };
    let changed = put(&salon, yoga, vec![last, evening]).await;
    assert_eq!((changed.value.windows, changed.stranded), (vec![last, evening], vec![]));
    assert_eq!(starts(&salon, yoga, 0, "2027-05-04").await, ["10:00", "19:00"], "also after opening hours");
    assert_eq!(starts(&salon, yoga, 0, "2027-05-18").await, ["19:00"]);
    assert_eq!(starts(&salon, yoga, 0, "2027-05-05").await, [""; 0]);
    assert_eq!(starts(&salon, yoga, 1, "2027-05-04").await, [""; 0]);
    let others = starts(&salon, haircut, 0, "2027-05-04").await;
    assert_eq!(others[..2], ["09:00", "11:00"], "nobody has booked the class, and its time is not offered");
    assert!(starts(&salon, haircut, 1, "2027-05-04").await.contains(&"10:00".to_owned()));

    let customer = salon.customer().await;
    let off_grid = book(&salon, &customer, yoga, "11:00", 1).await;
    assert!(matches!(off_grid, Err(Error::OffGrid)), "{off_grid:?}");
    let during = book(&salon, &customer, haircut, "09:30", 1).await;
    assert!(matches!(during, Err(Error::OutsideHours)), "{during:?}");
    let booked = book(&salon, &customer, yoga, "19:00", 2).await.unwrap();
    assert_eq!(booked.seats, 2);
    // With `override`, staff book a haircut while the class has no booking.
    let on_purpose =
        NewBooking { overriding: true, ..booking_of(haircut, Some(salon.staff[0]), tuesday("10:00")) };
    let on_purpose =
        NewBooking { booker: bookings::Booker::Customer(booked.customer.unwrap().id), ..on_purpose };
    bookings::create(&salon.core, &salon.admin, None, on_purpose).await.unwrap();
    let taken = book(&salon, &customer, yoga, "10:00", 1).await;
    assert!(matches!(taken, Err(Error::SlotTaken { .. })), "{taken:?}");
}

#[tokio::test]
async fn a_timetable_lists_the_bookings_that_it_meets_and_changes_none() {
    let salon = Salon::open(1).await;
    let yoga = salon.service(|spec| spec.capacity = 3).await;
    let haircut = salon.service(|_| ()).await;
    let customer = salon.customer().await;
    let hair = book(&salon, &customer, haircut, "10:30", 1).await.unwrap();
    let elsewhere = book(&salon, &customer, yoga, "14:00", 1).await.unwrap();
    let stays = book(&salon, &customer, haircut, "16:00", 1).await.unwrap();
    let stranded = put(&salon, yoga, vec![at_ten(&salon)]).await.stranded;
    let ids: Vec<Uuid> = stranded.iter().map(|booking| booking.booking_id).collect();
    assert_eq!(ids, [hair.id, elsewhere.id], "not {}", stays.id);
    assert!(stranded.iter().all(|booking| booking.reasons == [StrandedReason::OutsideHours]));
    let same = bookings::get(&salon.core, &salon.admin, hair.id).await.unwrap();
    assert_eq!((same.rev, same.status), (hair.rev, BookingStatus::Confirmed));

    let stale =
        services::put_timetable(&salon.core, yoga, ExpectedRev::Exactly(Rev(1)), Vec::new(), Vec::new());
    assert!(matches!(stale.await, Err(Error::RevMismatch { .. })));
    let longer = ServicePatch { duration_min: Some(300), ..ServicePatch::default() };
    let met = services::update(&salon.core, yoga, ExpectedRev::Any, longer).await.unwrap().stranded;
    assert_eq!(met.iter().map(|booking| booking.booking_id).collect::<Vec<_>>(), [] as [Uuid; 0]);
    let longer = ServicePatch { duration_min: Some(400), ..ServicePatch::default() };
    let met = services::update(&salon.core, yoga, ExpectedRev::Any, longer).await.unwrap().stranded;
    assert_eq!(met.iter().map(|booking| booking.booking_id).collect::<Vec<_>>(), [stays.id]);
    put(&salon, yoga, Vec::new()).await;
    let none = hours::list_stranded(&salon.core, &salon.admin, PageSize::default(), None).await.unwrap();
    assert_eq!(none.data, []);
}

#[tokio::test]
async fn a_class_does_not_take_place_while_its_teacher_is_away_or_the_business_is_closed() {
    let salon = Salon::open(1).await;
    let yoga = salon.service(|spec| spec.capacity = 3).await;
    let haircut = salon.service(|_| ()).await;
    put(&salon, yoga, vec![at_ten(&salon)]).await;
    let during = Span::new(tuesday("10:30"), tuesday("11:00")).unwrap();
    let off = NewTimeOff { during, reason: Reason::default() };
    let off = hours::add_time_off(&salon.core, &salon.admin, None, salon.staff[0], off).await.unwrap().value;
    assert_eq!(starts(&salon, yoga, 0, "2027-05-04").await, [""; 0]);
    assert_eq!(starts(&salon, haircut, 0, "2027-05-04").await[..3], ["09:00", "09:30", "11:00"]);
    hours::remove_time_off(&salon.core, &salon.admin, salon.staff[0], off.value.id).await.unwrap();
    let hours = Some(("08:00".parse().unwrap(), "10:15".parse().unwrap()));
    let closure = Closure { date: date("2027-05-04"), hours, reason: Reason::default() };
    hours::close(&salon.core, closure).await.unwrap();
    assert_eq!(starts(&salon, yoga, 0, "2027-05-04").await, [""; 0]);
    hours::reopen(&salon.core, date("2027-05-04")).await.unwrap();
    assert_eq!(starts(&salon, yoga, 0, "2027-05-04").await, ["10:00"]);
}

#[tokio::test]
async fn a_whole_class_is_called_off_with_one_mail_for_each_and_is_not_offered_again() {
    let salon = Salon::open(1).await;
    let yoga = salon.service(|spec| spec.capacity = 6).await;
    put(&salon, yoga, vec![at_ten(&salon)]).await;
    let customers = salon.customers(3).await;
    let party = book(&salon, &customers[0], yoga, "10:00", 2).await.unwrap();
    let single = book(&salon, &customers[1], yoga, "10:00", 1).await.unwrap();
    let slot = RequestedSlot { service_id: yoga, staff_id: None, start: tuesday("10:00"), seats: 1 };
    let held = bookings::hold(&salon.core, &customers[2], "", None, NewHold { slot, minutes: 10 }).await;
    let held = held.unwrap().value;
    let class = ClassAt { service_id: yoga, staff_id: salon.staff[0], start: tuesday("10:00") };
    let refused = bookings::cancel_class(&salon.core, &customers[0], class, told("Ill")).await;
    assert!(matches!(refused, Err(Error::Forbidden)));
    let cancelled =
        bookings::cancel_class(&salon.core, &salon.admin, class, told("Dora is ill")).await.unwrap();
    assert_eq!(cancelled.iter().map(|booking| booking.id).collect::<Vec<_>>(), [party.id, single.id]);
    assert!(cancelled.iter().all(|booking| booking.status == BookingStatus::Cancelled));
    let mails = "SELECT count(*) FROM notifications WHERE kind = 'cancellation' AND outcome IS NULL";
    assert_eq!(salon.count(mails).await, 2);
    let messages = "SELECT count(*) FROM booking_events WHERE details ->> 'message' = 'Dora is ill'";
    assert_eq!(salon.count(messages).await, 2);
    let from_hold =
        NewBooking { slot: SlotSource::Hold(held.id), ..booking_of(yoga, None, tuesday("10:00")) };
    let gone = bookings::create(&salon.core, &customers[2], None, from_hold).await;
    assert!(matches!(gone, Err(Error::HoldExpired)), "{gone:?}");
    assert_eq!(starts(&salon, yoga, 0, "2027-05-04").await, [""; 0]);
    assert_eq!(starts(&salon, yoga, 0, "2027-05-11").await, ["10:00"]);
    let again = bookings::cancel_class(&salon.core, &salon.admin, class, told("Dora is ill")).await.unwrap();
    assert_eq!(again, []);
    let timetable = services::timetable(&salon.core, yoga).await.unwrap();
    assert_eq!(timetable.dates.iter().map(|date| date.takes_place).collect::<Vec<_>>(), [false]);
    put(&salon, yoga, timetable.windows).await;
    assert_eq!(starts(&salon, yoga, 0, "2027-05-04").await, ["10:00"], "it takes place after all");
}

#[tokio::test]
async fn a_whole_class_moves_to_an_overlapping_time_or_not_at_all() {
    let salon = Salon::open(1).await;
    let yoga = salon.service(|spec| spec.capacity = 6).await;
    let haircut = salon.service(|_| ()).await;
    put(&salon, yoga, vec![at_ten(&salon)]).await;
    let customers = salon.customers(3).await;
    let party = book(&salon, &customers[0], yoga, "10:00", 3).await.unwrap();
    let single = book(&salon, &customers[1], yoga, "10:00", 1).await.unwrap();
    book(&salon, &customers[2], haircut, "14:00", 1).await.unwrap();
    let class = ClassAt { service_id: yoga, staff_id: salon.staff[0], start: tuesday("10:00") };
    let to = |time: &str| ClassMove {
        start: tuesday(time),
        staff_id: None,
        overriding: false,
        message: told("The room is taken"),
    };
    let taken = bookings::move_class(&salon.core, &salon.admin, class, to("13:30")).await;
    assert!(matches!(taken, Err(Error::SlotTaken { .. })), "{taken:?}");
    let same = bookings::get(&salon.core, &salon.admin, party.id).await.unwrap();
    assert_eq!(same, Booking { staff_note: same.staff_note.clone(), ..party.clone() }, "nothing has changed");
    let moved = bookings::move_class(&salon.core, &salon.admin, class, to("10:30")).await.unwrap();
    assert_eq!(moved.iter().map(|booking| booking.id).collect::<Vec<_>>(), [party.id, single.id]);
    for (booking, before) in moved.iter().zip([&party, &single]) {
        assert_eq!(booking.start.to_utc(), tuesday("10:30"));
        assert_eq!((booking.status, booking.rev), (BookingStatus::Confirmed, Rev(before.rev.0 + 1)));
        assert_eq!((&booking.service, booking.seats), (&before.service, before.seats));
    }
    let mails = "SELECT count(*) FROM notifications WHERE kind = 'reschedule'";
    assert_eq!(salon.count(mails).await, 2);
    assert_eq!(starts(&salon, yoga, 0, "2027-05-04").await, ["10:30"]);
    let more = book(&salon, &customers[2], yoga, "10:30", 2).await.unwrap();
    assert_eq!(more.seat_no, 5);
    let stranded = hours::list_stranded(&salon.core, &salon.admin, PageSize::default(), None).await.unwrap();
    assert_eq!(stranded.data, [], "its new start is planned");
    let day = (date("2027-05-04"), date("2027-05-04"));
    let classes = bookings::classes(&salon.core, &salon.admin, day, None).await.unwrap();
    let [one] = &classes[..] else { panic!("{classes:?}") };
    assert_eq!((one.seats_taken, one.participants.len(), one.at().start), (6, 3, tuesday("10:30")));
    salon.wait(TimeDelta::days(4));
    let begun = ClassAt { start: tuesday("10:30"), ..class };
    let late = bookings::move_class(&salon.core, &salon.admin, begun, to("15:00")).await;
    assert!(matches!(late, Err(Error::InvalidTransition { .. })), "{late:?}");
}
