//! Each rule on its own, at its edges.

use super::*;

const EARLIER: &str = "2027-01-01T00:00:00Z";

fn ask(calendar: &Calendar, rules: &ServiceRules, start: &str, now: &str) -> Result<(), Refusal> {
    is_bookable(calendar, rules, at(start), at(now), Limits::Enforced).map(drop)
}

#[test]
fn notice_is_inclusive() {
    let calendar = open_daily(berlin(), "09:00-17:00");
    let rules = ServiceRules { min_notice_min: 120, ..service(30, 30) };
    let start = "2027-05-04T12:00:00+02:00";
    assert_eq!(ask(&calendar, &rules, start, "2027-05-04T10:00:00+02:00"), Ok(()));
    assert_eq!(ask(&calendar, &rules, start, "2027-05-04T10:00:00.000001+02:00"), Err(Refusal::TooSoon));
    assert_eq!(ask(&calendar, &rules, start, "2027-05-04T12:00:00.000001+02:00"), Err(Refusal::StartInPast));
    assert_eq!(ask(&calendar, &service(30, 30), start, start), Ok(()), "without notice: now is soon enough");
}

#[test]
fn the_horizon_counts_civil_days_and_includes_the_last() {
    let calendar = open_daily(berlin(), "00:00-24:00");
    let rules = ServiceRules { horizon_days: 1, ..service(30, 30) };
    for now in ["2027-05-04T00:00:00+02:00", "2027-05-04T23:59:00+02:00"] {
        assert_eq!(ask(&calendar, &rules, "2027-05-05T23:30:00+02:00", now), Ok(()));
        assert_eq!(ask(&calendar, &rules, "2027-05-06T00:00:00+02:00", now), Err(Refusal::TooFar));
    }
}

#[test]
fn refusals_come_in_one_order() {
    let mut calendar = open_daily(berlin(), "09:00-17:00");
    calendar.busy =
        Busy::new([booked(1, span("2027-05-04T12:00:00+02:00", "2027-05-04T13:00:00+02:00"), 0, 0)]);
    let rules = service(60, 60);
    assert_eq!(ask(&calendar, &rules, "2027-05-04T16:30:00+02:00", EARLIER), Err(Refusal::OutsideHours));
    assert_eq!(ask(&calendar, &rules, "2027-05-04T12:30:00+02:00", EARLIER), Err(Refusal::OffGrid));
    assert_eq!(ask(&calendar, &rules, "2027-05-04T12:00:00+02:00", EARLIER), Err(Refusal::Taken));
    assert_eq!(ask(&calendar, &rules, "2027-05-04T13:00:00+02:00", EARLIER), Ok(()), "bookings may touch");
}

#[test]
fn staff_override_grid_hours_notice_and_horizon_but_no_booking_and_no_earlier_day() {
    let mut calendar = open_daily(berlin(), "09:00-17:00");
    calendar.busy =
        Busy::new([booked(1, span("2027-05-04T12:00:00+02:00", "2027-05-04T13:00:00+02:00"), 0, 0)]);
    let rules = ServiceRules { min_notice_min: 600, horizon_days: 1, ..service(60, 60) };
    let overridden = |start: &str, now: &str| {
        is_bookable(&calendar, &rules, at(start), at(now), Limits::Overridden).map(drop)
    };
    let now = "2027-05-03T12:00:00+02:00";
    assert_eq!(overridden("2027-05-04T20:07:00+02:00", now), Ok(()));
    assert_eq!(overridden("2028-05-04T20:07:00+02:00", now), Ok(()));
    assert_eq!(overridden("2027-05-03T12:01:00+02:00", now), Ok(()));
    assert_eq!(overridden("2027-05-04T12:30:00+02:00", now), Err(Refusal::Taken));
    assert_eq!(overridden("2027-05-03T00:00:00+02:00", now), Ok(()), "somebody who came without a booking");
    assert_eq!(overridden("2027-05-02T23:59:00+02:00", now), Err(Refusal::StartInPast));
    let now = "2027-05-03T00:00:00+02:00";
    assert_eq!(overridden("2027-05-02T23:59:00+02:00", now), Err(Refusal::StartInPast), "at midnight");
    let now = "2027-05-03T12:00:00+02:00";
    assert_eq!(
        overridden("2027-05-04T20:07:30+02:00", now),
        Err(Refusal::OffGrid),
        "starts are whole minutes"
    );
    assert_eq!(overridden("2038-05-04T20:07:00+02:00", now), Err(Refusal::TooFar), "ten years are enough");
}

