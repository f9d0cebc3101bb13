//! The list of slots and the check of a booking's start, on the tables.

use chrono::TimeDelta;
use punctual_core::calendar::{Limits, Refusal, class_id};
use punctual_core::services::ServicePatch;
use punctual_core::slots::{self, LoadedCalendars, SlotList, SlotQuery, StartQuery};
use punctual_core::staff::{self, StaffPatch};
use punctual_core::types::{Actor, ExpectedRev};
use punctual_core::{Error, services};
use uuid::Uuid;

use super::test_calendar::{TestCalendar, date, hour_long, tuesday};

fn query(test: &TestCalendar) -> SlotQuery {
    SlotQuery {
        service_id: test.service,
        staff_id: None,
        from: date("2027-05-04"),
        to: date("2027-05-04"),
        seats: 1,
        exclude_booking: None,
    }
}

/// `2027-05-04: 09:00 Ada 1, …`
fn readable(test: &TestCalendar, list: &SlotList) -> Vec<String> {
    let name = |id: &Uuid| if *id == test.staff[0] { "Ada" } else { "Ben" };
    list.days
        .iter()
        .map(|day| {
            let slots: Vec<String> = day
                .slots
                .iter()
                .map(|slot| {
                    let who: Vec<_> = slot.staff_ids.iter().map(name).collect();
                    format!("{} {} {}", slot.start.format("%H:%M"), who.join("+"), slot.seats_left)
                })
                .collect();
            format!("{}: {}", day.date, slots.join(", "))
        })
        .collect()
}

#[tokio::test]
async fn the_list_has_every_date_and_all_staff_of_each_start() {
    let test = TestCalendar::new().await;
    test.book(test.staff[1], tuesday("11:00"), "pending").await;
    test.book(test.staff[0], tuesday("09:00"), "cancelled").await;
    let days = SlotQuery { from: date("2027-05-02"), ..query(&test) };
    let list = slots::list(&test.core, &days).await.unwrap();
    assert_eq!(
        readable(&test, &list),
        [
            "2027-05-02: ",
            "2027-05-03: 09:00 Ada 1, 10:00 Ada+Ben 2, 11:00 Ada+Ben 2, 12:00 Ben 1",
            "2027-05-04: 09:00 Ada 1, 10:00 Ada+Ben 2, 11:00 Ada 1, 12:00 Ben 1",
        ]
    );
    assert_eq!(list.tz.name(), "Europe/Berlin");
    let ben = SlotQuery { staff_id: Some(test.staff[1]), ..query(&test) };
    let list = slots::list(&test.core, &ben).await.unwrap();
    assert_eq!(readable(&test, &list), ["2027-05-04: 10:00 Ben 1, 12:00 Ben 1"]);
}

#[tokio::test]
async fn a_hold_blocks_until_the_instant_it_runs_out() {
    let test = TestCalendar::new().await;
    let until = test.core.now() + TimeDelta::minutes(10);
    test.hold(test.staff[0], tuesday("09:00"), until).await;
    let ada = SlotQuery { staff_id: Some(test.staff[0]), ..query(&test) };
    test.clock.set(until - TimeDelta::microseconds(1));
    let list = slots::list(&test.core, &ada).await.unwrap();
    assert_eq!(readable(&test, &list), ["2027-05-04: 10:00 Ada 1, 11:00 Ada 1"]);
    test.clock.set(until);
    let list = slots::list(&test.core, &ada).await.unwrap();
    assert_eq!(readable(&test, &list), ["2027-05-04: 09:00 Ada 1, 10:00 Ada 1, 11:00 Ada 1"]);
}

