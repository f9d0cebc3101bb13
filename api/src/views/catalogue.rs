use chrono::{DateTime, Utc};
use poem_openapi::{Enum, Object};
use punctual_core::{calendar, services, settings, staff::StaffMember};
use serde::Serialize;
use uuid::Uuid;

use super::{Language, Role, Translations};
use crate::http::values::{
    AboutText, Colour, CountryCode, CurrencyCode, Email, LabelText, Name, NoteText, PhoneNumber, TimeOfDay,
    TimeZone,
};

/// The business.
#[derive(Debug, Object, Serialize)]
pub struct Business {
    /// Its name.
    #[oai(validator(min_length = 1, max_length = 200))]
    pub name: String,
    /// Postal address; empty when none is shown.
    #[oai(validator(max_length = 500))]
    pub address: String,
    /// Phone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<PhoneNumber>,
    /// Currency of all prices.
    pub currency: CurrencyCode,
    /// Time zone of opening hours and civil dates.
    pub zone: TimeZone,
    /// Default language of mails.
    pub locale: Language,
    /// Whether a booking can be made without an account.
    pub guests_allowed: bool,
    /// Colour of buttons and links on pages; the default when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accent_colour: Option<Colour>,
    /// Country (ISO 3166-1) in which phone numbers without a country code are read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<CountryCode>,
    /// Reply-To address of mails; shown to administrators only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Email>,
    /// Sender address of mails; shown to administrators only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<Email>,
    /// Address of mails about new, moved and cancelled bookings; shown to administrators only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify_address: Option<Email>,
    /// Days after the last appointment until a customer is erased; absent: never. Shown to administrators only.
    #[oai(validator(minimum(value = "1"), maximum(value = "36500")))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<u16>,
    /// The revision, for `If-Match`.
    #[oai(validator(minimum(value = "1")))]
    pub rev: i32,
}

/// What can be booked.
#[derive(Debug, Object, Serialize)]
pub struct Service {
    /// The service's id.
    pub id: Uuid,
    /// Name shown to customers.
    pub name: LabelText,
    /// Plain text shown to customers.
    pub description: NoteText,
    /// Length of the appointment in elapsed minutes.
    #[oai(validator(minimum(value = "5"), maximum(value = "1440")))]
    pub duration_min: u32,
    /// Minutes from one start to the next, counted from each opening.
    #[oai(validator(minimum(value = "5"), maximum(value = "1440")))]
    pub slot_step_min: u32,
    /// Minutes kept free before the appointment.
    #[oai(validator(minimum(value = "0"), maximum(value = "480")))]
    pub buffer_before_min: u32,
    /// Minutes kept free after the appointment.
    #[oai(validator(minimum(value = "0"), maximum(value = "480")))]
    pub buffer_after_min: u32,
    /// Seats; 1 is a one-to-one service.
    #[oai(validator(minimum(value = "1"), maximum(value = "500")))]
    pub capacity: u32,
    /// Least minutes between a booking and its start.
    #[oai(validator(minimum(value = "0"), maximum(value = "525600")))]
    pub min_notice_min: u32,
    /// How many days ahead can be booked.
    #[oai(validator(minimum(value = "1"), maximum(value = "730")))]
    pub horizon_days: u32,
    /// Customers may cancel until this many minutes before the start.
    #[oai(validator(minimum(value = "0"), maximum(value = "525600")))]
    pub cancel_notice_min: u32,
    /// Customers may move until this many minutes before the start.
    #[oai(validator(minimum(value = "0"), maximum(value = "525600")))]
    pub reschedule_notice_min: u32,
    /// Whether a booking is pending until staff confirm it.
    pub requires_confirmation: bool,
    /// Price in the currency's minor unit, such as cents.
    #[oai(validator(minimum(value = "0"), maximum(value = "1000000000")))]
    pub price_minor: i64,
    /// Currency of the price.
    pub currency: CurrencyCode,
    /// Whether it takes new bookings.
    pub active: bool,
    /// When customers are reminded.
    #[oai(validator(max_items = 5))]
    pub reminders: Vec<ReminderRule>,
    /// Who performs it.
    #[oai(validator(max_items = 50))]
    pub staff_ids: Vec<Uuid>,
    /// What differs with single members of staff, by id.
    #[oai(validator(max_items = 50))]
    pub staff_terms: Vec<StaffTerms>,
    /// Heading under which it is listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<LabelText>,
    /// Position in lists, ascending; equal ones by name.
    #[oai(validator(minimum(value = "0"), maximum(value = "10000")))]
    pub position: u32,
    /// Its texts by language.
    pub translations: Translations,
    /// The revision, for `If-Match`.
    #[oai(validator(minimum(value = "1")))]
    pub rev: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Last change.
    pub updated_at: DateTime<Utc>,
}

/// Duration and price of a service with one member of staff.
#[derive(Debug, Object, Serialize)]
pub struct StaffTerms {
    /// The member of staff.
    pub staff_id: Uuid,
    /// Duration in elapsed minutes; absent: the service's.
    #[oai(validator(minimum(value = "5"), maximum(value = "1440")))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_min: Option<u32>,
    /// Price in the currency's minor unit; absent: the service's.
    #[oai(validator(minimum(value = "0"), maximum(value = "1000000000")))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_minor: Option<i64>,
}

