//! The worked cases of the time rules, to the instant.

use super::*;

const EARLIER: &str = "2027-01-01T00:00:00Z";

#[test]
fn spring_leaves_five_slots_of_a_night_of_six_hours() {
    let calendar = open_on(berlin(), Weekday::Sun, "00:00-06:00");
    assert_eq!(
        starts_of_day(&calendar, &service(60, 60), "2027-03-28", EARLIER),
        ["00:00+01:00", "01:00+01:00", "03:00+02:00", "04:00+02:00", "05:00+02:00"]
    );
    let gap = is_bookable(
        &calendar,
        &service(60, 60),
        at("2027-03-28T06:00:00+02:00"),
        at(EARLIER),
        Limits::Enforced,
    );
    assert_eq!(gap, Err(Refusal::OutsideHours));
}

#[test]
fn autumn_gives_seven_and_both_two_oclocks_can_be_booked() {
    let calendar = open_on(berlin(), Weekday::Sun, "00:00-06:00");
    let rules = service(60, 60);
    assert_eq!(
        starts_of_day(&calendar, &rules, "2027-10-31", EARLIER),
        [
            "00:00+02:00",
            "01:00+02:00",
            "02:00+02:00",
            "02:00+01:00",
            "03:00+01:00",
            "04:00+01:00",
            "05:00+01:00"
        ]
    );
    for start in ["2027-10-31T02:00:00+02:00", "2027-10-31T02:00:00+01:00"] {
        let place = is_bookable(&calendar, &rules, at(start), at(EARLIER), Limits::Enforced).unwrap();
        assert_eq!(place.during.start(), at(start));
    }
}

#[test]
fn a_night_past_midnight_belongs_to_the_dates_its_slots_start_on() {
    let calendar = open_on(berlin(), Weekday::Fri, "22:00-02:00");
    assert_eq!(
        starts(&calendar, &service(60, 30), "2027-05-07", "2027-05-08", EARLIER),
        [
            "2027-05-07 22:00+02:00",
            "2027-05-07 22:30+02:00",
            "2027-05-07 23:00+02:00",
            "2027-05-07 23:30+02:00",
            "2027-05-08 00:00+02:00",
            "2027-05-08 00:30+02:00",
            "2027-05-08 01:00+02:00"
        ]
    );
}

#[test]
fn an_override_that_closes_saturday_cuts_fridays_night_at_midnight() {
    let mut calendar = open_on(berlin(), Weekday::Fri, "22:00-02:00");
    calendar.overrides.insert(date("2027-05-08"), Vec::new());
    assert_eq!(
        starts(&calendar, &service(60, 30), "2027-05-07", "2027-05-08", EARLIER),
        ["2027-05-07 22:00+02:00", "2027-05-07 22:30+02:00", "2027-05-07 23:00+02:00"]
    );
}

#[test]
fn buffers_keep_clear_of_a_neighbours_blocked_time_but_may_pass_closing() {
    let mut calendar = open_on(berlin(), Weekday::Tue, "09:00-13:00");
    let neighbour = Seats {
        class_id: Uuid::from_u128(1),
        during: span("2027-05-04T10:00:00+02:00", "2027-05-04T11:00:00+02:00"),
        blocked: span("2027-05-04T09:50:00+02:00", "2027-05-04T11:05:00+02:00"),
        count: 1,
        held_until: None,
    };
    calendar.busy = Busy::new([neighbour]);
    let rules = ServiceRules { buffer_before_min: 10, buffer_after_min: 5, ..service(60, 15) };
    assert_eq!(
        starts_of_day(&calendar, &rules, "2027-05-04", EARLIER),
        ["11:15+02:00", "11:30+02:00", "11:45+02:00", "12:00+02:00"]
    );
    let taken =
        is_bookable(&calendar, &rules, at("2027-05-04T11:00:00+02:00"), at(EARLIER), Limits::Enforced);
    assert_eq!(taken, Err(Refusal::Taken));
    let last = is_bookable(&calendar, &rules, at("2027-05-04T12:00:00+02:00"), at(EARLIER), Limits::Enforced);
    assert_eq!(last.unwrap().blocked, span("2027-05-04T11:50:00+02:00", "2027-05-04T13:05:00+02:00"));
}

#[test]
fn a_reminder_the_day_before_follows_the_wall_clock_and_an_offset_the_elapsed_time() {
    let start = at("2027-03-28T14:00:00+02:00");
    let day_before = ReminderRule::DayBeforeAt { at: "09:00".parse().unwrap() };
    assert_eq!(reminder_due(day_before, start, berlin()), at("2027-03-27T08:00:00Z"));
    assert_eq!(
        reminder_due(ReminderRule::Offset { minutes: 1440 }, start, berlin()),
        at("2027-03-27T12:00:00Z")
    );
}

#[test]
fn a_class_of_two_takes_two_and_another_service_none_of_it() {
    let mut calendar = open_on(berlin(), Weekday::Tue, "09:00-13:00");
    let (start, now) = (at("2027-05-04T10:00:00+02:00"), at(EARLIER));
    let yoga = ServiceRules { capacity: 2, ..service(60, 60) };
    let mut seats = Vec::new();
    for seats_left in [2, 1] {
        let place = is_bookable(&calendar, &yoga, start, now, Limits::Enforced).unwrap();
        assert_eq!(place.seats_left, seats_left);
        seats.push(Seats {
            class_id: place.class_id.unwrap(),
            during: place.during,
            blocked: place.blocked,
            count: 1,
            held_until: None,
        });
        calendar.busy = Busy::new(seats.clone());
    }
    assert_eq!(is_bookable(&calendar, &yoga, start, now, Limits::Enforced), Err(Refusal::Taken));
    let massage = ServiceRules { service_id: Uuid::from_u128(2), ..service(60, 60) };
    assert_eq!(is_bookable(&calendar, &massage, start, now, Limits::Enforced), Err(Refusal::Taken));
}
