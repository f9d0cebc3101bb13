//! Bookings that repeat.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use punctual_core::bookings::{
    self, Booker, Booking, BookingStatus, Mode, Move, MoveSeries, NewBooking, NewSeries, SeriesMade,
    StaffMessage, UnchangedReason,
};
use punctual_core::calendar::Every;
use punctual_core::customers::Contact;
use punctual_core::hours::{self, Closure};
use punctual_core::idempotency::IdempotencyKey;
use punctual_core::notifications::facts;
use punctual_core::notifications::sending::{self, BeginResult, Fence, HandOff};
use punctual_core::privacy;
use punctual_core::staff::{self, StaffPatch};
use punctual_core::types::{Actor, ExpectedRev, PageSize, Reason};
use punctual_core::{Error, Occurrence, Result};
use punctual_queue::new_id;
use uuid::Uuid;

use super::salon::{Salon, at, booking_of, email, name, tuesday};

/// A customer whom staff book, with an address.
fn contact(local: &str) -> Booker {
    let contact = Contact {
        email: Some(email(local)),
        name: name("Carla Customer"),
        phone: None,
        locale: None,
        zone: None,
        separate: false,
    };
    Booker::Person(contact)
}

/// A weekly series for that person, with anyone.
fn weekly(service: Uuid, start: DateTime<Utc>, count: u16) -> NewSeries {
    let first = NewBooking { booker: contact("carla"), ..booking_of(service, None, start) };
    NewSeries { first, every: Every::Weeks(1), count, mode: Mode::All }
}

async fn make(salon: &Salon, new: NewSeries) -> Result<SeriesMade> {
    let key = IdempotencyKey::parse(&new_id(salon.core.now()).to_string()).unwrap();
    bookings::create_series(&salon.core, &salon.admin, &key, new).await.map(|answer| answer.value)
}

fn bookings_of(made: &SeriesMade) -> Vec<Booking> {
    made.series.as_ref().unwrap().bookings.clone()
}

fn starts(bookings: &[Booking]) -> Vec<String> {
    bookings.iter().map(|booking| booking.start.to_rfc3339()).collect()
}

fn codes(occurrences: &[Occurrence]) -> Vec<Option<&str>> {
    occurrences.iter().map(|occurrence| occurrence.code.as_deref()).collect()
}

async fn close(salon: &Salon, date: &str) {
    let closure = Closure::of_day(date.parse().unwrap(), Reason::default());
    hours::close(&salon.core, closure).await.unwrap();
}

#[tokio::test]
async fn a_series_keeps_its_time_of_day_beyond_the_horizon_and_with_one_member_of_staff() {
    let salon = Salon::open(2).await;
    let service = salon.service(|spec| spec.horizon_days = 7).await;
    let made = make(&salon, weekly(service, tuesday("10:00"), 30)).await.unwrap();
    let booked = bookings_of(&made);
    assert_eq!(booked.len(), 30);
    assert_eq!(booked[0].start.to_rfc3339(), "2027-05-04T10:00:00+02:00");
    assert_eq!(booked[29].start.to_rfc3339(), "2027-11-23T10:00:00+01:00");
    let staff: BTreeSet<Uuid> = booked.iter().map(|booking| booking.staff.id).collect();
    assert_eq!(staff.len(), 1, "anyone is the same for all");
    let places: Vec<_> = booked.iter().map(|booking| booking.series.unwrap()).collect();
    assert!(places.iter().all(|place| Some(place.id) == made.id && !place.moved));
    assert_eq!(places.iter().map(|place| place.no).collect::<Vec<_>>(), (1..=30).collect::<Vec<i16>>());
    let events = "SELECT count(*) FROM booking_events WHERE change = 'created' AND rev = 1";
    assert_eq!(salon.count(events).await, 30, "each is a booking of its own");
    let series = bookings::get_series(&salon.core, &salon.admin, made.id.unwrap()).await.unwrap();
    assert_eq!(Some(series), made.series);
}

