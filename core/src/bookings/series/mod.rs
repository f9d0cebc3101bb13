//! Series of bookings. Each occurrence is an ordinary booking, made by the same decision and the same statement as a single
//! one. Staff book and move a series; its customer may cancel it.

mod cancel;
mod create;
mod locked;
mod read;
mod reschedule;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Booking, NewBooking, StaffMessage};
use crate::Occurrence;
use crate::calendar::Every;
use crate::types::Rev;

pub use cancel::{cancel_series, try_cancel_series};
pub use create::{create_series, try_series};
pub use read::get_series;
pub use reschedule::{move_series, try_move_series};

/// Range of the number of occurrences.
const COUNTS: std::ops::RangeInclusive<u16> = 2..=52;

/// A new series. Repeated requests with one idempotency key are compared by its JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewSeries {
    /// The first occurrence; the others are the same at other starts.
    pub first: NewBooking,
    /// The interval between two occurrences.
    pub every: Every,
    /// Number of occurrences, 2 to 52, including the first.
    pub count: u16,
    /// What happens if some of them are not free.
    pub mode: Mode,
}

/// What happens if some occurrences are not free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Nothing is booked.
    All,
    /// Those that are free are booked.
    Available,
}

/// A series as callers see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    /// The series.
    pub id: Uuid,
    /// The interval between two occurrences.
    pub every: Every,
    /// Number of requested occurrences.
    pub count: i16,
    /// Version, for If-Match: the sum of the revisions of its bookings.
    pub rev: Rev,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Its bookings by number. Customers see their own.
    pub bookings: Vec<Booking>,
}

/// The result of a requested series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesMade {
    /// The id of the series, by which a stored answer is found when its customer is erased. None: nothing was booked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// The series; none: nothing was booked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<Series>,
    /// Every requested occurrence, in order.
    pub occurrences: Vec<Occurrence>,
}

/// How occurrences are moved: one to `start`, the later ones by the same number of days to the same time of day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveSeries {
    /// The number of the first to be moved.
    pub from: i16,
    /// Its new start.
    pub start: DateTime<Utc>,
    /// New member of staff; none: each keeps its own.
    pub staff_id: Option<Uuid>,
    /// Bypass grid and hours, never another booking.
    pub overriding: bool,
    /// How the customer is notified.
    pub message: StaffMessage,
}

/// The result for the occurrences from a number on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesChange {
    /// The series afterwards.
    pub series: Series,
    /// The bookings that were changed, by number.
    pub changed: Vec<Uuid>,
    /// Active occurrences that were not changed, by number.
    pub kept: Vec<UnchangedOccurrence>,
}

/// An occurrence that a change of its series did not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnchangedOccurrence {
    /// The booking.
    pub booking_id: Uuid,
    /// Its number.
    pub no: i16,
    /// Why.
    pub why: UnchangedReason,
}

/// Why a change of its series did not change an occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnchangedReason {
    /// It has begun.
    Begun,
    /// It is too near for its customer to change it.
    NoticePassed,
    /// It was moved individually before.
    MovedByItself,
}

impl UnchangedReason {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::Begun, Self::NoticePassed, Self::MovedByItself];

    /// The name in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::NoticePassed => "notice_passed",
            Self::MovedByItself => "moved_by_itself",
        }
    }
}
