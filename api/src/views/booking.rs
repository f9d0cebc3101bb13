//! Schemas of bookings. Core's values serialise themselves: the structs here only describe that JSON; a newtype connects
//! the two.

use chrono::{DateTime, FixedOffset, Utc};
use poem_openapi::Object;
use punctual_core::{
    bookings::{self, BookingStatus},
    notifications::{Notification, NotificationKind, NotificationState},
    types::{ActorKind, Page},
};
use serde::Serialize;
use uuid::Uuid;

use super::described::{described, described_enum};
use crate::http::values::{CurrencyCode, Email, Name, NoteText, PageCursor, PhoneNumber, TimeZone};

described! {
    /// A booking of core, as it serialises.
    Booking(bookings::Booking) by BookingObject
}
described! {
    /// A row of the audit trail of core, as it serialises.
    BookingEvent(bookings::BookingEvent) by BookingEventObject
}
described! {
    /// A mail of core, as it serialises.
    Mail(Notification) by NotificationObject
}

/// A booking.
#[derive(Debug, Object)]
#[oai(rename = "Booking")]
pub struct BookingObject {
    /// The booking's id.
    pub id: Uuid,
    /// The service with its promised terms.
    pub service: BookedService,
    /// Who performs it.
    pub staff: BookedStaff,
    /// The customer; absent for a hold.
    pub customer: Option<BookedCustomer>,
    /// Status.
    pub status: Status,
    /// When it starts, with the offset of `zone`.
    pub start: DateTime<FixedOffset>,
    /// When it ends.
    pub end: DateTime<FixedOffset>,
    /// The business's time zone when the start was promised.
    pub zone: TimeZone,
    /// Its lowest seat in a class, from 1; 1 otherwise.
    #[oai(validator(minimum(value = "1"), maximum(value = "500")))]
    pub seat_no: i32,
    /// Its place in its series; absent: it does not repeat.
    pub series: Option<BookedSeries>,
    /// The visit of several services in which it was booked: the id of its first booking; absent: it was booked by itself.
    pub visit_id: Option<Uuid>,
    /// How many seats of the class it takes; 1 otherwise.
    #[oai(validator(minimum(value = "1"), maximum(value = "500")))]
    pub seats: i32,
    /// Who comes in the customer's place; absent: the customer.
    pub for_whom: Option<Name>,
    /// What the customer wrote.
    pub customer_note: NoteText,
    /// The staff's note; shown to staff only.
    pub staff_note: Option<NoteText>,
    /// Whether reminders are sent for it, unless the customer has turned off all reminders.
    pub reminders: bool,
    /// When a hold expires.
    pub hold_expires_at: Option<DateTime<Utc>>,
    /// The secret with which a guest releases the hold (`Hold-Token`); only in the answer that created it.
    #[oai(validator(max_length = 200))]
    pub hold_token: Option<String>,
    /// The revision, for `If-Match`.
    #[oai(validator(minimum(value = "1")))]
    pub rev: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Last change.
    pub updated_at: DateTime<Utc>,
}

/// The place of a booking in its series.
#[derive(Debug, Object)]
pub struct BookedSeries {
    /// The series: `GET /v1/series/{id}`.
    pub id: Uuid,
    /// Its number in the series, from 1.
    #[oai(validator(minimum(value = "1"), maximum(value = "52")))]
    pub no: i16,
    /// The start that the series gave it.
    pub planned_start: DateTime<FixedOffset>,
    /// Whether it was moved to another start by itself: a move of the series leaves it.
    pub moved: bool,
}

/// A service as it was promised.
#[derive(Debug, Object)]
pub struct BookedService {
    /// The service's id.
    pub id: Uuid,
    /// Its name at the time.
    #[oai(validator(max_length = 200))]
    pub name: String,
    /// Its duration in elapsed minutes.
    #[oai(validator(minimum(value = "5"), maximum(value = "1440")))]
    pub duration_min: i32,
    /// Its price at the time, for all seats of the booking.
    pub price: Price,
}

/// An amount of money.
#[derive(Debug, Object)]
pub struct Price {
    /// The amount in the currency's minor unit, such as cents.
    #[oai(validator(minimum(value = "0"), maximum(value = "500000000000")))]
    pub minor: i64,
    /// ISO 4217 code.
    pub currency: CurrencyCode,
}

/// Who performs a booking.
#[derive(Debug, Object)]
pub struct BookedStaff {
    /// The member of staff.
    pub id: Uuid,
    /// Name shown to customers.
    #[oai(validator(max_length = 200))]
    pub name: String,
}

