//! A customer as callers see it.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::types::{EmailAddress, Locale, Note, PersonName, Phone, Rev, Zone};

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// The customer's id.
    pub id: Uuid,
    /// The account the customer belongs to; none: a guest.
    pub user_id: Option<Uuid>,
    /// Address of mails; none for an erased customer and for one with only a phone number.
    pub email: Option<EmailAddress>,
    /// Name; none once erased.
    pub name: Option<PersonName>,
    /// Phone number.
    pub phone: Option<Phone>,
    /// The number in E.164 form; none if it is not valid, or its country is unknown.
    pub phone_e164: Option<String>,
    /// Language of mails; none: the business's.
    pub locale: Option<Locale>,
    /// Zone shown second in mails; none: the business's.
    pub zone: Option<Zone>,
    /// A note of staff about the person, such as allergies.
    pub note: Note,
    /// Statistics of their bookings.
    pub visits: Visits,
    /// Version, for If-Match.
    pub rev: Rev,
    /// When the row was inserted.
    pub created_at: DateTime<Utc>,
    /// Last change.
    pub updated_at: DateTime<Utc>,
}

/// Statistics of a customer's bookings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visits {
    /// Appointments that took place.
    pub completed: i64,
    /// Appointments to which the customer did not come.
    pub no_shows: i64,
    /// Appointments that were cancelled.
    pub cancelled: i64,
    /// Start of the last appointment that took place.
    pub last_at: Option<DateTime<Utc>>,
    /// Start of the first appointment that is pending or confirmed.
    pub next_at: Option<DateTime<Utc>>,
}

/// A customer with the reminder choice, for the export of an account's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedCustomer {
    /// The customer.
    pub customer: Customer,
    /// Whether they want reminders.
    pub reminders: bool,
}
