use std::fmt;

use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Position;
use crate::bookings::BookingStatus;
use crate::types::{ActorKind, ParseError};

macro_rules! event_types {
    ($(#[doc = $doc:literal] $name:ident = $text:literal,)*) => {
        /// The type of an event.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum EventType {
            $(#[doc = $doc] #[serde(rename = $text)] $name,)*
        }

        impl EventType {
            /// All types.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The name in the feed and in webhooks.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// What happened, in a sentence.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => $doc),* }.trim()
            }
        }
    };
}

event_types! {
    /// A booking was made, pending or confirmed.
    BookingCreated = "booking.created",
    /// A pending booking was confirmed.
    BookingConfirmed = "booking.confirmed",
    /// A pending booking was declined.
    BookingDeclined = "booking.declined",
    /// A booking was moved in time or to another member of staff.
    BookingRescheduled = "booking.rescheduled",
    /// A booking was cancelled.
    BookingCancelled = "booking.cancelled",
    /// A pending booking was not answered before its start.
    BookingExpired = "booking.expired",
    /// A booking took place.
    BookingCompleted = "booking.completed",
    /// The customer did not come.
    BookingNoShow = "booking.no_show",
    /// A booking changed in another way: its service, duration, member of staff, customer or a note.
    BookingUpdated = "booking.updated",
    /// The settings of the business were created.
    BusinessCreated = "business.created",
    /// The settings of the business changed.
    BusinessUpdated = "business.updated",
    /// A customer was added.
    CustomerCreated = "customer.created",
    /// A customer changed or was erased.
    CustomerUpdated = "customer.updated",
    /// A customer was merged into another one.
    CustomerDeleted = "customer.deleted",
    /// A service was added.
    ServiceCreated = "service.created",
    /// A service changed.
    ServiceUpdated = "service.updated",
    /// A member of staff was added.
    StaffCreated = "staff.created",
    /// A member of staff changed.
    StaffUpdated = "staff.updated",
    /// A test event, requested by an administrator; it is not part of the feed.
    WebhookTest = "webhook.test",
}

impl EventType {
    /// Parses a name.
    ///
    /// # Errors
    /// `unknown_type`.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        const UNKNOWN: ParseError =
            ParseError::new("unknown_type", "no such event type: GET /v1/events describes the types");
        Self::ALL.iter().copied().find(|known| known.as_str() == text).ok_or(UNKNOWN)
    }

    /// The type of a change in the audit trail of bookings; one that a newer release made is an update.
    pub(super) fn of_change(change: &str) -> Self {
        match change {
            "created" | "booked" => Self::BookingCreated,
            "confirmed" => Self::BookingConfirmed,
            "declined" => Self::BookingDeclined,
            "rescheduled" => Self::BookingRescheduled,
            "cancelled" => Self::BookingCancelled,
            "expired" => Self::BookingExpired,
            "completed" => Self::BookingCompleted,
            "no_show" => Self::BookingNoShow,
            _ => Self::BookingUpdated,
        }
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One event of the feed. It names no person.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "`type` is the word of the feed, and a keyword here")]
pub struct Event {
    /// Its place in the feed.
    pub position: Position,
    /// What happened.
    pub event_type: EventType,
    /// When.
    pub at: DateTime<FixedOffset>,
    /// What it happened to.
    pub subject: Subject,
    /// Who did it, for bookings.
    pub actor: Option<EventActor>,
}

impl Event {
    /// The id that clients see, for deduplication: `evt_` and the event's number.
    #[must_use]
    pub fn public_id(&self) -> String {
        public_id(self.position.id)
    }
}

/// An event's id as clients see it, from its number.
pub(crate) fn public_id(number: i64) -> String {
    format!("evt_{number}")
}

/// What an event happened to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A booking, as it stood after the event.
    Booking {
        /// The booking.
        booking: BookingState,
        /// Where it was before, if the event moved it.
        previous: Option<Place>,
    },
    /// The business.
    Business,
    /// A customer.
    Customer(Uuid),
    /// A service.
    Service(Uuid),
    /// A member of staff.
    Staff(Uuid),
    /// Nothing: a test.
    Test,
}

/// A booking at one revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BookingState {
    /// Its id.
    pub id: Uuid,
    /// The revision; of two events of one booking the greater is the later.
    pub rev: i32,
    /// Its status at that revision.
    pub status: BookingStatus,
    /// The service.
    pub service_id: Uuid,
    /// Who performs it.
    pub staff_id: Uuid,
    /// Its start.
    pub start: DateTime<FixedOffset>,
    /// Its end.
    pub end: DateTime<FixedOffset>,
    /// The series it is an occurrence of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub series_id: Option<Uuid>,
}

/// Start and member of staff of a booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The start.
    pub start: DateTime<FixedOffset>,
    /// Who was to perform it.
    pub staff_id: Uuid,
}

/// Who did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct EventActor {
    /// The kind of actor.
    pub kind: ActorKind,
    /// The account or API key; none for guests and Punctual itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
}
