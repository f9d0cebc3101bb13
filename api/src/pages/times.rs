//! Free times as lists, folded by part of the day.

use chrono::{DateTime, NaiveDateTime, Timelike, Utc};
use punctual_core::{
    slots::{DaySlots, OfferedSlot},
    types::{Locale, Zone},
    wording::{clock, long_day},
};
use serde::Serialize;
use uuid::Uuid;

/// One date.
#[derive(Serialize)]
pub struct Day {
    /// `Tuesday, 4 May 2027`
    pub name: String,
    pub parts: Vec<Part>,
}

/// Its morning, afternoon or evening.
#[derive(Serialize)]
pub struct Part {
    /// Its label.
    name: &'static str,
    /// Whether it is shown unfolded.
    pub open: bool,
    /// `6 free`
    count: String,
    pub times: Vec<Time>,
}

/// One time.
#[derive(Clone, Serialize)]
pub struct Time {
    /// `09:00`; with the offset in a repeated hour.
    pub label: String,
    /// The start in URL form.
    pub start: String,
    /// Staff who can be booked.
    pub staff_id: Uuid,
    /// The time in the visitor's zone, if it differs.
    yours: Option<String>,
    /// For a class: `3 seats`.
    seats: Option<String>,
}

/// Options of the list.
#[derive(Clone, Copy)]
pub struct TimesOptions {
    pub locale: Locale,
    /// The visitor's zone.
    pub zone: Option<Zone>,
    /// The preferred member of staff if several are free.
    pub preferred: Option<Uuid>,
    /// Whether seats are counted.
    pub seats: bool,
}

/// Up to this many times are shown unfolded; of more only the first part.
const FEW: usize = 12;

/// The dates that have times, the first part of the first unfolded.
pub fn days(list: Vec<DaySlots>, shown: TimesOptions) -> Vec<Day> {
    let mut days: Vec<Day> =
        list.into_iter().map(|day| of_date(day, shown)).filter(|day| !day.parts.is_empty()).collect();
    let few = days.iter().flat_map(|day| &day.parts).map(|part| part.times.len()).sum::<usize>() <= FEW;
    for (index, part) in days.iter_mut().flat_map(|day| &mut day.parts).enumerate() {
        part.open = few || index == 0;
    }
    days
}

fn of_date(day: DaySlots, shown: TimesOptions) -> Day {
    let mut slots = day.slots;
    slots.dedup_by_key(|slot| slot.start);
    let walls: Vec<NaiveDateTime> = slots.iter().map(|slot| slot.start.naive_local()).collect();
    let mut parts: Vec<Part> = Vec::new();
    for slot in &slots {
        let Some(time) = time(slot, &walls, shown) else { continue };
        let name = part(slot.start.hour());
        match parts.last_mut().filter(|part| part.name == name) {
            Some(part) => part.times.push(time),
            None => parts.push(Part { name, open: false, count: String::new(), times: vec![time] }),
        }
    }
    for part in &mut parts {
        part.count = free(part.times.len(), shown.locale);
    }
    Day { name: long_day(day.date, shown.locale), parts }
}

const fn part(hour: u32) -> &'static str {
    match hour {
        0..12 => "book_morning",
        12..17 => "book_afternoon",
        _ => "book_evening",
    }
}

fn free(count: usize, locale: Locale) -> String {
    match locale {
        Locale::En => format!("{count} free"),
        Locale::De => format!("{count} frei"),
    }
}

/// A time; in a repeated hour with its offset.
fn time(slot: &OfferedSlot, walls: &[NaiveDateTime], shown: TimesOptions) -> Option<Time> {
    let wall = slot.start.naive_local();
    let twice = walls.iter().filter(|other| **other == wall).count() > 1;
    let label = clock(wall.time());
    let start = slot.start.to_utc();
    let elsewhere = shown.zone.map(|zone| zone.at(start)).filter(|at| at.offset() != slot.start.offset());
    let yours = elsewhere.map(|at| {
        let days = (at.date_naive() - wall.date()).num_days();
        match days {
            0 => clock(at.time()),
            days => format!("{} {days:+}", clock(at.time())),
        }
    });
    let seats = shown.seats.then(|| match (slot.seats_left, shown.locale) {
        (1, Locale::En) => "1 seat".to_owned(),
        (seats, Locale::En) => format!("{seats} seats"),
        (1, Locale::De) => "1 Platz".to_owned(),
        (seats, Locale::De) => format!("{seats} Plätze"),
    });
    let preferred = shown.preferred.filter(|id| slot.staff_ids.contains(id));
    Some(Time {
        label: if twice { format!("{label} (UTC{})", slot.start.offset()) } else { label },
        start: compact(start),
        staff_id: preferred.or_else(|| slot.staff_ids.first().copied())?,
        yours,
        seats,
    })
}

/// An instant in a URL: `20270504T0700Z`. Slots begin at whole minutes.
pub fn compact(instant: DateTime<Utc>) -> String {
    instant.format("%Y%m%dT%H%MZ").to_string()
}

/// The instant of a URL.
pub fn parse_compact(text: &str) -> Option<DateTime<Utc>> {
    let plain = text.len() == 14 && text.is_ascii();
    plain.then(|| NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%MZ").ok()).flatten().map(|at| at.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_survives_an_address() {
        let at = DateTime::parse_from_rfc3339("2027-05-04T07:05:00Z").unwrap().to_utc();
        assert_eq!(compact(at), "20270504T0705Z");
        assert_eq!(parse_compact("20270504T0705Z"), Some(at));
        for bad in ["", "20270504T0705", "20271304T0705Z", "2027-05-04T07:05Z", "+0270504T0705Z\u{e4}"] {
            assert_eq!(parse_compact(bad), None, "{bad}");
        }
    }
}