impl From<services::StaffTerms> for StaffTerms {
    fn from(terms: services::StaffTerms) -> Self {
        Self { staff_id: terms.staff_id, duration_min: terms.duration_min, price_minor: terms.price_minor }
    }
}

/// When to remind: `offset` with `minutes`, or `day_before_at` with `at`.
#[derive(Debug, Object, Serialize)]
pub struct ReminderRule {
    /// Which of the two.
    pub kind: ReminderKind,
    /// With `offset`: elapsed minutes before the start.
    #[oai(validator(minimum(value = "1"), maximum(value = "43200")))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minutes: Option<u32>,
    /// With `day_before_at`: time of day on the civil day before, in the business's zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<TimeOfDay>,
}

/// The rule of a reminder's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, Serialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum ReminderKind {
    /// Elapsed minutes before the start.
    Offset,
    /// At a time of day on the day before.
    DayBeforeAt,
}

/// A member of staff.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "StaffMember")]
pub struct Staff {
    /// Their id.
    pub id: Uuid,
    /// Name shown to customers.
    pub name: Name,
    /// A sentence about them; may be empty.
    pub about: AboutText,
    /// Path of their photo below the public URL; absent when there is none.
    #[oai(validator(max_length = 200))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub photo: Option<String>,
    /// Address of mails about their bookings; shown to staff only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// Role of their account; shown to staff only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Their account; shown to staff only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<Uuid>,
    /// Whether they take new bookings.
    pub active: bool,
    /// Services they perform.
    #[oai(validator(max_items = 1000))]
    pub service_ids: Vec<Uuid>,
    /// The revision, for `If-Match`.
    #[oai(validator(minimum(value = "1")))]
    pub rev: i32,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
    /// Last change.
    pub updated_at: DateTime<Utc>,
}

impl Business {
    /// As administrators see it, or as everybody does.
    #[must_use]
    pub fn new(business: settings::Business, for_admin: bool) -> Self {
        Self {
            name: business.name,
            address: business.address,
            phone: business.phone.map(PhoneNumber),
            currency: CurrencyCode(business.currency),
            zone: TimeZone(business.zone),
            locale: business.locale.into(),
            guests_allowed: business.guests_allowed,
            accent_colour: business.accent_colour.map(Colour),
            country: business.country.map(CountryCode),
            reply_to: for_admin.then_some(Email(business.reply_to)),
            sender: for_admin.then_some(Email(business.sender)),
            notify_address: business.notify_address.filter(|_| for_admin).map(Email),
            retention_days: business.retention_days.filter(|_| for_admin),
            rev: business.rev.0,
        }
    }
}

impl From<services::Service> for Service {
    fn from(service: services::Service) -> Self {
        let spec = service.spec;
        Self {
            id: service.id,
            name: LabelText(spec.name),
            description: NoteText(spec.description),
            duration_min: spec.duration_min,
            slot_step_min: spec.slot_step_min,
            buffer_before_min: spec.buffer_before_min,
            buffer_after_min: spec.buffer_after_min,
            capacity: spec.capacity,
            min_notice_min: spec.min_notice_min,
            horizon_days: spec.horizon_days,
            cancel_notice_min: spec.cancel_notice_min,
            reschedule_notice_min: spec.reschedule_notice_min,
            requires_confirmation: spec.requires_confirmation,
            price_minor: spec.price_minor,
            currency: CurrencyCode(service.currency),
            active: spec.active,
            reminders: spec.reminders.into_iter().map(ReminderRule::from).collect(),
            staff_terms: service.staff_terms.into_iter().map(StaffTerms::from).collect(),
            staff_ids: spec.staff_ids,
            category: spec.display.category.map(LabelText),
            position: spec.display.position,
            translations: spec.display.translations.into(),
            rev: service.rev.0,
            created_at: service.created_at,
            updated_at: service.updated_at,
        }
    }
}

impl From<calendar::ReminderRule> for ReminderRule {
    fn from(rule: calendar::ReminderRule) -> Self {
        match rule {
            calendar::ReminderRule::Offset { minutes } => {
                Self { kind: ReminderKind::Offset, minutes: Some(minutes), at: None }
            }
            calendar::ReminderRule::DayBeforeAt { at } => {
                Self { kind: ReminderKind::DayBeforeAt, minutes: None, at: Some(TimeOfDay(at)) }
            }
        }
    }
}

impl Staff {
    /// As staff see it, or as everybody does.
    #[must_use]
    pub fn new(member: StaffMember, for_staff: bool) -> Self {
        Self {
            id: member.id,
            name: Name(member.name),
            about: AboutText(member.about),
            photo: member.photo.map(|tag| format!("/look/staff/{}?v={tag}", member.id)),
            email: member.email.filter(|_| for_staff).map(Email),
            role: member.role.filter(|_| for_staff).map(Role::from),
            user_id: member.user_id.filter(|_| for_staff),
            active: member.active,
            service_ids: member.service_ids,
            rev: member.rev.0,
            created_at: member.created_at,
            updated_at: member.updated_at,
        }
    }
}
