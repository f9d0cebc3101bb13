use chrono::{DateTime, FixedOffset, Utc};
use poem_openapi::{Enum, Object};
use punctual_core::{
    bookings::{self, BookingStatus},
    notifications::{Notification, NotificationKind, NotificationState},
    types::{ActorKind, Page},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::http::values::{CurrencyCode, Email, Name, NoteText, PageCursor, PhoneNumber, TimeZone};

/// A booking.
#[derive(Debug, Object, Serialize)]
pub struct Booking {
    /// The booking's id.
    pub id: Uuid,
    /// What was booked, as it was promised.
    pub service: BookedService,
    /// Who performs it.
    pub staff: BookedStaff,
    /// Who comes; absent for a hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<BookedCustomer>,
    /// Where it stands.
    pub status: Status,
    /// When it starts, with the offset of `zone`.
    pub start: DateTime<FixedOffset>,
    /// When it ends.
    pub end: DateTime<FixedOffset>,
    /// The business's time zone when the start was promised.
    pub zone: TimeZone,
    /// Seat of a group, from 1; 1 otherwise.
    #[oai(validator(minimum(value = "1"), maximum(value = "500")))]
    pub seat_no: i32,
    /// What the customer wrote.
    pub customer_note: NoteText,
    /// What staff wrote; shown to staff only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staff_note: Option<NoteText>,
    /// When a hold runs out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold_expires_at: Option<DateTime<Utc>>,
    /// The revision, for `If-Match`.
    #[oai(validator(minimum(value = "1")))]
    pub rev: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Last change.
    pub updated_at: DateTime<Utc>,
}

/// A service as it was promised.
#[derive(Debug, Object, Serialize)]
pub struct BookedService {
    /// The service's id.
    pub id: Uuid,
    /// Its name at the time.
    #[oai(validator(max_length = 200))]
    pub name: String,
    /// Its duration in elapsed minutes.
    #[oai(validator(minimum(value = "5"), maximum(value = "1440")))]
    pub duration_min: i32,
    /// Its price at the time.
    pub price: Price,
}

/// An amount of money.
#[derive(Debug, Object, Serialize)]
pub struct Price {
    /// The amount in the currency's minor unit, such as cents.
    #[oai(validator(minimum(value = "0"), maximum(value = "1000000000")))]
    pub minor: i64,
    /// ISO 4217 code.
    pub currency: CurrencyCode,
}

/// Who performs a booking.
#[derive(Debug, Object, Serialize)]
pub struct BookedStaff {
    /// The member of staff.
    pub id: Uuid,
    /// Name shown to customers.
    #[oai(validator(max_length = 200))]
    pub name: String,
}

/// Who comes.
#[derive(Debug, Object, Serialize)]
pub struct BookedCustomer {
    /// The customer.
    pub id: Uuid,
    /// Name; absent once the person was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// E-mail address; absent once the person was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// Phone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<PhoneNumber>,
}

/// Where a booking stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum, Serialize)]
#[oai(rename = "BookingStatus", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Kept for a short while, no customer yet.
    Held,
    /// Waits for staff to confirm it.
    Pending,
    /// Stands.
    Confirmed,
    /// Staff said no.
    Declined,
    /// Called off.
    Cancelled,
    /// A hold that ran out, or a pending booking whose start came.
    Expired,
    /// Took place.
    Completed,
    /// The customer did not come.
    NoShow,
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
#[derive(Debug, Object, Serialize)]
pub struct BookingEvent {
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
    /// Their account; shown to staff only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<Uuid>,
    /// Whether staff passed grid, hours, notice or horizon on purpose.
    pub overridden: bool,
    /// Old and new start and member of staff, where they changed.
    pub details: BookingEventDetails,
    /// When.
    pub at: DateTime<Utc>,
}

/// Where a change led from and to; empty where neither start nor member of staff changed.
#[derive(Debug, Default, Object, Serialize, Deserialize)]
pub struct BookingEventDetails {
    /// Before; absent for a new booking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<BookingPlace>,
    /// After.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<BookingPlace>,
}

/// When and with whom.
#[derive(Debug, Object, Serialize, Deserialize)]
pub struct BookingPlace {
    /// The start.
    pub start: DateTime<Utc>,
    /// The member of staff.
    pub staff_id: Uuid,
}

/// Who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, Serialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// An account of a customer.
    Customer,
    /// Somebody without an account, or the holder of a link.
    Guest,
    /// An account of a member of staff.
    Staff,
    /// An account of an administrator.
    Admin,
    /// Punctual itself.
    System,
}