#[tokio::test]
async fn all_or_nothing_says_of_each_occurrence_what_stands_in_its_way() {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let taken = at("2027-05-11T10:30:00+02:00");
    let customer = salon.customer().await;
    salon.book(&customer, service, None, taken).await.unwrap();
    close(&salon, "2027-05-18").await;
    let wanted = weekly(service, tuesday("10:00"), 4);
    let refused = make(&salon, wanted.clone()).await;
    let Err(Error::SeriesConflict(occurrences)) = refused else { panic!("{refused:?}") };
    assert_eq!(codes(&occurrences), [None, Some("slot_taken"), Some("outside_hours"), None]);
    let near: Vec<_> = occurrences[1].alternatives.iter().map(|slot| slot.start.to_rfc3339()).collect();
    assert_eq!(near, ["2027-05-11T09:00:00+02:00", "2027-05-11T09:30:00+02:00", "2027-05-11T11:30:00+02:00"]);
    assert!(occurrences[0].alternatives.is_empty() && !occurrences[2].alternatives.is_empty());
    assert_eq!(salon.count("SELECT count(*) FROM bookings").await, 1, "nothing was booked");
    assert_eq!(salon.count("SELECT count(*) FROM customers WHERE origin = 'guest'").await, 0);

    let tried = bookings::try_series(&salon.core, &salon.admin, wanted.clone()).await.unwrap();
    assert_eq!((tried.id, tried.occurrences), (None, occurrences));
    let some = NewSeries { mode: Mode::Available, ..wanted };
    let made = make(&salon, some.clone()).await.unwrap();
    assert_eq!(codes(&made.occurrences), [None, Some("slot_taken"), Some("outside_hours"), None]);
    let booked = bookings_of(&made);
    assert_eq!(starts(&booked), ["2027-05-04T10:00:00+02:00", "2027-05-25T10:00:00+02:00"]);
    assert_eq!(booked.iter().map(|booking| booking.series.unwrap().no).collect::<Vec<_>>(), [1, 4]);
    let ids: Vec<_> = made.occurrences.iter().map(|occurrence| occurrence.booking_id).collect();
    assert_eq!(ids, [Some(booked[0].id), None, None, Some(booked[1].id)]);
    let again = make(&salon, some).await;
    assert!(matches!(again, Err(Error::SeriesConflict(_))), "none of them is free: {again:?}");
}

#[tokio::test]
async fn a_repeated_request_gets_its_first_answer_until_its_customer_is_erased() {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let key = IdempotencyKey::parse("weekly-1").unwrap();
    let new = weekly(service, tuesday("10:00"), 3);
    let ask = async |new: NewSeries| bookings::create_series(&salon.core, &salon.admin, &key, new).await;
    let first = ask(new.clone()).await.unwrap();
    let second = ask(new.clone()).await.unwrap();
    assert_eq!((second.replayed, &second.value), (true, &first.value));
    let other = ask(NewSeries { count: 4, ..new.clone() }).await;
    assert!(matches!(other, Err(Error::IdempotencyKeyReused)), "{other:?}");
    let (id, booked) = (first.value.id.unwrap(), bookings_of(&first.value));
    let message = StaffMessage::default();
    bookings::cancel_series(&salon.core, &salon.admin, id, 1, ExpectedRev::Any, message).await.unwrap();
    let customer = booked[0].customer.as_ref().unwrap().id;
    privacy::erase_customer(&salon.core, &salon.admin, customer).await.unwrap();
    let stored =
        salon.count("SELECT count(*) FROM idempotency_keys WHERE scope LIKE 'series.create:%'").await;
    assert_eq!(stored, 0, "the answer held the name and the address");
    let left = "SELECT count(*) FROM notifications WHERE recipient IS NOT NULL OR outcome IS NULL";
    assert_eq!(salon.count(left).await, 0);
}

