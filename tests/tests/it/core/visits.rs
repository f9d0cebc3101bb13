//! Several services in one visit: the starts that fit, who performs them, and booking them.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use punctual_core::bookings::{
    self, Booker, Booking, BookingStatus, NewBooking, NewVisit, SlotSource, Visit,
};
use punctual_core::customers::Contact;
use punctual_core::idempotency::IdempotencyKey;
use punctual_core::privacy;
use punctual_core::slots::{self, VisitQuery, VisitService};
use punctual_core::types::{Actor, ExpectedRev};
use punctual_core::{Error, Result, VisitConflict, VisitSlot};
use punctual_queue::new_id;
use uuid::Uuid;

use super::salon::{Salon, at, booking_of, email, name, tuesday};

pub(super) fn with_anyone(services: &[Uuid]) -> Vec<VisitService> {
    services.iter().map(|service_id| VisitService { service_id: *service_id, staff_id: None }).collect()
}

/// A visit of these services for the one who asks.
pub(super) fn visit_of(services: &[VisitService], start: DateTime<Utc>) -> NewVisit {
    let first = booking_of(services[0].service_id, services[0].staff_id, start);
    NewVisit { first, then: services[1..].to_vec() }
}

pub(super) async fn book(salon: &Salon, actor: &Actor, new: NewVisit) -> Result<Visit> {
    let key = IdempotencyKey::parse(&new_id(salon.core.now()).to_string()).unwrap();
    bookings::create_visit(&salon.core, actor, &key, new).await.map(|answer| answer.value)
}

/// Start, end and member of staff of each booking.
pub(super) fn times(bookings: &[Booking]) -> Vec<(String, String, Uuid)> {
    let times = bookings.iter().map(|booking| {
        let clock = |at: DateTime<chrono::FixedOffset>| at.format("%H:%M").to_string();
        (clock(booking.start), clock(booking.end), booking.staff.id)
    });
    times.collect()
}

pub(super) async fn starts(salon: &Salon, services: &[VisitService], date: &str) -> Vec<VisitSlot> {
    let date: NaiveDate = date.parse().unwrap();
    let query = VisitQuery { services: services.to_vec(), from: date, to: date };
    slots::visit_slots(&salon.core, &query).await.unwrap().days.remove(0).slots
}

