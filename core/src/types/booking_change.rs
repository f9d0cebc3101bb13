//! Entries of a booking's audit trail.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Note, ParseError, decode_by_parsing};

/// What a change did to a booking. Stored as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// A booking was created.
    Created,
    /// A slot was held.
    Held,
    /// A hold became a booking.
    Booked,
    /// A hold was extended.
    Renewed,
    /// A hold was released.
    Released,
    /// It was moved to another start or another member of staff.
    Rescheduled,
    /// Staff accepted it.
    Confirmed,
    /// Staff refused it.
    Declined,
    /// It was cancelled.
    Cancelled,
    /// Its hold expired, or its start passed while it was pending.
    Expired,
    /// It took place.
    Completed,
    /// The customer did not come.
    NoShow,
    /// Staff changed its service, duration, member of staff or customer; the start is the same.
    Updated,
    /// Staff changed a note. No promised value changed: mails about the previous revision still apply.
    Noted,
}

impl ChangeKind {
    const ALL: [Self; 14] = [
        Self::Created,
        Self::Held,
        Self::Booked,
        Self::Renewed,
        Self::Released,
        Self::Rescheduled,
        Self::Confirmed,
        Self::Declined,
        Self::Cancelled,
        Self::Expired,
        Self::Completed,
        Self::NoShow,
        Self::Updated,
        Self::Noted,
    ];

    /// The name in the database and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Held => "held",
            Self::Booked => "booked",
            Self::Renewed => "renewed",
            Self::Released => "released",
            Self::Rescheduled => "rescheduled",
            Self::Confirmed => "confirmed",
            Self::Declined => "declined",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Completed => "completed",
            Self::NoShow => "no_show",
            Self::Updated => "updated",
            Self::Noted => "noted",
        }
    }

    /// Parses a stored name.
    ///
    /// # Errors
    /// For a name that is none of these.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(ParseError::new("bad_change", "not a kind of change to a booking"))
    }
}

decode_by_parsing!(ChangeKind);

/// When a booking starts and who performs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Start.
    pub start: DateTime<Utc>,
    /// The member of staff.
    pub staff_id: Uuid,
}

/// An id before and after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaced {
    /// Before.
    pub from: Uuid,
    /// After.
    pub to: Uuid,
}

/// Details of a change in the audit trail. Stored as JSON; a field added later needs `#[serde(default)]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventDetails {
    /// Position before the change; none for a new booking and where the position stayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Position>,
    /// Position after the change; none where the position stayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Position>,
    /// Duration in minutes after a change that has `to`: the terms of a booking can change with a move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<i32>,
    /// Seats after a change that has `to`, where there are several, or where their number changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seats: Option<i32>,
    /// The service, where staff changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Replaced>,
    /// The customer, where staff changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<Replaced>,
    /// Message of staff to the customer; removed when the customer is erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Note>,
    /// Whether staff turned off the mail to the customer.
    #[serde(default, rename = "silent", skip_serializing_if = "std::ops::Not::not")]
    pub no_mail: bool,
}