#[tokio::test]
async fn a_booking_to_be_moved_does_not_stand_in_its_own_way() {
    let test = TestCalendar::new().await;
    let booking = test.book(test.staff[0], tuesday("10:00"), "confirmed").await;
    let ada = SlotQuery { staff_id: Some(test.staff[0]), ..query(&test) };
    let without = slots::list(&test.core, &ada).await.unwrap();
    assert_eq!(readable(&test, &without), ["2027-05-04: 09:00 Ada 1, 11:00 Ada 1"]);
    let moving = SlotQuery { exclude_booking: Some(booking), ..ada };
    let list = slots::list(&test.core, &moving).await.unwrap();
    assert_eq!(readable(&test, &list), ["2027-05-04: 09:00 Ada 1, 10:00 Ada 1, 11:00 Ada 1"]);
}

#[tokio::test]
async fn a_class_shows_the_seats_it_has_left() {
    let test = TestCalendar::new().await;
    let patch = ServicePatch { capacity: Some(3), ..ServicePatch::default() };
    services::update(&test.core, test.service, ExpectedRev::Any, patch).await.unwrap();
    let class = class_id(test.service, test.staff[0], tuesday("10:00"));
    for seat_no in [1, 2] {
        let id = punctual_queue::new_id(test.core.now());
        test.seat(id, test.service, test.staff[0], tuesday("10:00"), "confirmed", class, seat_no).await;
    }
    let list = slots::list(&test.core, &query(&test)).await.unwrap();
    assert_eq!(
        readable(&test, &list),
        ["2027-05-04: 09:00 Ada 3, 10:00 Ada+Ben 4, 11:00 Ada+Ben 6, 12:00 Ben 3"]
    );
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_by_name() {
    let test = TestCalendar::new().await;
    let ask = async |query: SlotQuery| slots::list(&test.core, &query).await.unwrap_err();
    let unknown = ask(SlotQuery { service_id: Uuid::nil(), ..query(&test) }).await;
    assert!(matches!(unknown, Error::NotFound("service")), "{unknown}");
    let stranger = ask(SlotQuery { staff_id: Some(Uuid::nil()), ..query(&test) }).await;
    assert!(matches!(stranger, Error::NotFound("staff")), "{stranger}");
    let reversed = ask(SlotQuery { to: date("2027-05-03"), ..query(&test) }).await;
    assert!(matches!(reversed, Error::Invalid { pointer: "/to", .. }), "{reversed}");
    let long = ask(SlotQuery { to: date("2027-06-04"), ..query(&test) }).await;
    assert!(matches!(long, Error::Invalid { pointer: "/to", .. }), "{long}");
    assert_eq!(
        slots::list(&test.core, &SlotQuery { to: date("2027-06-03"), ..query(&test) })
            .await
            .unwrap()
            .days
            .len(),
        31
    );

    let far = SlotQuery { from: date("+262000-01-01"), to: date("+262000-01-02"), ..query(&test) };
    assert!(slots::list(&test.core, &far).await.unwrap().days.iter().all(|day| day.slots.is_empty()));

    let away = StaffPatch { active: Some(false), ..StaffPatch::default() };
    staff::update(&test.core, test.staff[1], ExpectedRev::Any, away).await.unwrap();
    let inactive = ask(SlotQuery { staff_id: Some(test.staff[1]), ..query(&test) }).await;
    assert!(matches!(inactive, Error::NotFound("staff")), "{inactive}");
    let closed = ServicePatch { active: Some(false), ..ServicePatch::default() };
    services::update(&test.core, test.service, ExpectedRev::Any, closed).await.unwrap();
    let inactive = ask(query(&test)).await;
    assert!(matches!(inactive, Error::NotFound("service")), "{inactive}");
}

#[tokio::test]
async fn anyone_is_whoever_has_the_fewest_bookings_that_day_then_the_lower_id() {
    let test = TestCalendar::new().await;
    let [ada, ben] = test.staff;
    let conn = &mut *test.database.pool().acquire().await.unwrap();
    let terms = slots::terms(conn, test.service, None).await.unwrap();
    let order = async |conn: &mut sqlx::PgConnection, time| {
        let (now, start) = (test.core.now(), tuesday(time));
        let starts = [(start, terms.staff_ids.as_slice())];
        let loaded = LoadedCalendars::load(conn, now, terms.zone, &starts, &[]).await.unwrap();
        let ask = StartQuery { start, seats: 1, limits: Limits::Enforced, exclude: None };
        let answers = loaded.check_start(now, &terms, &terms.staff_ids, ask);
        answers.iter().map(|answer| answer.staff_id).collect::<Vec<_>>()
    };
    assert_eq!(order(conn, "10:00").await, [ada, ben]);
    test.book(ada, tuesday("09:00"), "confirmed").await;
    test.book(ben, tuesday("10:00") - TimeDelta::days(1), "confirmed").await;
    test.hold(ben, tuesday("12:00"), test.core.now()).await;
    assert_eq!(order(conn, "10:00").await, [ben, ada], "another day and a dead hold do not count");

    test.book(ben, tuesday("10:00"), "confirmed").await;
    let ask = StartQuery { start: tuesday("10:00"), seats: 1, limits: Limits::Enforced, exclude: None };
    let answers = slots::check_start(conn, test.core.now(), &terms, &[ben, ada], ask).await.unwrap();
    let readable: Vec<_> = answers.iter().map(|answer| (answer.staff_id, answer.place.map(drop))).collect();
    assert_eq!(readable, [(ben, Err(Refusal::Taken)), (ada, Ok(()))]);
}

#[tokio::test]
async fn three_alternatives_are_the_nearest_even_where_days_between_are_full() {
    let test = TestCalendar::new().await;
    let [ada, _] = test.staff;
    services::update(
        &test.core,
        test.service,
        ExpectedRev::Any,
        ServicePatch { staff_ids: Some(vec![ada]), ..ServicePatch::default() },
    )
    .await
    .unwrap();
    let conn = &mut *test.database.pool().acquire().await.unwrap();
    let terms = slots::terms(conn, test.service, Some(ada)).await.unwrap();
    let near = async |conn: &mut sqlx::PgConnection| -> Vec<String> {
        slots::alternatives(conn, test.core.now(), &terms, tuesday("10:00"), 1, None)
            .await
            .unwrap()
            .iter()
            .map(|slot| slot.start.format("%d. %H:%M").to_string())
            .collect()
    };
    test.book(ada, tuesday("10:00"), "confirmed").await;
    assert_eq!(near(conn).await, ["03. 11:00", "04. 09:00", "04. 11:00"]);
    for day in -1..=4 {
        for time in ["09:00", "10:00", "11:00"] {
            if (day, time) != (0, "10:00") {
                let start = tuesday(time) + TimeDelta::days(day);
                test.book(ada, start, "confirmed").await;
            }
        }
    }
    assert_eq!(near(conn).await, ["10. 09:00", "10. 10:00", "10. 11:00"]);
}

#[tokio::test]
async fn a_service_of_fifty_members_of_staff_is_listed() {
    let test = TestCalendar::new().await;
    let mut staff = test.staff.to_vec();
    while staff.len() < slots::MAX_STAFF {
        let new = staff::NewStaff {
            name: punctual_core::types::PersonName::parse("One more").unwrap(),
            email: None,
            user_id: None,
        };
        staff.push(staff::create(&test.core, &Actor::System, None, new).await.unwrap().value.id);
    }
    let service = services::create(&test.core, &Actor::System, None, hour_long(&staff)).await.unwrap().value;
    let list = slots::list(&test.core, &SlotQuery { service_id: service.id, ..query(&test) }).await.unwrap();
    assert_eq!(readable(&test, &list).len(), 1);
    staff.push(Uuid::nil());
    let refused = services::create(&test.core, &Actor::System, None, hour_long(&staff)).await.unwrap_err();
    assert!(matches!(refused, Error::Invalid { pointer: "/staff_ids", .. }), "{refused}");
}
