//! Visits and changes around them: closures, holds, rooms, moves of one service, the clock change and classes.

use chrono::TimeDelta;
use punctual_core::bookings::{self, BookingStatus, Move, NewHold, RequestedSlot};
use punctual_core::calendar::Span;
use punctual_core::hours::{self, Closure};
use punctual_core::resources::{self, NewOutage, NewResource, ServiceNeeds};
use punctual_core::slots::VisitService;
use punctual_core::types::{ExpectedRev, Label, Reason};
use uuid::Uuid;

use super::salon::{Salon, at, tuesday};
use super::visits::{book, contact, refused, starts, times, visit_of, with_anyone};

#[tokio::test]
async fn what_happens_in_the_middle_of_a_visit_stands_in_its_way() {
    let salon = Salon::open(1).await;
    let cut = salon.service(|_| ()).await;
    let customer = salon.customer().await;
    let wanted = with_anyone(&[cut, cut]);
    let ask = async |date: &str| {
        let start = at(&format!("2027-05-{date}T10:00:00+02:00"));
        book(&salon, &customer, visit_of(&wanted, start)).await
    };
    // Closed from 11 to 12.
    let closure = Closure {
        date: "2027-05-05".parse().unwrap(),
        hours: Some(("11:00".parse().unwrap(), "12:00".parse().unwrap())),
        reason: Reason::default(),
    };
    hours::close(&salon.core, closure).await.unwrap();
    let closed = refused(ask("05").await);
    assert_eq!((closed.no, closed.code), (2, "outside_hours"));
    assert!(
        starts(&salon, &wanted, "2027-05-05")
            .await
            .iter()
            .all(|slot| slot.start != at("2027-05-05T10:00:00+02:00"))
    );
    // Somebody holds 11:30.
    let slot =
        RequestedSlot { service_id: cut, staff_id: None, start: at("2027-05-06T11:30:00+02:00"), seats: 1 };
    let held =
        bookings::hold(&salon.core, &salon.admin, "", None, NewHold { slot, minutes: 10 }).await.unwrap();
    let in_the_way = refused(ask("06").await);
    assert_eq!((in_the_way.no, in_the_way.code), (2, "slot_taken"));
    salon.wait(TimeDelta::minutes(10));
    ask("06").await.unwrap();
    let expired = bookings::get(&salon.core, &salon.admin, held.value.id).await.unwrap();
    assert_eq!(expired.status, BookingStatus::Expired);
}

#[tokio::test]
async fn a_service_of_a_visit_is_moved_and_cancelled_by_itself() {
    let salon = Salon::open(1).await;
    let cut = salon.service(|_| ()).await;
    let customer = salon.customer().await;
    let wanted = with_anyone(&[cut, cut, cut]);
    let visit = book(&salon, &customer, visit_of(&wanted, tuesday("10:00"))).await.unwrap();
    let [first, second, third] = [0, 1, 2].map(|n| visit.bookings[n].id);
    let later = Move::to(tuesday("15:00"), None);
    bookings::reschedule(&salon.core, &customer, second, ExpectedRev::Any, later).await.unwrap();
    bookings::cancel(&salon.core, &customer, first, ExpectedRev::Any).await.unwrap();
    let mut seen = Vec::new();
    for id in [first, second, third] {
        let one = bookings::get(&salon.core, &customer, id).await.unwrap();
        seen.push((one.status, one.start.format("%H:%M").to_string(), one.rev.0));
    }
    let expected = [
        (BookingStatus::Cancelled, "10:00".to_owned(), 2),
        (BookingStatus::Confirmed, "15:00".to_owned(), 2),
        (BookingStatus::Confirmed, "12:00".to_owned(), 1),
    ];
    assert_eq!(seen, expected);
    // The places that were left are free again, for a visit of two.
    book(&salon, &customer, visit_of(&wanted[..2], tuesday("10:00"))).await.unwrap();
}

