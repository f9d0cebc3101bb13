//! Which mail a ledger row is, and how it ended.

use serde::{Deserialize, Serialize};

use crate::links::Purpose;
use crate::types::BookingStatus;

/// Which mail. The templates of a kind live in `templates/<kind>/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "notification_kind", rename_all = "snake_case")]
pub enum NotificationKind {
    /// The booking stands.
    Confirmation,
    /// It is near.
    Reminder,
    /// It was called off.
    Cancellation,
    /// It was moved.
    Reschedule,
    /// It waits for staff to confirm it.
    Pending,
    /// Staff said no.
    Declined,
    /// Staff said nothing before its start.
    Expired,
    /// To staff and the business: there is a booking.
    StaffNew,
    /// To staff and the business: there is one to confirm or decline.
    StaffPending,
    /// To staff and the business: it was moved.
    StaffMoved,
    /// To staff and the business: it was called off.
    StaffCancelled,
    /// A link that proves the address of an account.
    VerifyEmail,
    /// A link that sets a new password.
    PasswordReset,
    /// A link that sets the first password of an account created by an administrator.
    SetPassword,
    /// Links of all bookings to come of an address.
    BookingLinks,
}

impl NotificationKind {
    /// Every kind that speaks of a booking, in the order in which one may meet them.
    pub const ALL: [Self; 11] = [
        Self::Confirmation,
        Self::Reminder,
        Self::Cancellation,
        Self::Reschedule,
        Self::Pending,
        Self::Declined,
        Self::Expired,
        Self::StaffNew,
        Self::StaffPending,
        Self::StaffMoved,
        Self::StaffCancelled,
    ];

    /// Every kind that speaks of an account.
    pub const OF_ACCOUNTS: [Self; 3] = [Self::VerifyEmail, Self::PasswordReset, Self::SetPassword];

    /// The name in the database, the API and the templates' folder.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmation => "confirmation",
            Self::Reminder => "reminder",
            Self::Cancellation => "cancellation",
            Self::Reschedule => "reschedule",
            Self::Pending => "pending",
            Self::Declined => "declined",
            Self::Expired => "expired",
            Self::StaffNew => "staff_new",
            Self::StaffPending => "staff_pending",
            Self::StaffMoved => "staff_moved",
            Self::StaffCancelled => "staff_cancelled",
            Self::VerifyEmail => "verify_email",
            Self::PasswordReset => "password_reset",
            Self::SetPassword => "set_password",
            Self::BookingLinks => "booking_links",
        }
    }

    /// What the link in a mail of this kind is for; none of the kinds that speak of a booking.
    #[must_use]
    pub fn account_link(self) -> Option<Purpose> {
        match self {
            Self::VerifyEmail => Some(Purpose::VerifyEmail),
            Self::PasswordReset | Self::SetPassword => Some(Purpose::SetPassword),
            _ => None,
        }
    }

    /// Whether it goes to staff or the business, and is none of the customer's concern.
    #[must_use]
    pub fn is_for_staff(self) -> bool {
        matches!(self, Self::StaffNew | Self::StaffPending | Self::StaffMoved | Self::StaffCancelled)
    }

    /// Whether the mail still tells the truth of a booking of this status, its revision being the same.
    #[must_use]
    pub fn stands_for(self, status: BookingStatus) -> bool {
        match self {
            Self::Confirmation | Self::Reminder | Self::Reschedule | Self::StaffNew => {
                status == BookingStatus::Confirmed
            }
            Self::Cancellation | Self::StaffCancelled => status == BookingStatus::Cancelled,
            Self::Pending | Self::StaffPending => status == BookingStatus::Pending,
            Self::Declined => status == BookingStatus::Declined,
            Self::Expired => status == BookingStatus::Expired,
            Self::StaffMoved => matches!(status, BookingStatus::Confirmed | BookingStatus::Pending),
            Self::VerifyEmail | Self::PasswordReset | Self::SetPassword | Self::BookingLinks => false,
        }
    }
}

/// How a mail ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "notification_outcome", rename_all = "snake_case")]
pub enum NotificationOutcome {
    /// The relay answered 250.
    Sent,
    /// The booking changed first.
    Cancelled,
    /// It was due before the booking was made.
    SkippedTooLate,
    /// Too late to be of use.
    Expired,
    /// Permanently refused.
    Failed,
    /// The relay may or may not have taken it, and it is not sent again.
    InDoubt,
    /// A reminder that its customer does not want.
    Unwanted,
}

impl NotificationOutcome {
    /// The name in the database, the API and the metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Cancelled => "cancelled",
            Self::SkippedTooLate => "skipped_too_late",
            Self::Expired => "expired",
            Self::Failed => "failed",
            Self::InDoubt => "in_doubt",
            Self::Unwanted => "unwanted",
        }
    }
}
