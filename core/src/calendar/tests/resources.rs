use std::sync::Arc;

use uuid::Uuid;

use super::*;

const ROOM_1: Uuid = Uuid::from_u128(11);
const ROOM_2: Uuid = Uuid::from_u128(12);
const LASER: Uuid = Uuid::from_u128(21);

fn one(id: Uuid) -> Need {
    Need { candidates: vec![id], any: false }
}

fn any_room() -> Need {
    Need { candidates: vec![ROOM_1, ROOM_2], any: true }
}

/// Open all day, with these resources in use from 10:00 to 11:00.
fn with_used(used: &[(Uuid, u128)]) -> Calendar {
    let mut calendar = open_daily(berlin(), "09:00-18:00");
    let hour = span("2027-05-04T10:00:00+02:00", "2027-05-04T11:00:00+02:00");
    let times: Vec<(Uuid, Vec<Seats>)> =
        used.iter().map(|(id, class)| (*id, vec![booked(*class, hour, 0, 0)])).collect();
    calendar.resources = Arc::new(BusyResources::new(times.iter().map(|(id, seats)| (id, seats))));
    calendar
}

fn ask(calendar: &Calendar, rules: &ServiceRules, time: &str) -> Result<Vec<Uuid>, Refusal> {
    let start = at(&format!("2027-05-04T{time}:00+02:00"));
    let now = at("2027-05-01T10:00:00+02:00");
    is_bookable(calendar, rules, start, now, Limits::Enforced).map(|place| place.resources.ids().collect())
}

#[test]
fn a_service_gets_all_it_needs_and_any_one_of_a_kind_that_is_free_for_its_buffers_too() {
    let calendar = with_used(&[(ROOM_1, 1)]);
    let rules = ServiceRules { needs: vec![one(LASER), any_room()], ..service(60, 60) };
    assert_eq!(ask(&calendar, &rules, "09:00"), Ok(vec![LASER, ROOM_1]));
    assert_eq!(ask(&calendar, &rules, "10:00"), Ok(vec![LASER, ROOM_2]), "the first room is in use");
    let buffered = ServiceRules { buffer_after_min: 10, needs: vec![one(ROOM_1)], ..service(60, 60) };
    let blocker = Blocker { resource_id: Some(ROOM_1), any: false };
    assert_eq!(ask(&calendar, &buffered, "09:00"), Err(Refusal::ResourceTaken(blocker)));
    assert_eq!(ask(&calendar, &buffered, "11:00"), Ok(vec![ROOM_1]));
}

#[test]
fn a_slot_for_which_a_resource_is_missing_is_not_offered() {
    let rules = ServiceRules { needs: vec![any_room()], ..service(60, 60) };
    let both = with_used(&[(ROOM_1, 1), (ROOM_2, 2)]);
    let times = starts_of_day(&both, &rules, "2027-05-04", "2027-05-01T10:00:00+02:00");
    assert!(!times.iter().any(|time| time.starts_with("10:00")) && times.len() == 8, "{times:?}");
    let none = ServiceRules { needs: vec![Need { candidates: Vec::new(), any: true }], ..service(60, 60) };
    assert!(starts_of_day(&both, &none, "2027-05-04", "2027-05-01T10:00:00+02:00").is_empty());
}

#[test]
fn one_resource_never_meets_two_needs_of_one_booking() {
    let rules = ServiceRules { needs: vec![one(ROOM_1), any_room()], ..service(60, 60) };
    assert_eq!(ask(&with_used(&[]), &rules, "10:00"), Ok(vec![ROOM_1, ROOM_2]));
    let used = with_used(&[(ROOM_2, 1)]);
    let blocker = Blocker { resource_id: Some(ROOM_1), any: true };
    assert_eq!(ask(&used, &rules, "10:00"), Err(Refusal::ResourceTaken(blocker)));
}

#[test]
fn the_seats_of_a_class_share_their_room() {
    let rules = ServiceRules { capacity: 3, needs: vec![any_room()], ..service(60, 60) };
    let start = at("2027-05-04T10:00:00+02:00");
    let class = class_id(SERVICE, STAFF, start).as_u128();
    let mut calendar = with_used(&[(ROOM_2, class)]);
    let hour = span("2027-05-04T10:00:00+02:00", "2027-05-04T11:00:00+02:00");
    calendar.busy = Busy::new([booked(class, hour, 0, 0)]);
    assert_eq!(
        ask(&calendar, &rules, "10:00"),
        Ok(vec![ROOM_2]),
        "not the first room, which is free as well"
    );
}
