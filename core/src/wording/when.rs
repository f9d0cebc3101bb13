//! Appointments as people read them.

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc, Weekday};
use serde::Serialize;

use crate::types::{Locale, Zone};

const WEEKDAYS_EN: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const WEEKDAYS_DE: [&str; 7] =
    ["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"];
const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const MONTHS_DE: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];

/// An appointment's time in one zone, in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct When {
    /// `Tuesday, 4 May 2027`
    pub day: String,
    /// `10:00–11:00`; with the day of the end where that is another.
    pub hours: String,
    /// `Europe/Berlin, UTC+02:00`: the zone by name, and the offset at the start.
    pub zone: String,
    /// Day and start, for subjects: `Tuesday, 4 May, 10:00`
    pub short: String,
    /// All of it in one line.
    pub full: String,
}

impl When {
    /// Writes the time from `start` to `end` in `zone`.
    #[must_use]
    pub fn new(start: DateTime<Utc>, end: DateTime<Utc>, zone: Zone, locale: Locale) -> Self {
        let (from, to) = (zone.at(start), zone.at(end));
        let day = long_day(from.date_naive(), locale);
        let (first, last) = (clock(from.time()), clock(to.time()));
        let hours = match (from.date_naive() == to.date_naive(), locale) {
            (true, Locale::En) => format!("{first}–{last}"),
            (true, Locale::De) => format!("{first}–{last} Uhr"),
            (false, Locale::En) => format!("{first} to {}, {last}", long_day(to.date_naive(), locale)),
            (false, Locale::De) => {
                format!("{first} Uhr bis {}, {last} Uhr", long_day(to.date_naive(), locale))
            }
        };
        let offset = from.offset();
        let zone = format!("{}, UTC{offset}", zone.name());
        let clock_word = if locale == Locale::De { " Uhr" } else { "" };
        Self {
            short: format!("{}, {first}{clock_word}", short_day(from.date_naive(), locale)),
            full: format!("{day}, {hours} ({zone})"),
            day,
            hours,
            zone,
        }
    }
}

/// `10:00`, on a clock of 24 hours.
#[must_use]
pub fn clock(time: chrono::NaiveTime) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

/// `Tuesday`.
#[must_use]
pub fn weekday(day: Weekday, locale: Locale) -> &'static str {
    let number = usize::try_from(day.num_days_from_monday()).unwrap_or_default();
    match locale {
        Locale::En => WEEKDAYS_EN[number],
        Locale::De => WEEKDAYS_DE[number],
    }
}

/// `Tuesday, 4 May 2027`.
#[must_use]
pub fn long_day(date: NaiveDate, locale: Locale) -> String {
    format!("{} {}", short_day(date, locale), date.year())
}

/// `May 2027`.
#[must_use]
pub fn month_name(date: NaiveDate, locale: Locale) -> String {
    format!("{} {}", month(date, locale), date.year())
}

fn month(date: NaiveDate, locale: Locale) -> &'static str {
    let month = usize::try_from(date.month0()).unwrap_or_default();
    match locale {
        Locale::En => MONTHS_EN[month],
        Locale::De => MONTHS_DE[month],
    }
}

fn short_day(date: NaiveDate, locale: Locale) -> String {
    let (weekday, month) = (weekday(date.weekday(), locale), month(date, locale));
    match locale {
        Locale::En => format!("{weekday}, {} {month}", date.day()),
        Locale::De => format!("{weekday}, {}. {month}", date.day()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn when(start: &str, end: &str, zone: &str, locale: Locale) -> When {
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        When::new(at(start), at(end), Zone::parse(zone).unwrap(), locale)
    }

    #[test]
    fn the_zone_is_named_with_its_offset_at_the_start() {
        let english = when("2027-05-04T08:00:00Z", "2027-05-04T09:00:00Z", "Europe/Berlin", Locale::En);
        assert_eq!(english.full, "Tuesday, 4 May 2027, 10:00–11:00 (Europe/Berlin, UTC+02:00)");
        assert_eq!(english.short, "Tuesday, 4 May, 10:00");
        let german = when("2027-12-07T08:00:00Z", "2027-12-07T09:00:00Z", "Europe/Berlin", Locale::De);
        assert_eq!(german.full, "Dienstag, 7. Dezember 2027, 09:00–10:00 Uhr (Europe/Berlin, UTC+01:00)");
        assert_eq!(german.short, "Dienstag, 7. Dezember, 09:00 Uhr");
    }

    #[test]
    fn an_appointment_past_midnight_names_both_days() {
        let english = when("2027-05-07T21:30:00Z", "2027-05-07T22:30:00Z", "Europe/Berlin", Locale::En);
        assert_eq!(english.hours, "23:30 to Saturday, 8 May 2027, 00:30");
        let german = when("2027-05-07T21:30:00Z", "2027-05-07T22:30:00Z", "Europe/Berlin", Locale::De);
        assert_eq!(german.hours, "23:30 Uhr bis Samstag, 8. Mai 2027, 00:30 Uhr");
    }

    #[test]
    fn odd_offsets_are_written_in_full() {
        let nepal = when("2027-05-04T08:00:00Z", "2027-05-04T09:00:00Z", "Asia/Kathmandu", Locale::En);
        assert_eq!(nepal.full, "Tuesday, 4 May 2027, 13:45–14:45 (Asia/Kathmandu, UTC+05:45)");
    }
}