#[tokio::test]
async fn of_many_who_ask_for_the_same_weeks_one_gets_them() {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let asked = (0..8).map(|number| {
        let salon = &salon;
        async move {
            // Half of them begin a week later: they meet the others in the middle.
            let first = tuesday("10:00") + TimeDelta::weeks(number % 2);
            let new = weekly(service, first, 6);
            let first = NewBooking { booker: contact(&format!("carla{number}")), ..new.first };
            make(salon, NewSeries { first, ..new }).await
        }
    });
    let answers = futures::future::join_all(asked).await;
    let made = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(made, 1);
    assert!(answers.iter().all(|answer| matches!(answer, Ok(_) | Err(Error::SeriesConflict(_)))));
    assert_eq!(salon.count("SELECT count(*) FROM bookings").await, 6);
    assert_eq!(salon.count("SELECT count(*) FROM series").await, 1);
}

fn to(from: i16, start: &str) -> MoveSeries {
    let message = StaffMessage::default();
    MoveSeries { from, start: at(start), staff_id: None, overriding: false, message }
}

#[tokio::test]
async fn a_move_from_an_occurrence_on_takes_the_later_ones_along_and_leaves_one_that_was_moved_by_itself() {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let daily = NewSeries { every: Every::Days(1), ..weekly(service, tuesday("10:00"), 5) };
    let made = make(&salon, daily).await.unwrap();
    let (id, booked) = (made.id.unwrap(), bookings_of(&made));
    let by_itself = Move::to(at("2027-05-07T15:00:00+02:00"), None);
    bookings::reschedule(&salon.core, &salon.admin, booked[3].id, ExpectedRev::Any, by_itself).await.unwrap();
    let series = bookings::get_series(&salon.core, &salon.admin, id).await.unwrap();
    let stale = ExpectedRev::Exactly(made.series.unwrap().rev);
    let late =
        bookings::move_series(&salon.core, &salon.admin, id, stale, to(2, "2027-05-06T10:00:00+02:00")).await;
    assert!(matches!(late, Err(Error::RevMismatch { current }) if current == series.rev), "{late:?}");

    // By a day: each takes the place that the next one leaves.
    let current = ExpectedRev::Exactly(series.rev);
    let to_next = to(2, "2027-05-06T10:00:00+02:00");
    let done = bookings::move_series(&salon.core, &salon.admin, id, current, to_next).await.unwrap();
    assert_eq!(done.changed, [booked[1].id, booked[2].id, booked[4].id]);
    assert_eq!(done.kept.len(), 1);
    assert_eq!((done.kept[0].booking_id, done.kept[0].why), (booked[3].id, UnchangedReason::MovedByItself));
    assert_eq!(
        starts(&done.series.bookings),
        [
            "2027-05-04T10:00:00+02:00",
            "2027-05-06T10:00:00+02:00",
            "2027-05-07T10:00:00+02:00",
            "2027-05-07T15:00:00+02:00",
            "2027-05-09T10:00:00+02:00"
        ]
    );
    assert!(done.series.bookings.iter().all(|booking| booking.status == BookingStatus::Confirmed));
    let moved: Vec<bool> = done.series.bookings.iter().map(|booking| booking.series.unwrap().moved).collect();
    assert_eq!(moved, [false, false, false, true, false]);
    let blocked = "SELECT count(*) FROM bookings WHERE blocks";
    assert_eq!(salon.count(blocked).await, 5, "none was lost on the way");

    // One that is in the way stops all.
    let customer = salon.customer().await;
    salon.book(&customer, service, None, at("2027-05-08T12:00:00+02:00")).await.unwrap();
    let refused = bookings::move_series(
        &salon.core,
        &salon.admin,
        id,
        ExpectedRev::Any,
        to(2, "2027-05-06T12:00:00+02:00"),
    )
    .await
    .map(|done| done.changed);
    assert_eq!(refused.unwrap().len(), 3, "the 8th is not one of its dates");
    let refused = bookings::move_series(
        &salon.core,
        &salon.admin,
        id,
        ExpectedRev::Any,
        to(2, "2027-05-07T12:00:00+02:00"),
    )
    .await;
    let Err(Error::SeriesConflict(occurrences)) = refused else { panic!("{refused:?}") };
    assert_eq!(codes(&occurrences), [None, Some("slot_taken"), None]);
    let after = bookings::get_series(&salon.core, &salon.admin, id).await.unwrap();
    assert_eq!(after.bookings[1].start.to_rfc3339(), "2027-05-06T12:00:00+02:00", "nothing was moved");
}

