//! A booking as people see it.

use chrono::{DateTime, FixedOffset, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::BookingStatus;
use crate::types::{ActorKind, EmailAddress, Money, Note, PersonName, Phone, Rev, Zone};

/// A booking. The stored answer of an idempotent request is this, as JSON: a change that older rows cannot be read
/// as needs `#[serde(default)]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booking {
    /// The booking's id.
    pub id: Uuid,
    /// What was booked.
    pub service: BookedService,
    /// Who performs it.
    pub staff: BookedStaff,
    /// Who comes; none for a hold, and for a class or calendar seen by those who may not know.
    pub customer: Option<BookedCustomer>,
    /// Where it stands.
    pub status: BookingStatus,
    /// Start, with the offset of `zone`.
    pub start: DateTime<FixedOffset>,
    /// End, with the offset of `zone`.
    pub end: DateTime<FixedOffset>,
    /// The business's zone when the start was promised.
    pub zone: Zone,
    /// Seat within a class of a group service, from 1; 1 otherwise.
    pub seat_no: i32,
    /// What the customer wrote.
    pub customer_note: Note,
    /// What staff wrote; none for anyone but staff.
    #[serde(default)]
    pub staff_note: Option<Note>,
    /// When a hold runs out.
    pub hold_expires_at: Option<DateTime<Utc>>,
    /// Version, for If-Match.
    pub rev: Rev,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Last change.
    pub updated_at: DateTime<Utc>,
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
    /// Its price at the time.
    pub price: Money,
}

/// Who performs a booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookedStaff {
    /// The member of staff.
    pub id: Uuid,
    /// Name shown to customers.
    pub name: String,
}

/// Who comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookedCustomer {
    /// The customer.
    pub id: Uuid,
    /// Name; none once the person was erased.
    pub name: Option<PersonName>,
    /// Address; none once the person was erased.
    pub email: Option<EmailAddress>,
    /// Phone number.
    pub phone: Option<Phone>,
}

/// One row of a booking's audit trail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BookingEvent {
    /// The revision this change made.
    pub rev: Rev,
    /// Status after the change.
    pub status: BookingStatus,
    /// What was done: `created`, `rescheduled`, `cancelled` and so on.
    pub change: String,
    /// Who did it.
    pub actor: ActorKind,
    /// Their account; none for guests and the system, and for anyone but staff who looks.
    pub actor_id: Option<Uuid>,
    /// Whether staff passed grid, hours, notice or horizon on purpose.
    pub overridden: bool,
    /// Old and new start and member of staff, where they changed: `{"from": {…}, "to": {…}}`.
    pub details: serde_json::Value,
    /// When.
    pub at: DateTime<Utc>,
}