/// Who comes.
#[derive(Debug, Object)]
pub struct BookedCustomer {
    /// The customer.
    pub id: Uuid,
    /// Name; absent once the person was erased.
    pub name: Option<Name>,
    /// E-mail address; absent once the person was erased.
    pub email: Option<Email>,
    /// Phone number.
    pub phone: Option<PhoneNumber>,
}

/// A page of bookings by start.
#[derive(Debug, Object, Serialize)]
pub struct BookingPage {
    /// The bookings.
    #[oai(validator(max_items = 100))]
    pub data: Vec<Booking>,
    /// Pass it as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<PageCursor>,
}

/// The changes of a booking, oldest first.
#[derive(Debug, Object, Serialize)]
pub struct BookingEvents {
    /// One for each revision.
    #[oai(validator(max_items = 10000))]
    pub data: Vec<BookingEvent>,
}

/// A change of a booking.
#[derive(Debug, Object)]
#[oai(rename = "BookingEvent")]
pub struct BookingEventObject {
    /// The revision it made.
    #[oai(validator(minimum(value = "1")))]
    pub rev: i32,
    /// The status after it.
    pub status: Status,
    /// What was done: `created`, `rescheduled`, `cancelled` and so on.
    #[oai(validator(max_length = 40))]
    pub change: String,
    /// Who did it.
    pub actor: Actor,
    /// Their account or API key; shown to staff only.
    pub actor_id: Option<Uuid>,
    /// Whether staff used `override`.
    pub overridden: bool,
    /// Old and new start and member of staff, where they changed.
    pub details: BookingEventDetails,
    /// When.
    pub at: DateTime<Utc>,
}

/// Positions before and after a change; empty if neither start nor member of staff changed.
#[derive(Debug, Object)]
pub struct BookingEventDetails {
    /// Before; absent for a new booking.
    pub from: Option<BookingPlace>,
    /// After.
    pub to: Option<BookingPlace>,
    /// Duration in minutes after a change that has `to`.
    #[oai(validator(minimum(value = "1")))]
    pub minutes: Option<i32>,
    /// Seats after the change, where there are several or their number changed.
    #[oai(validator(minimum(value = "1"), maximum(value = "500")))]
    pub seats: Option<i32>,
}

/// Start and member of staff.
#[derive(Debug, Object)]
pub struct BookingPlace {
    /// The start.
    pub start: DateTime<Utc>,
    /// The member of staff.
    pub staff_id: Uuid,
}

/// The mails of a booking with their states.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "BookingNotifications")]
pub struct Mails {
    /// The mails in the order in which they were planned.
    #[oai(validator(max_items = 10000))]
    pub data: Vec<Mail>,
}

/// The state of a mail.
#[derive(Debug, Object)]
#[oai(rename = "Notification")]
pub struct NotificationObject {
    /// The mail's id.
    pub id: Uuid,
    /// Which mail.
    pub kind: MailKind,
    /// The booking's revision it is about.
    #[oai(validator(minimum(value = "1")))]
    pub rev: i32,
    /// Status.
    pub state: MailState,
    /// It is not sent before this instant.
    pub send_at: DateTime<Utc>,
    /// It is not sent from this instant on.
    pub expires_at: DateTime<Utc>,
    /// Number of attempts.
    #[oai(validator(minimum(value = "0")))]
    pub tries: i32,
    /// When the next attempt is, if there is one.
    pub next_try_at: Option<DateTime<Utc>>,
    /// When the mail server accepted it.
    pub accepted_at: Option<DateTime<Utc>>,
    /// The mail server's last reply, or why there was none.
    #[oai(validator(max_length = 500))]
    pub reply: Option<String>,
}

described_enum! {
    /// The status of a booking.
    Status(BookingStatus) as "BookingStatus"
}
described_enum! {
    /// Who did something.
    Actor(ActorKind) as "Actor"
}
described_enum! {
    /// The state of a mail.
    MailState(NotificationState) as "NotificationState"
}
described_enum! {
    /// Which mail.
    MailKind(NotificationKind) as "NotificationKind"
}

impl From<Page<bookings::Booking>> for BookingPage {
    fn from(page: Page<bookings::Booking>) -> Self {
        Self {
            data: page.data.into_iter().map(Booking).collect(),
            next_cursor: page.next_cursor.map(PageCursor),
        }
    }
}