pub(super) fn refused(answer: Result<Visit>) -> VisitConflict {
    match answer {
        Err(Error::VisitConflict(conflict)) => *conflict,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn each_service_begins_when_the_one_before_ends_and_one_member_of_staff_performs_them() {
    let salon = Salon::open(3).await;
    let cut = salon.service(|_| ()).await;
    let colour = salon.service(|spec| spec.duration_min = 45).await;
    let dry = salon.service(|spec| spec.duration_min = 20).await;
    let customer = salon.customer().await;
    let wanted = with_anyone(&[cut, colour, dry]);
    let visit = book(&salon, &customer, visit_of(&wanted, tuesday("10:00"))).await.unwrap();
    let who = visit.bookings[0].staff.id;
    let expected = [("10:00", "11:00"), ("11:00", "11:45"), ("11:45", "12:05")];
    assert_eq!(times(&visit.bookings), expected.map(|(start, end)| (start.into(), end.into(), who)));
    assert!(visit.bookings.iter().all(|booking| booking.status == BookingStatus::Confirmed));
    assert_eq!(visit.id, visit.bookings[0].id);
    let of_one: BTreeSet<_> = visit.bookings.iter().map(|one| one.customer.as_ref().unwrap().id).collect();
    assert_eq!(of_one.len(), 1);
    let events = "SELECT count(*) FROM booking_events WHERE change = 'created' AND rev = 1";
    assert_eq!(salon.count(events).await, 3, "each is a booking of its own");

    // Whoever is asked for performs it; nobody else goes on where they cannot.
    let other = *salon.staff.iter().find(|id| **id != who).unwrap();
    let mut wanted = with_anyone(&[cut, colour, dry]);
    wanted[1].staff_id = Some(other);
    let visit = book(&salon, &customer, visit_of(&wanted, tuesday("14:00"))).await.unwrap();
    let staff: Vec<Uuid> = visit.bookings.iter().map(|booking| booking.staff.id).collect();
    assert_eq!((staff[1], staff[2]), (other, other), "the last one stays with who is there");
}

#[tokio::test]
async fn buffers_delay_the_next_service_of_the_same_member_of_staff_and_not_of_another() {
    let salon = Salon::open(2).await;
    let cut = salon.service(|spec| spec.buffer_after_min = 15).await;
    let colour = salon.service(|spec| spec.buffer_before_min = 10).await;
    let customer = salon.customer().await;
    let [one, other] = [salon.staff[0], salon.staff[1]];
    let with = |first, second| {
        [
            VisitService { service_id: cut, staff_id: Some(first) },
            VisitService { service_id: colour, staff_id: second },
        ]
    };
    let visit = book(&salon, &customer, visit_of(&with(one, None), tuesday("10:00"))).await.unwrap();
    assert_eq!(
        times(&visit.bookings),
        [("10:00".into(), "11:00".into(), one), ("11:25".into(), "12:25".into(), one)]
    );
    let visit = book(&salon, &customer, visit_of(&with(one, Some(other)), tuesday("13:00"))).await.unwrap();
    assert_eq!(
        times(&visit.bookings),
        [("13:00".into(), "14:00".into(), one), ("14:00".into(), "15:00".into(), other)]
    );
    // The one who performed the first has an appointment then: another goes on.
    let short = salon.service(|spec| spec.duration_min = 30).await;
    salon.book(&customer, short, Some(one), tuesday("17:00")).await.unwrap();
    let visit = book(&salon, &customer, visit_of(&with(one, None), tuesday("15:30"))).await.unwrap();
    assert_eq!(
        times(&visit.bookings),
        [("15:30".into(), "16:30".into(), one), ("16:30".into(), "17:30".into(), other)]
    );
}

#[tokio::test]
async fn all_or_nothing_names_the_service_without_a_place_and_says_when_all_fit() {
    let salon = Salon::open(1).await;
    let cut = salon.service(|_| ()).await;
    let colour = salon.service(|spec| spec.duration_min = 90).await;
    let customer = salon.customer().await;
    salon.book(&customer, cut, None, tuesday("12:00")).await.unwrap();
    let wanted = with_anyone(&[cut, colour]);
    let taken = refused(book(&salon, &customer, visit_of(&wanted, tuesday("10:00"))).await);
    assert_eq!((taken.no, taken.service_id, taken.code), (2, colour, "slot_taken"));
    let near: Vec<_> =
        taken.alternatives.iter().map(|slot| slot.start.format("%d. %H:%M").to_string()).collect();
    assert_eq!(near, ["04. 09:00", "04. 09:30", "04. 13:00"]);
    let late = refused(book(&salon, &customer, visit_of(&wanted, tuesday("16:00"))).await);
    assert_eq!((late.no, late.code), (2, "outside_hours"));
    let first = refused(book(&salon, &customer, visit_of(&wanted, tuesday("12:00"))).await);
    assert_eq!((first.no, first.service_id, first.code), (1, cut, "slot_taken"));
    let between = refused(book(&salon, &customer, visit_of(&wanted, tuesday("13:10"))).await);
    assert_eq!((between.no, between.code), (1, "off_grid"));
    let past = refused(book(&salon, &customer, visit_of(&wanted, at("2027-04-30T10:00:00+02:00"))).await);
    assert_eq!((past.no, past.code, past.alternatives.len()), (1, "start_in_past", 0));
    assert_eq!(salon.count("SELECT count(*) FROM bookings").await, 1, "nothing of it was booked");
    let offered = &taken.alternatives[2];
    let visit = book(&salon, &customer, visit_of(&wanted, offered.start.to_utc())).await.unwrap();
    let booked: Vec<_> = visit.bookings.iter().map(|one| (one.service.id, one.start, one.end)).collect();
    let promised: Vec<_> =
        offered.services.iter().map(|part| (part.service_id, part.start, part.end)).collect();
    assert_eq!(booked, promised);
}

#[tokio::test]
async fn exactly_the_listed_starts_can_be_booked_with_the_listed_times_and_staff() {
    let salon = Salon::open(2).await;
    let cut = salon.service(|spec| spec.buffer_after_min = 10).await;
    let colour = salon.service(|spec| (spec.duration_min, spec.staff_ids) = (35, vec![salon.staff[1]])).await;
    let customer = salon.customer().await;
    for (staff, time) in [(0, "11:00"), (1, "12:00"), (1, "15:30")] {
        salon.book(&customer, cut, Some(salon.staff[staff]), tuesday(time)).await.unwrap();
    }
    let wanted = with_anyone(&[cut, colour, cut]);
    let listed = starts(&salon, &wanted, "2027-05-04").await;
    assert!((3..18).contains(&listed.len()), "{listed:?}");
    let mut start = tuesday("08:30");
    let mut booked = 0;
    while start < tuesday("18:00") {
        let answer = book(&salon, &customer, visit_of(&wanted, start)).await;
        match listed.iter().find(|slot| slot.start == start) {
            Some(slot) => {
                let visit = answer.unwrap();
                let times: Vec<_> =
                    visit.bookings.iter().map(|one| (one.staff.id, one.start, one.end)).collect();
                let promised: Vec<_> =
                    slot.services.iter().map(|part| (part.staff_id, part.start, part.end)).collect();
                assert_eq!(times, promised);
                for one in visit.bookings {
                    bookings::cancel(&salon.core, &customer, one.id, ExpectedRev::Any).await.unwrap();
                }
                booked += 1;
            }
            None => drop(refused(answer)),
        }
        start += TimeDelta::minutes(30);
    }
    assert_eq!(booked, listed.len());
}

#[tokio::test]
async fn of_many_who_ask_for_the_same_time_as_many_get_it_as_there_are_staff() {
    let salon = Salon::open(2).await;
    let (cut, colour) = (salon.service(|_| ()).await, salon.service(|_| ()).await);
    let customers = salon.customers(8).await;
    let asked = customers.iter().enumerate().map(|(number, customer)| {
        // In either order, and half of them an hour later: they meet in the middle.
        let services = if number % 2 == 0 { [cut, colour] } else { [colour, cut] };
        let start = if number % 4 < 2 { "10:00" } else { "11:00" };
        book(&salon, customer, visit_of(&with_anyone(&services), tuesday(start)))
    });
    let answers = futures::future::join_all(asked).await;
    assert!(
        answers.iter().all(|answer| matches!(answer, Ok(_) | Err(Error::VisitConflict(_)))),
        "{answers:?}"
    );
    let made = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(made, 2);
    assert_eq!(salon.count("SELECT count(*) FROM bookings").await, 4);
}

#[tokio::test]
async fn a_repeated_request_gets_its_first_answer_until_its_customer_is_erased() {
    let salon = Salon::open(1).await;
    let cut = salon.service(|_| ()).await;
    let mut new = visit_of(&with_anyone(&[cut, cut]), tuesday("10:00"));
    new.first.booker = contact();
    let key = IdempotencyKey::parse("visit-1").unwrap();
    let ask = async |new: NewVisit| bookings::create_visit(&salon.core, &salon.admin, &key, new).await;
    let first = ask(new.clone()).await.unwrap();
    let second = ask(new.clone()).await.unwrap();
    assert_eq!((second.replayed, &second.value), (true, &first.value));
    let other = ask(NewVisit { then: Vec::new(), ..new.clone() }).await;
    assert!(matches!(other, Err(Error::IdempotencyKeyReused)), "{other:?}");
    assert_eq!(salon.count("SELECT count(*) FROM bookings").await, 2);
    for one in &first.value.bookings {
        bookings::cancel(&salon.core, &salon.admin, one.id, ExpectedRev::Any).await.unwrap();
    }
    let customer = first.value.bookings[0].customer.as_ref().unwrap().id;
    privacy::erase_customer(&salon.core, &salon.admin, customer).await.unwrap();
    let stored = "SELECT count(*) FROM idempotency_keys WHERE scope LIKE 'visits.create:%'";
    assert_eq!(salon.count(stored).await, 0, "the answer held the name and the address");
}

#[tokio::test]
async fn who_may_book_a_visit_and_what_makes_no_sense() {
    let salon = Salon::open(1).await;
    let cut = salon.service(|_| ()).await;
    let customer = salon.customer().await;
    let one = visit_of(&with_anyone(&[cut]), tuesday("10:00"));
    let guest = NewVisit { first: NewBooking { booker: contact(), ..one.first.clone() }, then: Vec::new() };
    let answer = book(&salon, &Actor::Guest, guest.clone()).await;
    assert!(matches!(answer, Err(Error::LoginRequired)), "guests are not taken: {answer:?}");
    let answer = book(&salon, &customer, guest).await;
    assert!(matches!(answer, Err(Error::Forbidden)), "{answer:?}");
    let pressed = NewVisit { first: NewBooking { overriding: true, ..one.first.clone() }, then: Vec::new() };
    assert!(matches!(book(&salon, &customer, pressed).await, Err(Error::StaffOnly(_))));
    let six = visit_of(&with_anyone(&[cut; 6]), tuesday("10:00"));
    let answer = book(&salon, &customer, six).await;
    assert!(matches!(answer, Err(Error::Invalid { pointer: "/services", .. })), "{answer:?}");
    let held = NewVisit {
        first: NewBooking { slot: SlotSource::Hold(Uuid::nil()), ..one.first.clone() },
        then: Vec::new(),
    };
    assert!(matches!(book(&salon, &customer, held).await, Err(Error::Invalid { pointer: "/hold_id", .. })));
    let unknown = visit_of(&with_anyone(&[cut, Uuid::nil()]), tuesday("10:00"));
    assert!(matches!(book(&salon, &customer, unknown).await, Err(Error::NotFound("service"))));
    let nobody = salon.service(|spec| spec.staff_ids = Vec::new()).await;
    let answer = book(&salon, &customer, visit_of(&with_anyone(&[cut, nobody]), tuesday("10:00"))).await;
    let pointer = "/services/1/service_id";
    assert!(matches!(answer, Err(Error::Invalid { pointer: at, .. }) if at == pointer), "{answer:?}");
    assert_eq!(salon.count("SELECT count(*) FROM bookings").await, 0);
    assert_eq!(book(&salon, &customer, one).await.unwrap().bookings.len(), 1, "one service is a visit too");
}

pub(super) fn contact() -> Booker {
    Booker::Person(Contact {
        email: Some(email("carla")),
        name: name("Carla Customer"),
        phone: None,
        locale: None,
        zone: None,
        separate: false,
    })
}
