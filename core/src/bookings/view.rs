//! A booking as callers see it.

use chrono::{DateTime, FixedOffset, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use uuid::Uuid;

use super::BookingStatus;
use crate::types::{
    ActorKind, ChangeKind, EmailAddress, EventDetails, Money, Note, PersonName, Phone, Rev, Zone,
};
use crate::wording::with_seats;

/// A booking. Its JSON is that of the API and the stored answer of an idempotent request: a field added later needs
/// `#[serde(default)]`, so that answers stored before can be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booking {
    /// The booking's id.
    pub id: Uuid,
    /// What was booked.
    pub service: BookedService,
    /// Who performs it.
    pub staff: BookedStaff,
    /// The customer; none for a hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<BookedCustomer>,
    /// Its status.
    pub status: BookingStatus,
    /// Start, with the offset of `zone`.
    pub start: DateTime<FixedOffset>,
    /// End, with the offset of `zone`.
    pub end: DateTime<FixedOffset>,
    /// The business's zone when the start was promised.
    pub zone: Zone,
    /// Lowest seat within a class of a group service, from 1; 1 otherwise.
    pub seat_no: i32,
    /// How many seats of the class it takes; 1 of a one-to-one service.
    #[serde(default = "one")]
    pub seats: i32,
    /// The series it is an occurrence of; none: it does not repeat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<InSeries>,
    /// The visit of several services in which it was booked: the id of its first booking; none: it was booked by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visit_id: Option<Uuid>,
    /// Who comes in the customer's place; none: the customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_whom: Option<PersonName>,
    /// The customer's note.
    pub customer_note: Note,
    /// The staff's note; only staff see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staff_note: Option<Note>,
    /// Whether reminders are sent for it, unless the customer has turned off all reminders.
    #[serde(default = "wanted")]
    pub reminders: bool,
    /// When the hold expires; none unless it is a hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold_expires_at: Option<DateTime<Utc>>,
    /// The secret with which a guest releases the hold; only in the answer that created it, and never stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_token: Option<String>,
    /// Version, for If-Match.
    pub rev: Rev,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// Last change.
    pub updated_at: DateTime<Utc>,
}

impl Booking {
    /// What was booked, as pages say it: with the number of seats where there are several.
    #[must_use]
    pub fn what(&self) -> String {
        with_seats(&self.service.name, self.seats)
    }
}

/// Answers stored before this field existed are of bookings with reminders.
const fn wanted() -> bool {
    true
}

/// Where a booking is in its series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InSeries {
    /// The series.
    pub id: Uuid,
    /// Its number in the series, from 1.
    pub no: i16,
    /// The start that the series gave it.
    pub planned_start: DateTime<FixedOffset>,
    /// Whether it was moved to another start by itself: a move of the series leaves it.
    pub moved: bool,
}

/// Answers stored before several seats could be booked are of one.
const fn one() -> i32 {
    1
}

/// The service as it was promised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookedService {
    /// The service's id.
    pub id: Uuid,
    /// Its name at the time.
    pub name: String,
    /// Its duration at the time, elapsed minutes.
    pub duration_min: i32,
    /// Its price at the time, for all seats of the booking.
    pub price: Money,
}

/// Who performs a booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookedStaff {
    /// The id of the member of staff.
    pub id: Uuid,
    /// Name shown to customers.
    pub name: String,
}

/// The customer of a booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookedCustomer {
    /// The customer's id.
    pub id: Uuid,
    /// Name; none once the person was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<PersonName>,
    /// Address; none for an erased person and for a customer with only a phone number, who gets no mails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<EmailAddress>,
    /// Phone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
}

/// One row of a booking's audit trail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BookingEvent {
    /// The revision this change made.
    pub rev: Rev,
    /// Status after the change.
    pub status: BookingStatus,
    /// What was done.
    pub change: ChangeKind,
    /// Who made the change.
    pub actor: ActorKind,
    /// Their account; none for guests and the system. Only staff see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<Uuid>,
    /// Whether staff bypassed grid, hours, notice or horizon with `override`.
    pub overridden: bool,
    /// Old and new position, where it changed.
    pub details: Json<EventDetails>,
    /// When the change was made.
    pub at: DateTime<Utc>,
}
