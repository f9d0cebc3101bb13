//! Actions on a booking.

use serde::{Deserialize, Serialize};

/// What can be done with a booking that exists. Which status allows which action: `bookings::transitions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BookingAction {
    /// Turn a hold into a booking.
    Book,
    /// Expire a hold, or a pending booking at its start. Only the system does.
    Expire,
    /// Accept a pending booking. Staff only.
    Confirm,
    /// Refuse a pending booking. Staff only.
    Decline,
    /// Cancel it.
    Cancel,
    /// Move it to another start or another member of staff.
    Reschedule,
    /// Change its service, duration, member of staff or customer. Staff only.
    Update,
    /// Record that it took place. Staff only.
    Complete,
    /// Record that the customer did not come. Staff only.
    NoShow,
}

impl BookingAction {
    /// The name in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Book => "book",
            Self::Expire => "expire",
            Self::Confirm => "confirm",
            Self::Decline => "decline",
            Self::Cancel => "cancel",
            Self::Reschedule => "reschedule",
            Self::Update => "update",
            Self::Complete => "complete",
            Self::NoShow => "no_show",
        }
    }
}