#[tokio::test]
async fn services_of_a_visit_share_rooms_as_bookings_do() {
    let salon = Salon::open(2).await;
    let [cut, colour] = [salon.service(|spec| spec.buffer_after_min = 15).await, salon.service(|_| ()).await];
    let label = |text: &str| Label::parse(text).unwrap();
    let new = NewResource { name: label("Basin"), kind: label("basin") };
    let basin = resources::create(&salon.core, &salon.admin, None, new).await.unwrap().value.id;
    for service in [cut, colour] {
        let needs = ServiceNeeds { all: vec![basin], any: Vec::new(), rev: None };
        resources::put_needs(&salon.core, service, ExpectedRev::Any, needs).await.unwrap();
    }
    let customer = salon.customer().await;
    let [one, other] = [salon.staff[0], salon.staff[1]];
    let wanted = [
        VisitService { service_id: cut, staff_id: Some(one) },
        VisitService { service_id: colour, staff_id: Some(other) },
    ];
    let visit = book(&salon, &customer, visit_of(&wanted, tuesday("10:00"))).await.unwrap();
    assert_eq!(
        times(&visit.bookings),
        [("10:00".into(), "11:00".into(), one), ("11:15".into(), "12:15".into(), other)],
        "the basin is cleaned for a quarter of an hour"
    );
    let doubled = "SELECT count(*) FROM booking_resources a JOIN booking_resources b
        ON a.booking_id < b.booking_id AND a.resource_id = b.resource_id AND a.blocked && b.blocked";
    assert_eq!(salon.count(doubled).await, 0);
    assert_eq!(salon.count("SELECT count(*) FROM booking_resources").await, 2);
    let during = Span::new(tuesday("15:30"), tuesday("16:30")).unwrap();
    let outage = NewOutage { during, reason: Reason::default() };
    resources::add_outage(&salon.core, &salon.admin, None, basin, outage).await.unwrap();
    let broken = refused(book(&salon, &customer, visit_of(&wanted, tuesday("14:00"))).await);
    assert_eq!((broken.no, broken.code), (2, "slot_taken"));
    assert_eq!(broken.blocked_by.unwrap().name.as_deref(), Some("Basin"));
    assert_eq!(broken.alternatives.len(), 3);
}

#[tokio::test]
async fn a_visit_in_the_night_of_the_clock_change_takes_its_minutes() {
    let salon = Salon::open(1).await;
    let cut = salon.service(|spec| spec.horizon_days = 365).await;
    let mut new = visit_of(&with_anyone(&[cut, cut]), at("2027-10-31T01:30:00+02:00"));
    new.first.overriding = true;
    new.first.booker = contact();
    let visit = book(&salon, &salon.admin, new).await.unwrap();
    let spans: Vec<_> =
        visit.bookings.iter().map(|one| (one.start.to_rfc3339(), one.end.to_rfc3339())).collect();
    let expected = [
        ("2027-10-31T01:30:00+02:00", "2027-10-31T02:30:00+02:00"),
        ("2027-10-31T02:30:00+02:00", "2027-10-31T02:30:00+01:00"),
    ];
    assert_eq!(spans, expected.map(|(start, end)| (start.to_owned(), end.to_owned())));
}

#[tokio::test]
async fn a_class_in_a_visit_begins_as_planned() {
    let salon = Salon::open(2).await;
    let cut = salon.service(|_| ()).await;
    let yoga = salon.service(|spec| (spec.capacity, spec.staff_ids) = (4, vec![salon.staff[1]])).await;
    let short = salon.service(|spec| spec.duration_min = 45).await;
    let customer = salon.customer().await;
    let fits = book(&salon, &customer, visit_of(&with_anyone(&[cut, yoga]), tuesday("10:00"))).await.unwrap();
    assert_eq!(fits.bookings[1].start, tuesday("11:00"));
    let other = salon.customer().await;
    let same = book(&salon, &other, visit_of(&with_anyone(&[cut, yoga]), tuesday("10:00"))).await;
    let staff: Vec<Uuid> = same.unwrap().bookings.iter().map(|booking| booking.staff.id).collect();
    assert_eq!(staff, [salon.staff[1]; 2], "the other cuts before the class, which has more seats");
    assert_eq!(salon.count("SELECT count(DISTINCT class_id) FROM bookings").await, 3);
    let early =
        refused(book(&salon, &customer, visit_of(&with_anyone(&[short, yoga]), tuesday("14:00"))).await);
    assert_eq!((early.no, early.code), (2, "off_grid"));
}
