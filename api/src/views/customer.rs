use chrono::{DateTime, Utc};
use poem_openapi::Object;
use punctual_core::customers;
use serde::Serialize;
use uuid::Uuid;

use super::Language;
use crate::http::values::{Email, Name, PhoneNumber, TimeZone};

/// A customer, as seen by staff.
#[derive(Debug, Object, Serialize)]
pub struct Customer {
    /// The customer's id.
    pub id: Uuid,
    /// The account whose bookings these are; absent for a guest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<Uuid>,
    /// Where mails go; absent once the person was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// Name; absent once the person was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// Phone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<PhoneNumber>,
    /// Language of mails; the business's when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<Language>,
    /// Time zone that mails name beside the business's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<TimeZone>,
    /// The revision, for `If-Match`.
    #[oai(validator(minimum(value = "1")))]
    pub rev: i32,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
}

impl From<customers::Customer> for Customer {
    fn from(customer: customers::Customer) -> Self {
        Self {
            id: customer.id,
            user_id: customer.user_id,
            email: customer.email.map(Email),
            name: customer.name.map(Name),
            phone: customer.phone.map(PhoneNumber),
            locale: customer.locale.map(Into::into),
            zone: customer.zone.map(TimeZone),
            rev: customer.rev.0,
            created_at: customer.created_at,
        }
    }
}
