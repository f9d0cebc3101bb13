use chrono::{DateTime, Utc};
use poem_openapi::Object;
use punctual_core::customers;
use serde::Serialize;
use uuid::Uuid;

use super::Language;
use crate::http::values::{Email, Name, NoteText, PhoneNumber, TimeZone};

/// A customer, as seen by staff.
#[derive(Debug, Object, Serialize)]
pub struct Customer {
    /// The customer's id.
    pub id: Uuid,
    /// The account whose bookings these are; absent for a guest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<Uuid>,
    /// E-mail address; absent for an erased person and for a customer with only a phone number, who gets no mails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// Name; absent once the person was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// Phone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<PhoneNumber>,
    /// The number in E.164 form; absent if it is not valid, or its country is unknown.
    #[oai(validator(max_length = 20))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_e164: Option<String>,
    /// Language of mails; the business's when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<Language>,
    /// Time zone that mails name beside the business's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<TimeZone>,
    /// The revision, for `If-Match`.
    #[oai(validator(minimum(value = "1")))]
    pub rev: i32,
    /// A note of staff about the person, such as allergies.
    pub note: NoteText,
    /// Statistics of their bookings.
    pub visits: Visits,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
    /// Last change.
    pub updated_at: DateTime<Utc>,
}

/// Statistics of a customer's bookings.
#[derive(Debug, Object, Serialize)]
pub struct Visits {
    /// Appointments that took place.
    #[oai(validator(minimum(value = "0")))]
    pub completed: i64,
    /// Appointments to which the customer did not come.
    #[oai(validator(minimum(value = "0")))]
    pub no_shows: i64,
    /// Appointments that were cancelled.
    #[oai(validator(minimum(value = "0")))]
    pub cancelled: i64,
    /// Start of the last one that took place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_at: Option<DateTime<Utc>>,
    /// Start of the first one that is pending or confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_at: Option<DateTime<Utc>>,
}

impl From<customers::Customer> for Customer {
    fn from(customer: customers::Customer) -> Self {
        Self {
            id: customer.id,
            user_id: customer.user_id,
            email: customer.email.map(Email),
            name: customer.name.map(Name),
            phone: customer.phone.map(PhoneNumber),
            phone_e164: customer.phone_e164,
            locale: customer.locale.map(Into::into),
            zone: customer.zone.map(TimeZone),
            rev: customer.rev.0,
            note: NoteText(customer.note),
            visits: customer.visits.into(),
            created_at: customer.created_at,
            updated_at: customer.updated_at,
        }
    }
}

impl From<customers::Visits> for Visits {
    fn from(visits: customers::Visits) -> Self {
        let customers::Visits { completed, no_shows, cancelled, last_at, next_at } = visits;
        Self { completed, no_shows, cancelled, last_at, next_at }
    }
}
