//! Kinds and outcomes of mails.

use serde::{Deserialize, Serialize};

use crate::links::Purpose;
use crate::types::BookingStatus;

/// The kind of a mail. Its templates are in `templates/<kind>/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "notification_kind", rename_all = "snake_case")]
pub enum NotificationKind {
    /// The booking is confirmed.
    Confirmation,
    /// The appointment is near.
    Reminder,
    /// The booking was cancelled.
    Cancellation,
    /// The booking was moved.
    Reschedule,
    /// The booking waits for staff to confirm it.
    Pending,
    /// Staff declined the booking.
    Declined,
    /// Staff did not decide before the start.
    Expired,
    /// To staff and the business: a new booking.
    StaffNew,
    /// To staff and the business: a booking to confirm or decline.
    StaffPending,
    /// To staff and the business: a booking was moved.
    StaffMoved,
    /// To staff and the business: a booking was cancelled.
    StaffCancelled,
    /// Several appointments were booked together.
    AppointmentsBooked,
    /// Several appointments were moved together.
    AppointmentsMoved,
    /// Several appointments were cancelled together.
    AppointmentsCancelled,
    /// To staff and the business: several appointments were booked together.
    StaffAppointmentsBooked,
    /// To staff and the business: several appointments were moved together.
    StaffAppointmentsMoved,
    /// To staff and the business: several appointments were cancelled together.
    StaffAppointmentsCancelled,
    /// A link that proves the address of an account.
    VerifyEmail,
    /// A link that sets a new password.
    PasswordReset,
    /// A link that sets the first password of an account created by an administrator.
    SetPassword,
    /// Links of all future bookings of an address.
    BookingLinks,
    /// To administrators: nothing more is posted to a webhook endpoint.
    WebhookEnded,
}

impl NotificationKind {
    /// Every kind that is about one booking.
    pub const OF_BOOKINGS: [Self; 11] = [
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

    /// Every kind that is about several bookings.
    pub const OF_SEVERAL: [Self; 6] = [
        Self::AppointmentsBooked,
        Self::AppointmentsMoved,
        Self::AppointmentsCancelled,
        Self::StaffAppointmentsBooked,
        Self::StaffAppointmentsMoved,
        Self::StaffAppointmentsCancelled,
    ];

    /// Every kind.
    pub const ALL: [Self; 22] = [
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
        Self::AppointmentsBooked,
        Self::AppointmentsMoved,
        Self::AppointmentsCancelled,
        Self::StaffAppointmentsBooked,
        Self::StaffAppointmentsMoved,
        Self::StaffAppointmentsCancelled,
        Self::VerifyEmail,
        Self::PasswordReset,
        Self::SetPassword,
        Self::BookingLinks,
        Self::WebhookEnded,
    ];

    /// Every kind that is about an account.
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
            Self::AppointmentsBooked => "appointments_booked",
            Self::AppointmentsMoved => "appointments_moved",
            Self::AppointmentsCancelled => "appointments_cancelled",
            Self::StaffAppointmentsBooked => "staff_appointments_booked",
            Self::StaffAppointmentsMoved => "staff_appointments_moved",
            Self::StaffAppointmentsCancelled => "staff_appointments_cancelled",
            Self::VerifyEmail => "verify_email",
            Self::PasswordReset => "password_reset",
            Self::SetPassword => "set_password",
            Self::BookingLinks => "booking_links",
            Self::WebhookEnded => "webhook_ended",
        }
    }

    /// Whether it announces an appointment, and is useless once that has begun.
    #[must_use]
    pub fn is_for_what_is_to_come(self) -> bool {
        matches!(
            self,
            Self::Confirmation
                | Self::Reminder
                | Self::Reschedule
                | Self::Pending
                | Self::StaffNew
                | Self::StaffPending
                | Self::StaffMoved
                | Self::AppointmentsBooked
                | Self::AppointmentsMoved
                | Self::StaffAppointmentsBooked
                | Self::StaffAppointmentsMoved
        )
    }

    /// The kind of the mail that says the same of several bookings; none: each has a mail of its own.
    #[must_use]
    pub fn of_several(self) -> Option<Self> {
        match self {
            Self::Confirmation | Self::Pending => Some(Self::AppointmentsBooked),
            Self::Reschedule => Some(Self::AppointmentsMoved),
            Self::Cancellation => Some(Self::AppointmentsCancelled),
            Self::StaffNew => Some(Self::StaffAppointmentsBooked),
            Self::StaffMoved => Some(Self::StaffAppointmentsMoved),
            Self::StaffCancelled => Some(Self::StaffAppointmentsCancelled),
            _ => None,
        }
    }

    /// Whether it is about several bookings.
    #[must_use]
    pub fn is_about_several(self) -> bool {
        Self::OF_SEVERAL.contains(&self)
    }

    /// The purpose of the link in a mail about an account; none for a mail about a booking.
    #[must_use]
    pub fn account_link(self) -> Option<Purpose> {
        match self {
            Self::VerifyEmail => Some(Purpose::VerifyEmail),
            Self::PasswordReset | Self::SetPassword => Some(Purpose::SetPassword),
            _ => None,
        }
    }

    /// Whether it goes to staff or the business rather than to the customer.
    #[must_use]
    pub fn is_for_staff(self) -> bool {
        matches!(
            self,
            Self::StaffNew
                | Self::StaffPending
                | Self::StaffMoved
                | Self::StaffCancelled
                | Self::StaffAppointmentsBooked
                | Self::StaffAppointmentsMoved
                | Self::StaffAppointmentsCancelled
        )
    }

    /// Whether the mail applies to a booking of this status at the mail's revision.
    #[must_use]
    pub fn is_true_of(self, status: BookingStatus) -> bool {
        match self {
            Self::Confirmation | Self::Reminder | Self::Reschedule | Self::StaffNew => {
                status == BookingStatus::Confirmed
            }
            Self::Cancellation
            | Self::StaffCancelled
            | Self::AppointmentsCancelled
            | Self::StaffAppointmentsCancelled => status == BookingStatus::Cancelled,
            Self::Pending | Self::StaffPending => status == BookingStatus::Pending,
            Self::Declined => status == BookingStatus::Declined,
            Self::Expired => status == BookingStatus::Expired,
            Self::StaffMoved
            | Self::AppointmentsBooked
            | Self::AppointmentsMoved
            | Self::StaffAppointmentsBooked
            | Self::StaffAppointmentsMoved => {
                matches!(status, BookingStatus::Confirmed | BookingStatus::Pending)
            }
            Self::VerifyEmail
            | Self::PasswordReset
            | Self::SetPassword
            | Self::BookingLinks
            | Self::WebhookEnded => false,
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
    /// The booking changed before it was sent.
    Cancelled,
    /// It was due before the booking was made.
    SkippedTooLate,
    /// It was not sent in time.
    Expired,
    /// Permanently refused.
    Failed,
    /// The relay may or may not have accepted it; it is not sent again by itself.
    InDoubt,
    /// A reminder to a customer who does not want reminders.
    Unwanted,
    /// A reminder in place of which another one of the same visit was sent.
    Covered,
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
            Self::Covered => "covered",
        }
    }
}
