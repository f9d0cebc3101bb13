//! The list of slots and what a booking asks, from the tables.

use chrono::TimeDelta;
use punctual_core::calendar::{Limits, Refusal, class_id};
use punctual_core::services::ServicePatch;
use punctual_core::slots::{self, SlotList, SlotQuery, StartQuery};
use punctual_core::staff::{self, StaffPatch};
use punctual_core::types::ExpectedRev;
use punctual_core::{Error, services};
use uuid::Uuid;

use super::world::{World, date, hour_long, tuesday};

fn query(world: &World) -> SlotQuery {
    SlotQuery {
        service_id: world.service,
        staff_id: None,
        from: date("2027-05-04"),
        to: date("2027-05-04"),
        exclude_booking: None,
    }
}

/// `2027-05-04: 09:00 Ada 1, …`
fn readable(world: &World, list: &SlotList) -> Vec<String> {
    let name = |id: &Uuid| if *id == world.staff[0] { "Ada" } else { "Ben" };
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
    let world = World::new().await;
    world.book(world.staff[1], tuesday("11:00"), "pending").await;
    world.book(world.staff[0], tuesday("09:00"), "cancelled").await;
    let days = SlotQuery { from: date("2027-05-02"), ..query(&world) };
    let list = slots::list(&world.core, &days).await.unwrap();
    assert_eq!(
        readable(&world, &list),
        [
            "2027-05-02: ",
            "2027-05-03: 09:00 Ada 1, 10:00 Ada+Ben 2, 11:00 Ada+Ben 2, 12:00 Ben 1",
            "2027-05-04: 09:00 Ada 1, 10:00 Ada+Ben 2, 11:00 Ada 1, 12:00 Ben 1",
        ]
    );
    assert_eq!(list.tz.name(), "Europe/Berlin");
    let ben = SlotQuery { staff_id: Some(world.staff[1]), ..query(&world) };
    let list = slots::list(&world.core, &ben).await.unwrap();
    assert_eq!(readable(&world, &list), ["2027-05-04: 10:00 Ben 1, 12:00 Ben 1"]);
}

#[tokio::test]
async fn a_hold_blocks_until_the_instant_it_runs_out() {
    let world = World::new().await;
    let until = world.core.now() + TimeDelta::minutes(10);
    world.hold(world.staff[0], tuesday("09:00"), until).await;
    let ada = SlotQuery { staff_id: Some(world.staff[0]), ..query(&world) };
    world.clock.set(until - TimeDelta::microseconds(1));
    let list = slots::list(&world.core, &ada).await.unwrap();
    assert_eq!(readable(&world, &list), ["2027-05-04: 10:00 Ada 1, 11:00 Ada 1"]);
    world.clock.set(until);
    let list = slots::list(&world.core, &ada).await.unwrap();
    assert_eq!(readable(&world, &list), ["2027-05-04: 09:00 Ada 1, 10:00 Ada 1, 11:00 Ada 1"]);
}

#[tokio::test]
async fn a_booking_to_be_moved_does_not_stand_in_its_own_way() {
    let world = World::new().await;
    let booking = world.book(world.staff[0], tuesday("10:00"), "confirmed").await;
    let ada = SlotQuery { staff_id: Some(world.staff[0]), ..query(&world) };
    let without = slots::list(&world.core, &ada).await.unwrap();
    assert_eq!(readable(&world, &without), ["2027-05-04: 09:00 Ada 1, 11:00 Ada 1"]);
    let moving = SlotQuery { exclude_booking: Some(booking), ..ada };
    let list = slots::list(&world.core, &moving).await.unwrap();
    assert_eq!(readable(&world, &list), ["2027-05-04: 09:00 Ada 1, 10:00 Ada 1, 11:00 Ada 1"]);
}

