use chrono::{DateTime, Utc};
use poem_openapi::{Enum, Object};
use punctual_core::{
    types::{self, Locale},
    users::User,
};
use serde::Serialize;
use uuid::Uuid;

use crate::http::values::{Email, Name, PhoneNumber, TimeZone};

/// An account, as its owner sees it.
#[derive(Debug, Object, Serialize)]
pub struct Account {
    /// The account's id.
    pub id: Uuid,
    /// Its address, which is also the login name.
    pub email: Email,
    /// Whether the address is verified.
    pub email_verified: bool,
    /// Name as the person writes it.
    pub name: Name,
    /// Phone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<PhoneNumber>,
    /// Role of the account.
    pub role: Role,
    /// The account's member of staff; only in `GET /v1/me`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staff_id: Option<Uuid>,
    /// Language of mails; the business's when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<Language>,
    /// Time zone that mails name beside the business's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<TimeZone>,
    /// When the account was created.
    pub created_at: DateTime<Utc>,
}

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, Serialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Own bookings.
    Customer,
    /// All bookings and customers, own hours and time off.
    Staff,
    /// As staff, and hours and time off of all staff.
    FrontDesk,
    /// Everything.
    Admin,
}

/// A language of mails and pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, Serialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    En,
    /// German.
    De,
}

impl From<User> for Account {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            email: Email(user.email),
            email_verified: user.email_verified_at.is_some(),
            name: Name(user.name),
            phone: user.phone.map(PhoneNumber),
            role: user.role.into(),
            staff_id: None,
            locale: user.locale.map(Language::from),
            zone: user.zone.map(TimeZone),
            created_at: user.created_at,
        }
    }
}

impl From<types::Role> for Role {
    fn from(role: types::Role) -> Self {
        match role {
            types::Role::Customer => Self::Customer,
            types::Role::Staff => Self::Staff,
            types::Role::FrontDesk => Self::FrontDesk,
            types::Role::Admin => Self::Admin,
        }
    }
}

impl From<Locale> for Language {
    fn from(locale: Locale) -> Self {
        match locale {
            Locale::En => Self::En,
            Locale::De => Self::De,
        }
    }
}

impl From<Language> for Locale {
    fn from(language: Language) -> Self {
        match language {
            Language::En => Self::En,
            Language::De => Self::De,
        }
    }
}

/// The role of an account of a member of staff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum StaffRole {
    /// All bookings and customers, own hours and time off.
    Staff,
    /// As staff, and hours and time off of all staff.
    FrontDesk,
}

impl From<StaffRole> for types::StaffRole {
    fn from(role: StaffRole) -> Self {
        match role {
            StaffRole::Staff => Self::Staff,
            StaffRole::FrontDesk => Self::FrontDesk,
        }
    }
}
