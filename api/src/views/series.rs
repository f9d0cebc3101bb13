//! Schemas of series.

use chrono::{DateTime, Utc};
use poem_openapi::Object;
use punctual_core::bookings::{self, UnchangedReason};
use serde::Serialize;
use uuid::Uuid;

use super::Booking;
use super::described::{described, described_enum};
use crate::http::problem::SeriesOccurrence;

described! {
    /// A series of core, as it serialises.
    Series(bookings::Series) by SeriesObject
}
described! {
    /// The result of a requested series, as core serialises it.
    SeriesMade(bookings::SeriesMade) by SeriesMadeObject
}
described! {
    /// What became of the occurrences of a series, as core serialises it.
    SeriesChange(bookings::SeriesChange) by SeriesChangeObject
}

/// Bookings that repeat.
#[derive(Debug, Object)]
#[oai(rename = "Series")]
pub struct SeriesObject {
    /// The series.
    pub id: Uuid,
    /// The interval between two occurrences.
    pub every: Interval,
    /// Number of requested occurrences. One that was not free has no booking.
    #[oai(validator(minimum(value = "2"), maximum(value = "52")))]
    pub count: i16,
    /// The revision, for `If-Match`. Every change of one of its bookings increments it.
    #[oai(validator(minimum(value = "1")))]
    pub rev: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Its bookings by number; `series` of each tells its place.
    #[oai(validator(max_items = 52))]
    pub bookings: Vec<Booking>,
}

/// The interval between two occurrences: exactly one of these.
#[derive(Debug, Object, Serialize)]
pub struct Interval {
    /// This many days.
    #[oai(validator(minimum(value = "1"), maximum(value = "366")))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<u16>,
    /// This many weeks.
    #[oai(validator(minimum(value = "1"), maximum(value = "52")))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weeks: Option<u16>,
    /// The same day of the month this many months later; the last day of a month that has no such day.
    #[oai(validator(minimum(value = "1"), maximum(value = "12")))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub months: Option<u16>,
}

/// The result of a requested series.
#[derive(Debug, Object)]
#[oai(rename = "SeriesMade")]
pub struct SeriesMadeObject {
    /// The id of the series; absent from a dry run.
    pub id: Option<Uuid>,
    /// The series; absent from a dry run.
    pub series: Option<SeriesObject>,
    /// Every requested occurrence, in order.
    #[oai(validator(max_items = 52))]
    pub occurrences: Vec<SeriesOccurrence>,
}

/// The result for the occurrences from a number on.
#[derive(Debug, Object)]
#[oai(rename = "SeriesChange")]
pub struct SeriesChangeObject {
    /// The series afterwards.
    pub series: SeriesObject,
    /// The bookings that were changed, by number.
    #[oai(validator(max_items = 52))]
    pub changed: Vec<Uuid>,
    /// Active occurrences that were not changed, by number.
    #[oai(validator(max_items = 52))]
    pub kept: Vec<KeptOccurrence>,
}

/// An occurrence that was not changed.
#[derive(Debug, Object)]
pub struct KeptOccurrence {
    /// The booking.
    pub booking_id: Uuid,
    /// Its number.
    #[oai(validator(minimum(value = "1"), maximum(value = "52")))]
    pub no: i16,
    /// Why.
    pub why: Why,
}

described_enum! {
    /// Why a change of its series did not change an occurrence.
    Why(UnchangedReason) as "WhyKept"
}
