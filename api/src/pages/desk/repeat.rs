//! Repeating an appointment that is taken by phone.

use punctual_core::{
    Occurrence,
    bookings::{Mode, NewBooking, NewSeries},
    calendar::Every,
    types::{Locale, Zone},
    wording::When,
};
use serde::Serialize;

use crate::pages::form::Form;

/// The input.
#[derive(Clone, Serialize)]
pub struct Repeat {
    /// How many times; empty: once.
    count: String,
    n: String,
    unit: &'static str,
    /// Whether those that are free are booked if others are not.
    available: bool,
    pub fault: Option<&'static str>,
}

/// An occurrence as the page shows it.
#[derive(Serialize)]
pub struct Line {
    when: String,
    /// Key of the reason why it has no place.
    why: Option<&'static str>,
    /// Free times near it.
    near: Vec<String>,
}

impl Default for Repeat {
    fn default() -> Self {
        Self { count: String::new(), n: "1".to_owned(), unit: "weeks", available: false, fault: None }
    }
}

impl Repeat {
    pub fn of(form: &Form) -> Self {
        let text = |name| form.text(name).unwrap_or_default().trim().chars().take(10).collect::<String>();
        Self {
            count: text("count"),
            n: text("every"),
            unit: match form.text("unit") {
                Some("days") => "days",
                Some("months") => "months",
                _ => "weeks",
            },
            available: form.text("available").is_some(),
            fault: None,
        }
    }

    /// The interval and how many times; none: it does not repeat.
    ///
    /// # Errors
    /// The word for what is wrong.
    pub fn parsed(&self) -> Result<Option<(Every, u16)>, &'static str> {
        if self.count.is_empty() || self.count == "1" {
            return Ok(None);
        }
        let number = |text: &str, most: u16| text.parse().ok().filter(|n| (1..=most).contains(n));
        let every = match self.unit {
            "days" => number(&self.n, 366).map(Every::Days),
            "months" => number(&self.n, 12).map(Every::Months),
            _ => number(&self.n, 52).map(Every::Weeks),
        };
        let repeated = every.zip(number(&self.count, 52));
        repeated.map(Some).ok_or("desk_fault_repeat")
    }

    /// The series that begins with this booking.
    pub fn series(&self, first: NewBooking, every: Every, count: u16) -> NewSeries {
        let mode = if self.available { Mode::Available } else { Mode::All };
        NewSeries { first, every, count, mode }
    }
}

/// The occurrences of a series that is not free.
pub fn lines(occurrences: &[Occurrence], zone: Zone, locale: Locale) -> Vec<Line> {
    let short = |start: chrono::DateTime<chrono::FixedOffset>| {
        When::new(start.to_utc(), start.to_utc(), zone, locale).short
    };
    occurrences
        .iter()
        .map(|occurrence| Line {
            when: short(occurrence.start),
            why: occurrence.code.as_deref().map(why),
            near: occurrence.alternatives.iter().map(|slot| short(slot.start)).collect(),
        })
        .collect()
}

/// Key of the reason why a time has no place.
pub fn why(code: &str) -> &'static str {
    match code {
        "outside_hours" => "desk_why_closed",
        "off_grid" => "desk_why_between",
        "start_in_past" => "desk_why_past",
        "too_far" => "desk_why_far",
        "too_soon" => "desk_why_soon",
        _ => "desk_why_taken",
    }
}
