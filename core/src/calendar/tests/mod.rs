//! The calendar against worked cases, properties and an independent computation.

mod properties;
mod recurrence;
mod resources;
mod rules;
mod worked_cases;
mod zones;

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc, Weekday};
use uuid::Uuid;

use super::*;
use crate::types::Zone;

const STAFF: Uuid = Uuid::from_u128(0x0005_7aff);
const SERVICE: Uuid = Uuid::from_u128(0x005e_71ce);
const WEEK: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

fn zone(name: &str) -> Zone {
    Zone::parse(name).unwrap()
}

fn berlin() -> Zone {
    zone("Europe/Berlin")
}

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn span(start: &str, end: &str) -> Span {
    Span::new(at(start), at(end)).unwrap()
}

fn window(text: &str) -> DayWindow {
    let (opens, closes) = text.split_once('-').unwrap();
    DayWindow::new(opens.parse().unwrap(), closes.parse().unwrap()).unwrap()
}

/// A calendar without hours.
fn closed(zone: Zone) -> Calendar {
    Calendar::empty(STAFF, zone, Arc::default())
}

/// A calendar with these windows (`09:00-13:00 14:00-18:00`) on one weekday.
fn open_on(zone: Zone, weekday: Weekday, windows: &str) -> Calendar {
    let mut calendar = closed(zone);
    calendar.weekly =
        windows.split_whitespace().map(|text| WeeklyWindow { weekday, window: window(text) }).collect();
    calendar
}

/// A calendar with these windows on every day.
fn open_daily(zone: Zone, windows: &str) -> Calendar {
    let mut calendar = closed(zone);
    for weekday in WEEK {
        calendar.weekly.extend(open_on(zone, weekday, windows).weekly);
    }
    calendar
}

fn close_on(calendar: &mut Calendar, dates: &[&str]) {
    calendar.closures = Arc::new(dates.iter().map(|text| date(text)).collect::<BTreeSet<_>>());
}

/// A one-to-one service without buffers, notice or a horizon that matters.
fn service(duration_min: u32, slot_step_min: u32) -> ServiceRules {
    ServiceRules {
        service_id: SERVICE,
        duration_min,
        slot_step_min,
        buffer_before_min: 0,
        buffer_after_min: 0,
        capacity: 1,
        timetabled: false,
        min_notice_min: 0,
        horizon_days: 730,
        needs: Vec::new(),
    }
}

fn booked(id: u128, during: Span, before_min: u32, after_min: u32) -> Seats {
    Seats {
        class_id: Uuid::from_u128(id),
        during,
        blocked: during.padded(before_min, after_min),
        count: 1,
        held_until: None,
    }
}

/// Starts as the business's clock shows them: `2027-05-07 22:00+02:00`.
fn starts(calendar: &Calendar, rules: &ServiceRules, from: &str, to: &str, now: &str) -> Vec<String> {
    slots(calendar, rules, date(from), date(to), at(now))
        .into_iter()
        .map(|slot| calendar.zone.at(slot.start).format("%Y-%m-%d %H:%M%:z").to_string())
        .collect()
}

/// The same of one date, without it: `22:00+02:00`.
fn starts_of_day(calendar: &Calendar, rules: &ServiceRules, day: &str, now: &str) -> Vec<String> {
    starts(calendar, rules, day, day, now).into_iter().map(|text| text[11..].to_owned()).collect()
}