#[tokio::test]
async fn the_occurrence_that_is_named_moves_even_if_it_was_moved_by_itself_and_takes_its_place_in_the_series()
{
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let made = make(&salon, weekly(service, tuesday("10:00"), 3)).await.unwrap();
    let (id, booked) = (made.id.unwrap(), bookings_of(&made));
    let by_itself = Move::to(at("2027-05-12T10:00:00+02:00"), None);
    bookings::reschedule(&salon.core, &salon.admin, booked[1].id, ExpectedRev::Any, by_itself).await.unwrap();
    let to_thursday = to(2, "2027-05-13T11:00:00+02:00");
    let done =
        bookings::move_series(&salon.core, &salon.admin, id, ExpectedRev::Any, to_thursday).await.unwrap();
    assert_eq!(
        starts(&done.series.bookings),
        ["2027-05-04T10:00:00+02:00", "2027-05-13T11:00:00+02:00", "2027-05-20T11:00:00+02:00"],
        "two days after the Tuesday that the series had for both"
    );
    assert!(done.series.bookings.iter().all(|booking| !booking.series.unwrap().moved));
}

/// The series of a customer with an account.
async fn of_account(salon: &Salon, service: Uuid) -> (Actor, Uuid, Vec<Booking>) {
    let customer = salon.customer().await;
    let own = salon.book(&customer, service, None, tuesday("17:00")).await.unwrap();
    let on_file = Booker::Customer(own.customer.unwrap().id);
    let new = weekly(service, tuesday("10:00"), 4);
    let made =
        make(salon, NewSeries { first: NewBooking { booker: on_file, ..new.first }, ..new }).await.unwrap();
    (customer, made.id.unwrap(), bookings_of(&made))
}

#[tokio::test]
async fn a_customer_cancels_the_rest_of_their_series_and_what_is_too_near_is_kept() {
    let salon = Salon::open(1).await;
    let service = salon.service(|spec| spec.cancel_notice_min = 24 * 60).await;
    let (customer, id, booked) = of_account(&salon, service).await;
    let stranger = salon.customer().await;
    let cancel = async |actor: &Actor, from| {
        let message = StaffMessage::default();
        bookings::cancel_series(&salon.core, actor, id, from, ExpectedRev::Any, message).await
    };
    assert!(matches!(cancel(&stranger, 1).await, Err(Error::NotFound("series"))));
    assert!(matches!(bookings::get_series(&salon.core, &stranger, id).await, Err(Error::NotFound(_))));
    assert!(matches!(
        bookings::move_series(
            &salon.core,
            &customer,
            id,
            ExpectedRev::Any,
            to(1, "2027-05-05T10:00:00+02:00")
        )
        .await,
        Err(Error::Forbidden)
    ));
    salon.clock.set(at("2027-05-10T12:00:00+02:00"));
    let done = cancel(&customer, 1).await.unwrap();
    assert_eq!(done.changed, [booked[2].id, booked[3].id]);
    let kept: Vec<_> = done.kept.iter().map(|kept| (kept.no, kept.why)).collect();
    assert_eq!(kept, [(1, UnchangedReason::Begun), (2, UnchangedReason::NoticePassed)]);
    let rev = done.series.rev;
    let again = cancel(&customer, 1).await.unwrap();
    assert_eq!((again.changed, again.series.rev), (Vec::new(), rev), "there is nothing left to cancel");
    let done = cancel(&salon.admin, 2).await.unwrap();
    assert_eq!(done.changed, [booked[1].id], "staff may at any time before it begins");
    let mails: Vec<(String, i32)> = sqlx::query_as(
        "SELECT kind::text, coalesce(cardinality(booking_ids), 1) FROM notifications
         WHERE kind::text LIKE '%cancel%' ORDER BY kind::text",
    )
    .fetch_all(&salon.core.pool)
    .await
    .unwrap();
    assert_eq!(mails, [("appointments_cancelled".to_owned(), 2), ("cancellation".to_owned(), 1)]);
}