#[test]
fn a_booking_that_keeps_its_start_is_asked_about_hours_and_neighbours_only() {
    let mut calendar = open_daily(berlin(), "09:00-17:00");
    calendar.busy =
        Busy::new([booked(1, span("2027-05-04T12:00:00+02:00", "2027-05-04T13:00:00+02:00"), 0, 0)]);
    let rules = ServiceRules { min_notice_min: 600, horizon_days: 1, ..service(60, 60) };
    let now = at("2027-05-04T11:20:00+02:00");
    let ask = |start| is_bookable(&calendar, &rules, at(start), now, Limits::InPlace).map(drop);
    assert_eq!(ask("2027-05-04T10:45:00+02:00"), Ok(()), "it began, and its start is no slot");
    assert_eq!(ask("2027-05-04T11:15:00+02:00"), Err(Refusal::Taken));
    assert_eq!(ask("2027-05-04T16:30:00+02:00"), Err(Refusal::OutsideHours));
    assert_eq!(ask("2027-05-03T10:00:00+02:00"), Err(Refusal::StartInPast));
}

#[test]
fn instants_at_the_end_of_all_time_are_refused_not_computed_with() {
    let calendar = open_daily(berlin(), "00:00-24:00");
    let (rules, now) = (service(60, 60), at(EARLIER));
    for limits in [Limits::Enforced, Limits::Overridden, Limits::InPlace] {
        let ask = |start| is_bookable(&calendar, &rules, start, now, limits);
        assert_eq!(ask(DateTime::<Utc>::MAX_UTC), Err(Refusal::TooFar));
        assert_eq!(ask(DateTime::<Utc>::MIN_UTC), Err(Refusal::StartInPast));
    }
}

#[test]
fn each_window_keeps_its_own_grid_and_equal_starts_are_listed_once() {
    let rules = service(60, 60);
    let calendar = open_on(berlin(), Weekday::Tue, "09:00-11:20 11:20-14:00");
    assert_eq!(
        starts_of_day(&calendar, &rules, "2027-05-04", EARLIER),
        ["09:00+02:00", "10:00+02:00", "11:00+02:00", "11:20+02:00", "12:20+02:00"],
        "11:00 runs on into the window that touches"
    );
    let calendar = open_on(berlin(), Weekday::Tue, "09:00-12:00 10:00-13:00");
    assert_eq!(
        starts_of_day(&calendar, &rules, "2027-05-04", EARLIER),
        ["09:00+02:00", "10:00+02:00", "11:00+02:00", "12:00+02:00"]
    );
}

#[test]
fn a_break_and_time_off_are_holes() {
    let rules = service(60, 30);
    let mut calendar = open_on(berlin(), Weekday::Tue, "09:00-11:00 12:00-15:00");
    assert_eq!(
        starts_of_day(&calendar, &rules, "2027-05-04", EARLIER),
        [
            "09:00+02:00",
            "09:30+02:00",
            "10:00+02:00",
            "12:00+02:00",
            "12:30+02:00",
            "13:00+02:00",
            "13:30+02:00",
            "14:00+02:00"
        ]
    );
    calendar.time_off = vec![
        span("2027-05-04T13:15:00+02:00", "2027-05-04T13:45:00+02:00"),
        span("2027-05-04T08:00:00+02:00", "2027-05-04T09:20:00+02:00"),
    ];
    assert_eq!(
        starts_of_day(&calendar, &rules, "2027-05-04", EARLIER),
        ["09:30+02:00", "10:00+02:00", "12:00+02:00", "14:00+02:00"],
        "the grid keeps its anchor: time off moves no start"
    );
}