#[tokio::test]
async fn a_class_shows_the_seats_it_has_left() {
    let world = World::new().await;
    let patch = ServicePatch { capacity: Some(3), ..ServicePatch::default() };
    services::update(&world.core, world.service, ExpectedRev::Any, patch).await.unwrap();
    let class = class_id(world.service, world.staff[0], tuesday("10:00"));
    for seat_no in [1, 2] {
        let id = punctual_queue::new_id(world.core.now());
        world.seat(id, world.service, world.staff[0], tuesday("10:00"), "confirmed", class, seat_no).await;
    }
    let list = slots::list(&world.core, &query(&world)).await.unwrap();
    assert_eq!(
        readable(&world, &list),
        ["2027-05-04: 09:00 Ada 3, 10:00 Ada+Ben 4, 11:00 Ada+Ben 6, 12:00 Ben 3"]
    );
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_by_name() {
    let world = World::new().await;
    let ask = async |query: SlotQuery| slots::list(&world.core, &query).await.unwrap_err();
    let unknown = ask(SlotQuery { service_id: Uuid::nil(), ..query(&world) }).await;
    assert!(matches!(unknown, Error::NotFound("service")), "{unknown}");
    let stranger = ask(SlotQuery { staff_id: Some(Uuid::nil()), ..query(&world) }).await;
    assert!(matches!(stranger, Error::NotFound("staff")), "{stranger}");
    let reversed = ask(SlotQuery { to: date("2027-05-03"), ..query(&world) }).await;
    assert!(matches!(reversed, Error::Invalid { pointer: "/to", .. }), "{reversed}");
    let long = ask(SlotQuery { to: date("2027-06-04"), ..query(&world) }).await;
    assert!(matches!(long, Error::Invalid { pointer: "/to", .. }), "{long}");
    assert_eq!(
        slots::list(&world.core, &SlotQuery { to: date("2027-06-03"), ..query(&world) })
            .await
            .unwrap()
            .days
            .len(),
        31
    );

    let far = SlotQuery { from: date("+262000-01-01"), to: date("+262000-01-02"), ..query(&world) };
    assert!(slots::list(&world.core, &far).await.unwrap().days.iter().all(|day| day.slots.is_empty()));

    let away = StaffPatch { active: Some(false), ..StaffPatch::default() };
    staff::update(&world.core, world.staff[1], ExpectedRev::Any, away).await.unwrap();
    let inactive = ask(SlotQuery { staff_id: Some(world.staff[1]), ..query(&world) }).await;
    assert!(matches!(inactive, Error::NotFound("staff")), "{inactive}");
    let closed = ServicePatch { active: Some(false), ..ServicePatch::default() };
    services::update(&world.core, world.service, ExpectedRev::Any, closed).await.unwrap();
    let inactive = ask(query(&world)).await;
    assert!(matches!(inactive, Error::NotFound("service")), "{inactive}");
}

#[tokio::test]
async fn anyone_is_whoever_has_the_fewest_bookings_that_day_then_the_lower_id() {
    let world = World::new().await;
    let [ada, ben] = world.staff;
    let conn = &mut *world.database.pool().acquire().await.unwrap();
    let terms = slots::terms(conn, world.service, None).await.unwrap();
    let order = async |conn: &mut sqlx::PgConnection, time| {
        slots::candidates(conn, world.core.now(), &terms, tuesday(time), None).await.unwrap()
    };
    assert_eq!(order(conn, "10:00").await, [ada, ben]);
    world.book(ada, tuesday("09:00"), "confirmed").await;
    world.book(ben, tuesday("10:00") - TimeDelta::days(1), "confirmed").await;
    world.hold(ben, tuesday("12:00"), world.core.now()).await;
    assert_eq!(order(conn, "10:00").await, [ben, ada], "another day and a dead hold do not count");

    world.book(ben, tuesday("10:00"), "confirmed").await;
    let ask = StartQuery { start: tuesday("10:00"), limits: Limits::Enforced, exclude: None };
    let answers = slots::check_start(conn, world.core.now(), &terms, &[ben, ada], ask).await.unwrap();
    let readable: Vec<_> = answers.iter().map(|answer| (answer.staff_id, answer.place.map(drop))).collect();
    assert_eq!(readable, [(ben, Err(Refusal::Taken)), (ada, Ok(()))]);
}

#[tokio::test]
async fn three_alternatives_are_the_nearest_even_where_days_between_are_full() {
    let world = World::new().await;
    let [ada, _] = world.staff;
    services::update(
        &world.core,
        world.service,
        ExpectedRev::Any,
        ServicePatch { staff_ids: Some(vec![ada]), ..ServicePatch::default() },
    )
    .await
    .unwrap();
    let conn = &mut *world.database.pool().acquire().await.unwrap();
    let terms = slots::terms(conn, world.service, Some(ada)).await.unwrap();
    let near = async |conn: &mut sqlx::PgConnection| -> Vec<String> {
        slots::alternatives(conn, world.core.now(), &terms, tuesday("10:00"), None)
            .await
            .unwrap()
            .iter()
            .map(|slot| slot.start.format("%d. %H:%M").to_string())
            .collect()
    };
    world.book(ada, tuesday("10:00"), "confirmed").await;
    assert_eq!(near(conn).await, ["03. 11:00", "04. 09:00", "04. 11:00"]);
    for day in -1..=4 {
        for time in ["09:00", "10:00", "11:00"] {
            if (day, time) != (0, "10:00") {
                let start = tuesday(time) + TimeDelta::days(day);
                world.book(ada, start, "confirmed").await;
            }
        }
    }
    assert_eq!(near(conn).await, ["10. 09:00", "10. 10:00", "10. 11:00"]);
}

#[tokio::test]
async fn a_service_of_fifty_members_of_staff_is_listed() {
    let world = World::new().await;
    let mut staff = world.staff.to_vec();
    while staff.len() < slots::MAX_STAFF {
        let new = staff::NewStaff {
            name: punctual_core::types::PersonName::parse("One more").unwrap(),
            email: None,
            user_id: None,
        };
        staff.push(staff::create(&world.core, new).await.unwrap().id);
    }
    let service = services::create(&world.core, hour_long(&staff)).await.unwrap();
    let list =
        slots::list(&world.core, &SlotQuery { service_id: service.id, ..query(&world) }).await.unwrap();
    assert_eq!(readable(&world, &list).len(), 1);
    staff.push(Uuid::nil());
    let refused = services::create(&world.core, hour_long(&staff)).await.unwrap_err();
    assert!(matches!(refused, Error::Invalid { pointer: "/staff_ids", .. }), "{refused}");
}