/// Where each mail of a booking stands.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "BookingNotifications")]
pub struct Mails {
    /// The mails in the order in which they were planned.
    #[oai(validator(max_items = 10000))]
    pub data: Vec<Mail>,
}

/// Where a mail stands.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "Notification")]
pub struct Mail {
    /// The mail's id.
    pub id: Uuid,
    /// Which mail.
    pub kind: MailKind,
    /// The booking's revision it speaks of.
    #[oai(validator(minimum(value = "1")))]
    pub rev: i32,
    /// Where it stands.
    pub state: MailState,
    /// It is not sent before this instant.
    pub send_at: DateTime<Utc>,
    /// It is not sent from this instant on.
    pub expires_at: DateTime<Utc>,
    /// How often sending began.
    #[oai(validator(minimum(value = "0")))]
    pub tries: i32,
    /// When the next try is, while one is to come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_try_at: Option<DateTime<Utc>>,
    /// When the mail server took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<DateTime<Utc>>,
    /// What the mail server said last, or why it could not be asked.
    #[oai(validator(max_length = 500))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
}

macro_rules! mirrored {
    ($(#[$doc:meta])* $name:ident $rename:literal = $core:ident { $($(#[$vdoc:meta])* $variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, Serialize)]
        #[oai(rename = $rename, rename_all = "snake_case")]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl From<$core> for $name {
            fn from(value: $core) -> Self {
                match value { $($core::$variant => Self::$variant,)* }
            }
        }
    };
}

mirrored! {
    /// Where a mail stands.
    MailState "NotificationState" = NotificationState {
        /// Its time has not come.
        Planned,
        /// A worker will take it next.
        Queued,
        /// A worker is sending it.
        Sending,
        /// A try failed or the mail server is away; the next is at `next_try_at`.
        Waiting,
        /// The mail server took it.
        Sent,
        /// The booking changed first.
        Cancelled,
        /// It was due before the booking was made.
        SkippedTooLate,
        /// Too late to be of use.
        Expired,
        /// Refused for good.
        Failed,
        /// The mail server may or may not have taken it, and it is not sent again.
        InDoubt,
        /// A reminder that its customer does not want; planned again when they do.
        Unwanted,
    }
}
mirrored! {
    /// Which mail.
    MailKind "NotificationKind" = NotificationKind {
        /// The booking stands.
        Confirmation,
        /// It is near.
        Reminder,
        /// It was called off.
        Cancellation,
        /// It was moved.
        Reschedule,
        /// It waits for staff to confirm it.
        Pending,
        /// Staff said no.
        Declined,
        /// Staff said nothing before its start.
        Expired,
        /// To staff and the business: there is a booking.
        StaffNew,
        /// To staff and the business: there is one to confirm or decline.
        StaffPending,
        /// To staff and the business: it was moved.
        StaffMoved,
        /// To staff and the business: it was called off.
        StaffCancelled,
        /// A link that proves the address of an account.
        VerifyEmail,
        /// A link that sets a new password.
        PasswordReset,
        /// A link that sets the first password of an account that was made for somebody.
        SetPassword,
        /// Links of all bookings to come of an address.
        BookingLinks,
    }
}

