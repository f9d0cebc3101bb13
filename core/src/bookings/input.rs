//! What is asked for.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::BookingStatus;
use crate::types::{Cursor, EmailAddress, Locale, Note, PageSize, PersonName, Phone, Zone};

/// A booking to be made. What idempotency keys are compared by is this value as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewBooking {
    /// What and when.
    pub slot: Wanted,
    /// For whom.
    pub booker: Booker,
    /// What the customer writes.
    pub customer_note: Note,
    /// What staff write; only staff may.
    pub staff_note: Note,
    /// Staff pass grid, hours, notice and horizon on purpose; never another booking.
    pub overriding: bool,
}

/// The slot of a booking to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// A slot of the list.
    Slot(WantedSlot),
    /// The slot kept by a hold.
    Hold(Uuid),
}

/// A slot of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WantedSlot {
    /// The service.
    pub service_id: Uuid,
    /// Who performs it; none: anyone who can, those with the fewest bookings that day first.
    pub staff_id: Option<Uuid>,
    /// When it begins.
    pub start: DateTime<Utc>,
}

/// For whom a booking is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Booker {
    /// The account that asks.
    Myself,
    /// A customer on file; only staff may.
    Customer(Uuid),
    /// A person by their details: a guest themselves, or somebody staff book for.
    Person(Contact),
}

/// A person by their details.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contact {
    /// Where mails go.
    pub email: EmailAddress,
    /// Name.
    pub name: PersonName,
    /// Phone number.
    pub phone: Option<Phone>,
    /// Language of mails; none: the business's.
    pub locale: Option<Locale>,
    /// Zone shown second in mails; none: the business's.
    pub zone: Option<Zone>,
}

/// A slot to be kept for a short while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewHold {
    /// What and when.
    pub slot: WantedSlot,
    /// For how many minutes, 1 to 10.
    pub minutes: u32,
}

/// Where a booking is moved to. The service stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// New start.
    pub start: DateTime<Utc>,
    /// New member of staff; none: the same as before.
    pub staff_id: Option<Uuid>,
    /// Staff pass grid, hours, notice and horizon on purpose; never another booking.
    pub overriding: bool,
}

/// Which bookings a list holds; those of a customer's list are their own in any case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListBookings {
    /// Those that start at this instant or later.
    pub from: Option<DateTime<Utc>>,
    /// Those that start before this instant.
    pub to: Option<DateTime<Utc>>,
    /// Those of one of these statuses; empty: any but held.
    pub statuses: Vec<BookingStatus>,
    /// Those of this member of staff.
    pub staff_id: Option<Uuid>,
    /// Those of this customer; only staff may ask.
    pub customer_id: Option<Uuid>,
    /// Rows of a page.
    pub limit: PageSize,
    /// Where the page begins.
    pub cursor: Option<Cursor>,
}