#[tokio::test]
async fn a_series_whose_member_of_staff_leaves_is_stranded_and_moves_to_a_colleague_as_a_whole() {
    let salon = Salon::open(2).await;
    let service = salon.service(|_| ()).await;
    let (leaves, stays) = (salon.staff[0], salon.staff[1]);
    let new = weekly(service, tuesday("10:00"), 3);
    let first =
        NewBooking { booker: contact("carla"), ..booking_of(service, Some(leaves), tuesday("10:00")) };
    let made = make(&salon, NewSeries { first, ..new }).await.unwrap();
    let id = made.id.unwrap();
    let patch = StaffPatch { active: Some(false), ..StaffPatch::default() };
    staff::update(&salon.core, leaves, ExpectedRev::Any, patch).await.unwrap();
    let stranded = hours::list_stranded(&salon.core, &salon.admin, PageSize::default(), None).await.unwrap();
    assert_eq!(stranded.data.len(), 3, "each is a booking of its own");
    let refused = bookings::move_series(
        &salon.core,
        &salon.admin,
        id,
        ExpectedRev::Any,
        to(1, "2027-05-04T11:00:00+02:00"),
    )
    .await;
    assert!(matches!(refused, Err(Error::Invalid { pointer: "/staff_id", .. })), "{refused:?}");
    let to_colleague = MoveSeries { staff_id: Some(stays), ..to(1, "2027-05-04T10:00:00+02:00") };
    let done =
        bookings::move_series(&salon.core, &salon.admin, id, ExpectedRev::Any, to_colleague).await.unwrap();
    assert_eq!(done.changed.len(), 3);
    assert!(done.series.bookings.iter().all(|booking| booking.staff.id == stays));
    let stranded = hours::list_stranded(&salon.core, &salon.admin, PageSize::default(), None).await.unwrap();
    assert!(stranded.data.is_empty());
}

#[tokio::test]
async fn a_mail_about_several_is_rendered_again_if_one_of_them_changes_before_it_is_handed_off() {
    let salon = Salon::open(1).await;
    let service = salon.service(|_| ()).await;
    let made = make(&salon, weekly(service, tuesday("10:00"), 3)).await.unwrap();
    let booked = bookings_of(&made);
    let mail: Uuid = sqlx::query_scalar("SELECT id FROM notifications WHERE kind = 'appointments_booked'")
        .fetch_one(&salon.core.pool)
        .await
        .unwrap();
    let (mut db, now) = (salon.core.pool.acquire().await.unwrap(), salon.core.now());
    let fence = Fence { job_id: 1, lease_seq: 1 };
    let begun = sending::begin(&mut db, now, &[(mail, fence)]).await.unwrap();
    let [BeginResult::Sending(mut attempt)] = begun[..] else { panic!("{begun:?}") };
    let shown = facts::load_several(&mut db, now, mail).await.unwrap().unwrap();
    assert_eq!((shown.bookings.len(), shown.revs), (3, 3));
    attempt.revs = Some(shown.revs);
    bookings::cancel(&salon.core, &salon.admin, booked[0].id, ExpectedRev::Any).await.unwrap();
    assert_eq!(sending::mark_handed_off(&mut db, now, &[attempt]).await.unwrap(), [HandOff::Outdated]);
    let shown = facts::load_several(&mut db, now, mail).await.unwrap().unwrap();
    assert_eq!(shown.bookings.len(), 2, "the one that was cancelled has a mail of its own");
    attempt.revs = Some(shown.revs);
    assert_eq!(sending::mark_handed_off(&mut db, now, &[attempt]).await.unwrap(), [HandOff::Marked]);
}
