use chrono::{DateTime, NaiveTime, TimeDelta, Utc};

use super::{at, berlin};
use crate::calendar::{Every, moved_occurrence, occurrences};

fn starts(first: &str, every: Every, count: u16) -> Vec<String> {
    let starts = occurrences(berlin(), at(first), every, count);
    starts.into_iter().map(shown).collect()
}

fn shown(start: DateTime<Utc>) -> String {
    berlin().at(start).to_rfc3339()
}

#[test]
fn a_weekly_series_keeps_its_time_of_day_when_clocks_change() {
    assert_eq!(
        starts("2027-03-21T10:00:00+01:00", Every::Weeks(1), 3),
        ["2027-03-21T10:00:00+01:00", "2027-03-28T10:00:00+02:00", "2027-04-04T10:00:00+02:00"]
    );
    assert_eq!(
        starts("2027-10-24T10:00:00+02:00", Every::Weeks(2), 2),
        ["2027-10-24T10:00:00+02:00", "2027-11-07T10:00:00+01:00"]
    );
}

#[test]
fn a_time_that_a_date_skips_is_the_instant_at_which_clocks_go_forward_and_only_there() {
    assert_eq!(
        starts("2027-03-27T02:30:00+01:00", Every::Days(1), 3),
        ["2027-03-27T02:30:00+01:00", "2027-03-28T03:00:00+02:00", "2027-03-29T02:30:00+02:00"]
    );
}

#[test]
fn of_a_time_that_a_date_has_twice_an_occurrence_takes_the_first_and_the_one_that_was_asked_for_stays() {
    assert_eq!(
        starts("2027-10-30T02:30:00+02:00", Every::Days(1), 2),
        ["2027-10-30T02:30:00+02:00", "2027-10-31T02:30:00+02:00"]
    );
    assert_eq!(
        starts("2027-10-31T02:30:00+01:00", Every::Days(1), 2),
        ["2027-10-31T02:30:00+01:00", "2027-11-01T02:30:00+01:00"]
    );
}

#[test]
fn a_monthly_series_of_the_31st_takes_the_last_day_of_shorter_months_and_returns_to_the_31st() {
    assert_eq!(
        starts("2027-12-31T10:00:00+01:00", Every::Months(1), 5),
        [
            "2027-12-31T10:00:00+01:00",
            "2028-01-31T10:00:00+01:00",
            "2028-02-29T10:00:00+01:00",
            "2028-03-31T10:00:00+02:00",
            "2028-04-30T10:00:00+02:00"
        ]
    );
}

#[test]
fn the_longest_series_has_dates_in_order() {
    for every in [Every::Days(366), Every::Weeks(366), Every::Months(366)] {
        let starts = occurrences(berlin(), at("2027-01-31T10:00:00+01:00"), every, 52);
        assert_eq!(starts.len(), 52);
        assert!(starts.is_sorted());
    }
}

#[test]
fn a_moved_occurrence_changes_its_date_by_as_many_days_and_takes_the_time_of_day() {
    let time = NaiveTime::from_hms_opt(2, 30, 0).unwrap();
    let moved = |start, days| shown(moved_occurrence(berlin(), at(start), TimeDelta::days(days), time));
    assert_eq!(moved("2027-03-26T10:00:00+01:00", 1), "2027-03-27T02:30:00+01:00");
    assert_eq!(moved("2027-03-27T10:00:00+01:00", 1), "2027-03-28T03:00:00+02:00");
    assert_eq!(moved("2027-11-01T10:00:00+01:00", -1), "2027-10-31T02:30:00+02:00");
}
