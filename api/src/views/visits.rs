//! Schemas of visits.

use chrono::NaiveDate;
use poem_openapi::Object;
use punctual_core::{bookings, slots};
use serde::Serialize;

use super::Booking;
use super::described::described;
use crate::http::{problem::VisitStart, values::TimeZone};

described! {
    /// Starts of a visit by date, as core serialises them.
    VisitSlots(slots::VisitSlots) by VisitSlotsObject
}

/// A visit that was booked.
#[derive(Debug, Object, Serialize)]
pub struct Visit {
    /// Its bookings, in order.
    #[oai(validator(min_items = 1, max_items = 5))]
    pub bookings: Vec<Booking>,
}

impl From<bookings::Visit> for Visit {
    fn from(visit: bookings::Visit) -> Self {
        Self { bookings: visit.bookings.into_iter().map(Booking::from).collect() }
    }
}

/// Free starts of a visit by date.
#[derive(Debug, Object)]
#[oai(rename = "VisitSlots")]
pub struct VisitSlotsObject {
    /// The business's time zone, whose dates these are.
    pub tz: TimeZone,
    /// Every date that was asked for, in order.
    #[oai(validator(min_items = 1, max_items = 7))]
    pub days: Vec<VisitDay>,
}

/// The free starts of a visit on one date.
#[derive(Debug, Object)]
pub struct VisitDay {
    /// The date.
    pub date: NaiveDate,
    /// In order; empty when there are none.
    #[oai(validator(max_items = 1000))]
    pub slots: Vec<VisitStart>,
}