#[test]
fn a_closure_beats_an_override_and_an_override_the_week() {
    let rules = service(60, 60);
    let mut calendar = open_daily(berlin(), "09:00-10:00");
    calendar.overrides.insert(date("2027-05-04"), vec![window("15:00-16:00")]);
    calendar.overrides.insert(date("2027-05-05"), vec![window("15:00-16:00")]);
    close_on(&mut calendar, &["2027-05-05"]);
    assert_eq!(
        starts(&calendar, &rules, "2027-05-03", "2027-05-06", EARLIER),
        ["2027-05-03 09:00+02:00", "2027-05-04 15:00+02:00", "2027-05-06 09:00+02:00"]
    );
}

#[test]
fn an_owned_day_cuts_the_night_before_but_its_own_night_runs_on() {
    let rules = service(60, 60);
    let mut calendar = open_daily(berlin(), "22:00-02:00");
    calendar.overrides.insert(date("2027-05-05"), vec![window("23:00-01:00")]);
    assert_eq!(
        starts(&calendar, &rules, "2027-05-04", "2027-05-06", EARLIER)[2..],
        [
            "2027-05-04 22:00+02:00",
            "2027-05-04 23:00+02:00",
            "2027-05-05 23:00+02:00",
            "2027-05-06 00:00+02:00",
            "2027-05-06 22:00+02:00",
            "2027-05-06 23:00+02:00"
        ],
        "the first two are the night of the 3rd"
    );
}

#[test]
fn windows_may_last_until_24_00_and_for_a_whole_day() {
    let rules = service(60, 60);
    let evening = open_on(berlin(), Weekday::Tue, "22:00-24:00");
    assert_eq!(starts(&evening, &rules, "2027-05-04", "2027-05-05", EARLIER).len(), 2);
    let whole = open_on(berlin(), Weekday::Tue, "09:00-09:00");
    assert_eq!(starts(&whole, &rules, "2027-05-04", "2027-05-05", EARLIER).len(), 24);
    let always = open_daily(berlin(), "00:00-24:00");
    let day_long = service(1440, 60);
    assert_eq!(
        starts_of_day(&always, &day_long, "2027-05-04", EARLIER).len(),
        24,
        "through midnights that touch"
    );
}

#[test]
fn an_opening_inside_the_gap_is_at_the_leap_and_anchors_there() {
    let calendar = open_on(berlin(), Weekday::Sun, "02:20-05:00");
    assert_eq!(
        starts_of_day(&calendar, &service(30, 45), "2027-03-28", EARLIER),
        ["03:00+02:00", "03:45+02:00", "04:30+02:00"]
    );
    let swallowed = open_on(berlin(), Weekday::Sun, "02:10-02:50");
    assert!(starts_of_day(&swallowed, &service(5, 5), "2027-03-28", EARLIER).is_empty());
}

#[test]
fn a_closing_inside_the_repeated_hour_is_its_second_occurrence() {
    let calendar = open_on(berlin(), Weekday::Sun, "01:30-02:30");
    assert_eq!(
        starts_of_day(&calendar, &service(60, 30), "2027-10-31", EARLIER),
        ["01:30+02:00", "02:00+02:00", "02:30+02:00"],
        "two elapsed hours"
    );
}

