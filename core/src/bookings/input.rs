//! Parameters of the use cases.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::BookingStatus;
use crate::customers::Contact;
use crate::types::{Actor, Cursor, Note, Order, PageSize, PersonName};
use crate::{Error, Result};

/// A new booking. Repeated requests with one idempotency key are compared by its JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewBooking {
    /// Service, staff and start.
    pub slot: SlotSource,
    /// The person it is booked for.
    pub booker: Booker,
    /// Who comes in the customer's place, such as a child or partner; none: the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub for_whom: Option<PersonName>,
    /// The customer's note.
    pub customer_note: Note,
    /// The staff's note; only staff may set it.
    pub staff_note: Note,
    /// Whether reminders are sent for it, unless the customer has turned off all reminders.
    #[serde(skip_serializing_if = "is_default")]
    pub reminders: bool,
    /// Bypass grid, hours, notice and horizon, never another booking; only staff may. The start may be earlier today.
    pub overriding: bool,
    /// Whether the customer gets no mail about it; only staff may suppress the mail.
    #[serde(rename = "silent", skip_serializing_if = "std::ops::Not::not")]
    pub no_mail: bool,
}

/// The default is left out of the JSON by which repeated requests are compared: it is stored for a day.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_default(reminders: &bool) -> bool {
    *reminders
}

/// The source of a new booking's slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SlotSource {
    /// A slot of the list.
    Slot(RequestedSlot),
    /// The slot of a hold.
    Hold(Uuid),
}

/// A slot from the list of slots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestedSlot {
    /// The service.
    pub service_id: Uuid,
    /// The member of staff; none: the one with the fewest bookings on that day.
    pub staff_id: Option<Uuid>,
    /// Start.
    pub start: DateTime<Utc>,
    /// Seats of a class, at least 1; 1 of a one-to-one service.
    #[serde(skip_serializing_if = "is_one")]
    pub seats: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_one(seats: &u32) -> bool {
    *seats == 1
}

/// The person a booking is made for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Booker {
    /// The account that makes the request.
    Myself,
    /// A customer on file; only staff may.
    Customer(Uuid),
    /// A person by contact details: a guest, or a customer that staff enter.
    Person(Contact),
}

/// A new hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewHold {
    /// Service, staff and start.
    pub slot: RequestedSlot,
    /// Duration of the hold in minutes, 1 to 10.
    pub minutes: u32,
}

/// How the customer is notified of a change by staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffMessage {
    /// Text for the customer's mail, kept in the audit trail; only staff may give one.
    pub text: Option<Note>,
    /// Whether the customer gets a mail about the change; only staff may turn it off.
    pub notify: bool,
}

impl Default for StaffMessage {
    /// The usual mail, without a text.
    fn default() -> Self {
        Self { text: None, notify: true }
    }
}

impl StaffMessage {
    /// A text, if it is not empty, and whether to send the mail; true if absent.
    #[must_use]
    pub fn new(text: Option<Note>, notify: Option<bool>) -> Self {
        let text = text.filter(|text| !text.as_str().trim().is_empty());
        Self { text, notify: notify.unwrap_or(true) }
    }

    /// # Errors
    /// [`Error::StaffOnly`] when anyone else gives a text or suppresses the mail.
    pub(super) fn authorize(&self, actor: &Actor) -> Result<()> {
        if actor.is_staff() || *self == Self::default() {
            Ok(())
        } else {
            Err(Error::StaffOnly("message and notify are for staff."))
        }
    }
}

/// Where a booking is moved to. The service stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// New start.
    pub start: DateTime<Utc>,
    /// New member of staff; none: the same as before.
    pub staff_id: Option<Uuid>,
    /// Bypass grid, hours, notice and horizon, never another booking; only staff may.
    pub overriding: bool,
    /// Use the service's current name, duration, price and buffers instead of the promised ones; only staff may.
    pub current_terms: bool,
    /// How the customer is notified.
    pub message: StaffMessage,
}

impl Move {
    /// A move under the promised terms, within all limits, with the usual mail. No member of staff: the same as before.
    #[must_use]
    pub fn to(start: DateTime<Utc>, staff_id: Option<Uuid>) -> Self {
        let message = StaffMessage::default();
        Self { start, staff_id, overriding: false, current_terms: false, message }
    }
}

/// Changes by staff to a booking that keeps its start; `None` keeps a field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BookingPatch {
    /// The customer's note.
    pub customer_note: Option<Note>,
    /// The staff's note.
    pub staff_note: Option<Note>,
    /// The service. Its current terms apply as a whole: name, duration, price and buffers.
    pub service_id: Option<Uuid>,
    /// Duration in minutes, 5 to 1440, instead of the service's. The other terms are the current ones.
    pub duration_min: Option<u32>,
    /// The member of staff.
    pub staff_id: Option<Uuid>,
    /// The customer on file.
    pub customer_id: Option<Uuid>,
    /// Seats of the class. The promised price of one seat stays, unless other terms change.
    pub seats: Option<u32>,
    /// Bypass hours, never another booking.
    pub overriding: bool,
    /// How the customer is notified.
    pub message: StaffMessage,
}

/// Filters of a list. A customer's list contains their own bookings only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListBookings {
    /// Those that start at this instant or later.
    pub from: Option<DateTime<Utc>>,
    /// Those that start before this instant.
    pub to: Option<DateTime<Utc>>,
    /// Those that start on this date, in the business's zone.
    pub date: Option<NaiveDate>,
    /// Those that changed at this instant or later.
    pub updated_since: Option<DateTime<Utc>>,
    /// Those whose customer has each of these words in name, address or phone number; only staff may search.
    pub search: String,
    /// Those of one of these statuses; empty: any but held.
    pub statuses: Vec<BookingStatus>,
    /// Those of this member of staff.
    pub staff_id: Option<Uuid>,
    /// Those of this customer; only staff may filter by it.
    pub customer_id: Option<Uuid>,
    /// By start.
    pub order: Order,
    /// Rows of one page.
    pub limit: PageSize,
    /// Where the page begins; none: at the first row.
    pub cursor: Option<Cursor>,
}