impl From<ActorKind> for Actor {
    fn from(kind: ActorKind) -> Self {
        match kind {
            ActorKind::Customer => Self::Customer,
            ActorKind::Guest => Self::Guest,
            ActorKind::Staff => Self::Staff,
            ActorKind::Admin => Self::Admin,
            ActorKind::System => Self::System,
        }
    }
}

impl From<BookingStatus> for Status {
    fn from(status: BookingStatus) -> Self {
        match status {
            BookingStatus::Held => Self::Held,
            BookingStatus::Pending => Self::Pending,
            BookingStatus::Confirmed => Self::Confirmed,
            BookingStatus::Declined => Self::Declined,
            BookingStatus::Cancelled => Self::Cancelled,
            BookingStatus::Expired => Self::Expired,
            BookingStatus::Completed => Self::Completed,
            BookingStatus::NoShow => Self::NoShow,
        }
    }
}

impl From<Status> for BookingStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Held => Self::Held,
            Status::Pending => Self::Pending,
            Status::Confirmed => Self::Confirmed,
            Status::Declined => Self::Declined,
            Status::Cancelled => Self::Cancelled,
            Status::Expired => Self::Expired,
            Status::Completed => Self::Completed,
            Status::NoShow => Self::NoShow,
        }
    }
}

impl From<bookings::Booking> for Booking {
    fn from(booking: bookings::Booking) -> Self {
        let price = Price {
            minor: booking.service.price.minor,
            currency: CurrencyCode(booking.service.price.currency),
        };
        let customer = |customer: bookings::BookedCustomer| BookedCustomer {
            id: customer.id,
            name: customer.name.map(Name),
            email: customer.email.map(Email),
            phone: customer.phone.map(PhoneNumber),
        };
        Self {
            id: booking.id,
            service: BookedService {
                id: booking.service.id,
                name: booking.service.name,
                duration_min: booking.service.duration_min,
                price,
            },
            staff: BookedStaff { id: booking.staff.id, name: booking.staff.name },
            customer: booking.customer.map(customer),
            status: booking.status.into(),
            start: booking.start,
            end: booking.end,
            zone: TimeZone(booking.zone),
            seat_no: booking.seat_no,
            customer_note: NoteText(booking.customer_note),
            staff_note: booking.staff_note.map(NoteText),
            hold_expires_at: booking.hold_expires_at,
            rev: booking.rev.0,
            created_at: booking.created_at,
            updated_at: booking.updated_at,
        }
    }
}

impl From<Page<bookings::Booking>> for BookingPage {
    fn from(page: Page<bookings::Booking>) -> Self {
        Self {
            data: page.data.into_iter().map(Booking::from).collect(),
            next_cursor: page.next_cursor.map(PageCursor),
        }
    }
}

impl From<bookings::BookingEvent> for BookingEvent {
    fn from(event: bookings::BookingEvent) -> Self {
        Self {
            rev: event.rev.0,
            status: event.status.into(),
            change: event.change.as_str().to_owned(),
            actor: event.actor.into(),
            actor_id: event.actor_id,
            overridden: event.overridden,
            details: event.details.0.into(),
            at: event.at,
        }
    }
}

impl From<bookings::EventDetails> for BookingEventDetails {
    fn from(details: bookings::EventDetails) -> Self {
        let place = |position: bookings::Position| BookingPlace {
            start: position.start,
            staff_id: position.staff_id,
        };
        Self { from: details.from.map(place), to: details.to.map(place) }
    }
}

impl From<Notification> for Mail {
    fn from(mail: Notification) -> Self {
        Self {
            id: mail.id,
            kind: mail.kind.into(),
            rev: mail.rev.0,
            state: mail.state.into(),
            send_at: mail.send_at,
            expires_at: mail.expires_at,
            tries: mail.tries,
            next_try_at: mail.next_try_at,
            accepted_at: mail.accepted_at,
            reply: mail.reply,
        }
    }
}