#[test]
fn a_midnight_that_occurs_twice_ends_the_day_before_at_the_second_and_begins_an_owned_day_at_the_first() {
    // Havana sets its clocks from 01:00 back to 00:00 on Sunday 2027-11-07.
    let rules = service(60, 60);
    let mut calendar = open_on(zone("America/Havana"), Weekday::Sat, "22:00-24:00");
    assert_eq!(
        starts(&calendar, &rules, "2027-11-06", "2027-11-07", EARLIER),
        ["2027-11-06 22:00-04:00", "2027-11-06 23:00-04:00", "2027-11-07 00:00-04:00"]
    );
    close_on(&mut calendar, &["2027-11-07"]);
    assert_eq!(
        starts(&calendar, &rules, "2027-11-06", "2027-11-07", EARLIER),
        ["2027-11-06 22:00-04:00", "2027-11-06 23:00-04:00"]
    );
}

#[test]
fn a_midnight_that_does_not_exist_is_the_leap() {
    // Cairo's Friday 2027-04-30 begins at 01:00.
    let rules = service(60, 60);
    let mut calendar = open_daily(zone("Africa/Cairo"), "22:00-02:00");
    assert_eq!(
        starts(&calendar, &rules, "2027-04-29", "2027-04-30", EARLIER)[2..5],
        ["2027-04-29 22:00+02:00", "2027-04-29 23:00+02:00", "2027-04-30 01:00+03:00"]
    );
    close_on(&mut calendar, &["2027-04-30"]);
    assert_eq!(starts(&calendar, &rules, "2027-04-29", "2027-04-30", EARLIER).len(), 4);
}

#[test]
fn a_day_that_was_skipped_has_no_slots_and_its_neighbours_keep_theirs() {
    // Apia went from Thursday 2011-12-29 24:00 to Saturday 2011-12-31 00:00.
    let calendar = open_daily(zone("Pacific/Apia"), "09:00-11:00 22:00-02:00");
    assert_eq!(
        starts(&calendar, &service(60, 60), "2011-12-29", "2011-12-31", "2011-12-01T00:00:00Z"),
        [
            "2011-12-29 00:00-10:00",
            "2011-12-29 01:00-10:00",
            "2011-12-29 09:00-10:00",
            "2011-12-29 10:00-10:00",
            "2011-12-29 22:00-10:00",
            "2011-12-29 23:00-10:00",
            "2011-12-31 00:00+14:00",
            "2011-12-31 01:00+14:00",
            "2011-12-31 09:00+14:00",
            "2011-12-31 10:00+14:00",
            "2011-12-31 22:00+14:00",
            "2011-12-31 23:00+14:00"
        ],
        "the skipped Friday's night opens at the leap and closes on Saturday at 02:00"
    );
}

#[test]
fn a_later_seat_takes_the_ranges_its_class_was_made_with() {
    let mut calendar = open_on(berlin(), Weekday::Tue, "09:00-13:00");
    let start = at("2027-05-04T10:00:00+02:00");
    let class = Seats {
        class_id: class_id(SERVICE, STAFF, start),
        during: span("2027-05-04T10:00:00+02:00", "2027-05-04T11:30:00+02:00"),
        blocked: span("2027-05-04T09:45:00+02:00", "2027-05-04T11:45:00+02:00"),
        count: 1,
        held_until: None,
    };
    calendar.busy = Busy::new([class]);
    let rules = ServiceRules { capacity: 3, ..service(60, 30) };
    let offered = slots(&calendar, &rules, date("2027-05-04"), date("2027-05-04"), at(EARLIER));
    let of_class = offered.iter().find(|slot| slot.start == start).unwrap();
    assert_eq!((of_class.end, of_class.seats_left), (at("2027-05-04T11:30:00+02:00"), 2));
    let place = is_bookable(&calendar, &rules, start, at(EARLIER), Limits::Enforced).unwrap();
    assert_eq!(
        (place.during, place.blocked, place.class_id),
        (class.during, class.blocked, Some(class.class_id))
    );
    assert_eq!(
        ask(&calendar, &rules, "2027-05-04T10:30:00+02:00", EARLIER),
        Err(Refusal::Taken),
        "another class"
    );
}

