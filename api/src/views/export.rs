use chrono::{DateTime, Utc};
use poem_openapi::Object;
use punctual_core::{
    customers,
    notifications::{NotificationOutcome, NotificationState},
    privacy,
};
use serde::Serialize;
use uuid::Uuid;

use super::{Account, Booking, BookingEvent, Customer, MailKind, MailState};
use crate::http::values::Email;

/// All data of an account's owner.
#[derive(Debug, Object, Serialize)]
pub struct PersonalData {
    /// When this was read.
    pub exported_at: DateTime<Utc>,
    /// The account.
    pub account: Account,
    /// Its sessions, oldest first. Sessions are deleted a day after they end.
    #[oai(validator(max_items = 100000))]
    pub sessions: Vec<ExportedSession>,
    /// The customers of the account.
    #[oai(validator(max_items = 100000))]
    pub customers: Vec<ExportedCustomer>,
    /// Its bookings by start.
    #[oai(validator(max_items = 100000))]
    pub bookings: Vec<ExportedBooking>,
    /// Mails about the account itself.
    #[oai(validator(max_items = 100000))]
    pub mails: Vec<ExportedMail>,
}

/// The result of a login or refresh.
#[derive(Debug, Object, Serialize)]
#[expect(clippy::struct_field_names, reason = "instants are called so everywhere")]
pub struct ExportedSession {
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
    /// When it was replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spent_at: Option<DateTime<Utc>>,
    /// When it was ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<DateTime<Utc>>,
}

/// A customer and their choices.
#[derive(Debug, Object, Serialize)]
pub struct ExportedCustomer {
    /// Who.
    pub customer: Customer,
    /// Whether they want reminders.
    pub reminders: bool,
}

/// A booking with its history.
#[derive(Debug, Object, Serialize)]
pub struct ExportedBooking {
    /// The booking.
    pub booking: Booking,
    /// Its changes, oldest first.
    #[oai(validator(max_items = 10000))]
    pub events: Vec<BookingEvent>,
    /// Its mails in planned order.
    #[oai(validator(max_items = 10000))]
    pub mails: Vec<ExportedMail>,
}

/// A mail that was planned.
#[derive(Debug, Object, Serialize)]
pub struct ExportedMail {
    /// The mail's id.
    pub id: Uuid,
    /// Which mail.
    pub kind: MailKind,
    /// Its recipient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Email>,
    /// When it was planned.
    pub created_at: DateTime<Utc>,
    /// It is not sent before this instant.
    pub send_at: DateTime<Utc>,
    /// When the mail server accepted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<DateTime<Utc>>,
    /// The mail server's last reply.
    #[oai(validator(max_length = 500))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// Its outcome; absent while it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<MailState>,
}

impl PersonalData {
    /// The export as of this instant.
    pub fn new(data: privacy::PersonalData, exported_at: DateTime<Utc>) -> Self {
        Self {
            exported_at,
            account: data.account.into(),
            sessions: data.sessions.into_iter().map(ExportedSession::from).collect(),
            customers: data.customers.into_iter().map(ExportedCustomer::from).collect(),
            bookings: data.bookings.into_iter().map(ExportedBooking::from).collect(),
            mails: data.mails.into_iter().map(ExportedMail::from).collect(),
        }
    }
}

impl From<privacy::ExportedSession> for ExportedSession {
    fn from(session: privacy::ExportedSession) -> Self {
        Self {
            created_at: session.created_at,
            expires_at: session.expires_at,
            spent_at: session.spent_at,
            revoked_at: session.revoked_at,
        }
    }
}

impl From<customers::ExportedCustomer> for ExportedCustomer {
    fn from(customer: customers::ExportedCustomer) -> Self {
        Self { customer: customer.customer.into(), reminders: customer.reminders }
    }
}

impl From<privacy::ExportedBooking> for ExportedBooking {
    fn from(booking: privacy::ExportedBooking) -> Self {
        Self {
            booking: booking.booking.into(),
            events: booking.events.into_iter().map(BookingEvent::from).collect(),
            mails: booking.mails.into_iter().map(ExportedMail::from).collect(),
        }
    }
}

impl From<privacy::ExportedMail> for ExportedMail {
    fn from(mail: privacy::ExportedMail) -> Self {
        Self {
            id: mail.id,
            kind: mail.kind.into(),
            recipient: mail.recipient.map(Email),
            created_at: mail.created_at,
            send_at: mail.send_at,
            accepted_at: mail.accepted_at,
            reply: mail.reply,
            outcome: mail.outcome.map(|outcome: NotificationOutcome| NotificationState::from(outcome).into()),
        }
    }
}
