//! The statuses of a booking.

use serde::{Deserialize, Serialize};

/// The status of a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "booking_status", rename_all = "snake_case")]
pub enum BookingStatus {
    /// A slot reserved for at most ten minutes, without a customer.
    Held,
    /// Waits for staff to confirm it.
    Pending,
    /// The appointment is agreed.
    Confirmed,
    /// Refused by staff.
    Declined,
    /// Cancelled by the customer or by staff.
    Cancelled,
    /// An expired hold, or a pending booking whose start passed.
    Expired,
    /// The appointment took place.
    Completed,
    /// The customer did not come.
    NoShow,
}

impl BookingStatus {
    /// Every status, in the order of a booking's life.
    pub const ALL: [Self; 8] = [
        Self::Held,
        Self::Pending,
        Self::Confirmed,
        Self::Declined,
        Self::Cancelled,
        Self::Expired,
        Self::Completed,
        Self::NoShow,
    ];

    /// Whether a booking of this status occupies its time in the calendar.
    #[must_use]
    pub const fn blocks(self) -> bool {
        matches!(self, Self::Held | Self::Pending | Self::Confirmed)
    }

    /// The status in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Declined => "declined",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Completed => "completed",
            Self::NoShow => "no_show",
        }
    }
}
