//! The appointments of a series, for pages that show them.

use chrono::{DateTime, FixedOffset};
use punctual_core::{
    bookings::{Booking, Series},
    wording::When,
};
use serde::Serialize;
use uuid::Uuid;

use super::Desk;

/// An appointment of a series as pages of the desk show it.
#[derive(Serialize)]
pub struct OneOf {
    no: i16,
    href: String,
    when: String,
    status: &'static str,
    current: bool,
    moved: bool,
}

/// The appointments of a series.
pub fn occurrences(desk: &Desk, series: &Series, current: Uuid) -> Vec<OneOf> {
    let short = |start: DateTime<FixedOffset>, booking: &Booking| {
        let at = start.to_utc();
        When::new(at, at, booking.zone, desk.locale).short
    };
    series
        .bookings
        .iter()
        .filter_map(|booking| {
            let place = booking.series?;
            Some(OneOf {
                no: place.no,
                href: desk.link(&format!("/b/{}", booking.id), &[]),
                when: short(booking.start, booking),
                status: booking.status.as_str(),
                current: booking.id == current,
                moved: place.moved,
            })
        })
        .collect()
}