#[test]
fn reminders_in_a_gap_come_at_the_leap_and_in_an_overlap_the_first_time() {
    let rule = |at: &str| ReminderRule::DayBeforeAt { at: at.parse().unwrap() };
    let monday = at("2027-03-29T10:00:00+02:00");
    assert_eq!(reminder_due(rule("02:30"), monday, berlin()), at("2027-03-28T03:00:00+02:00"));
    let monday = at("2027-11-01T10:00:00+01:00");
    assert_eq!(reminder_due(rule("02:30"), monday, berlin()), at("2027-10-31T02:30:00+02:00"));
}

#[test]
fn a_late_reminder_is_of_use_until_30_minutes_before_or_half_its_lead() {
    let start = at("2027-05-04T10:00:00Z");
    assert_eq!(reminder_expires(at("2027-05-03T10:00:00Z"), start), at("2027-05-04T09:30:00Z"));
    assert_eq!(reminder_expires(at("2027-05-04T09:40:00Z"), start), at("2027-05-04T09:50:00Z"));
    assert_eq!(reminder_expires(start, start), start);
}

#[test]
fn windows_of_a_week_that_overlap_are_named_also_across_sunday_night() {
    let week = |windows: &[(Weekday, &str)]| -> Vec<WeeklyWindow> {
        windows
            .iter()
            .map(|(weekday, text)| WeeklyWindow { weekday: *weekday, window: window(text) })
            .collect()
    };
    let touching =
        week(&[(Weekday::Mon, "09:00-12:00"), (Weekday::Mon, "12:00-24:00"), (Weekday::Tue, "00:00-08:00")]);
    assert_eq!(overlap_of_week(&touching), None);
    let same_day = week(&[(Weekday::Mon, "12:00-15:00"), (Weekday::Mon, "09:00-12:01")]);
    assert_eq!(overlap_of_week(&same_day), Some(Overlap { first: 1, second: 0 }));
    let next_day = week(&[(Weekday::Mon, "22:00-02:00"), (Weekday::Tue, "01:00-03:00")]);
    assert_eq!(overlap_of_week(&next_day), Some(Overlap { first: 0, second: 1 }));
    let round = week(&[(Weekday::Mon, "01:00-03:00"), (Weekday::Sun, "22:00-02:00")]);
    assert_eq!(overlap_of_week(&round), Some(Overlap { first: 1, second: 0 }));
    let alone = week(&[(Weekday::Sun, "09:00-09:00")]);
    assert_eq!(overlap_of_week(&alone), None);
    assert_eq!(
        overlap_of_day(&[window("22:00-02:00"), window("23:00-24:00")]),
        Some(Overlap { first: 0, second: 1 })
    );
    assert_eq!(overlap_of_day(&[window("09:00-12:00"), window("12:00-13:00")]), None);
}

#[test]
fn civil_times_are_two_digits_each_up_to_24_00() {
    for text in ["00:00", "09:05", "23:59", "24:00"] {
        assert_eq!(text.parse::<CivilTime>().unwrap().to_string(), text);
    }
    for text in ["", "9:00", "24:01", "12:60", "12:00:00", "12-00", "+1:00", "12:0x", "１２:00"] {
        assert_eq!(text.parse::<CivilTime>(), Err(CivilTimeError), "{text}");
    }
    assert!(DayWindow::new(CivilTime::END_OF_DAY, CivilTime::MIDNIGHT).is_err());
}

#[test]
fn the_nearest_starts_come_in_order_of_time() {
    let wanted = at("2027-05-04T10:00:00Z");
    let starts =
        ["08:00", "09:00", "09:30", "10:30", "12:00"].map(|time| at(&format!("2027-05-04T{time}:00Z")));
    assert_eq!(nearest(starts, wanted, 3), [starts[1], starts[2], starts[3]]);
    assert_eq!(nearest(starts[..1].iter().copied(), wanted, 3), [starts[0]]);
}
