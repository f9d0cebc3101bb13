use chrono::{DateTime, FixedOffset};
use poem_openapi::{Enum, Object};
use punctual_core::changes::{self, Event, EventPage, Subject};
use serde::Serialize;
use uuid::Uuid;

use super::Status;
use super::booking::Actor;
use crate::http::values::FeedCursor;

/// The type of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum, Serialize)]
pub enum EventType {
    /// A booking was made, pending or confirmed.
    #[oai(rename = "booking.created")]
    #[serde(rename = "booking.created")]
    BookingCreated,
    /// A pending booking was confirmed.
    #[oai(rename = "booking.confirmed")]
    #[serde(rename = "booking.confirmed")]
    BookingConfirmed,
    /// A pending booking was declined.
    #[oai(rename = "booking.declined")]
    #[serde(rename = "booking.declined")]
    BookingDeclined,
    /// A booking was moved in time or to another member of staff.
    #[oai(rename = "booking.rescheduled")]
    #[serde(rename = "booking.rescheduled")]
    BookingRescheduled,
    /// A booking was cancelled.
    #[oai(rename = "booking.cancelled")]
    #[serde(rename = "booking.cancelled")]
    BookingCancelled,
    /// A pending booking was not answered before its start.
    #[oai(rename = "booking.expired")]
    #[serde(rename = "booking.expired")]
    BookingExpired,
    /// A booking took place.
    #[oai(rename = "booking.completed")]
    #[serde(rename = "booking.completed")]
    BookingCompleted,
    /// The customer did not come.
    #[oai(rename = "booking.no_show")]
    #[serde(rename = "booking.no_show")]
    BookingNoShow,
    /// A booking changed in another way: a change that a newer release made.
    #[oai(rename = "booking.updated")]
    #[serde(rename = "booking.updated")]
    BookingUpdated,
    /// The settings of the business were created.
    #[oai(rename = "business.created")]
    #[serde(rename = "business.created")]
    BusinessCreated,
    /// The settings of the business changed.
    #[oai(rename = "business.updated")]
    #[serde(rename = "business.updated")]
    BusinessUpdated,
    /// A customer was added.
    #[oai(rename = "customer.created")]
    #[serde(rename = "customer.created")]
    CustomerCreated,
    /// A customer changed or was erased.
    #[oai(rename = "customer.updated")]
    #[serde(rename = "customer.updated")]
    CustomerUpdated,
    /// A customer was merged into another one.
    #[oai(rename = "customer.deleted")]
    #[serde(rename = "customer.deleted")]
    CustomerDeleted,
    /// A service was added.
    #[oai(rename = "service.created")]
    #[serde(rename = "service.created")]
    ServiceCreated,
    /// A service changed.
    #[oai(rename = "service.updated")]
    #[serde(rename = "service.updated")]
    ServiceUpdated,
    /// A member of staff was added.
    #[oai(rename = "staff.created")]
    #[serde(rename = "staff.created")]
    StaffCreated,
    /// A member of staff changed.
    #[oai(rename = "staff.updated")]
    #[serde(rename = "staff.updated")]
    StaffUpdated,
    /// A test event, requested by an administrator; it is not part of the feed.
    #[oai(rename = "webhook.test")]
    #[serde(rename = "webhook.test")]
    WebhookTest,
}

/// Events in the order of the feed.
#[derive(Debug, Object, Serialize)]
pub struct EventFeed {
    /// The events. There may be fewer than `limit`, even none, while `has_more` is true: other types are left out.
    #[oai(validator(max_items = 100))]
    pub data: Vec<FeedEvent>,
    /// Pass it as `after` to read on, now or later.
    pub next_cursor: FeedCursor,
    /// Whether there are more events now.
    pub has_more: bool,
}

/// One event. `type`, `timestamp` and `data` are what a webhook carries.
#[derive(Debug, Object, Serialize)]
pub struct FeedEvent {
    /// The event's id; a webhook has it as `webhook-id`.
    #[oai(validator(max_length = 24))]
    pub id: String,
    /// What happened.
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    pub event_type: EventType,
    /// When, in the business's time zone.
    pub timestamp: DateTime<FixedOffset>,
    /// What it happened to.
    pub data: EventData,
}

/// What an event happened to. It names no person.
#[derive(Debug, Default, Object, Serialize)]
pub struct EventData {
    /// The booking after the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booking: Option<EventBooking>,
    /// Previous start and member of staff, if it was moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<EventPlace>,
    /// The customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<EventSubject>,
    /// The service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<EventSubject>,
    /// The member of staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staff: Option<EventSubject>,
    /// Who did it; for bookings only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<EventActor>,
}

/// A booking at one revision.
#[derive(Debug, Object, Serialize)]
pub struct EventBooking {
    /// Its id.
    pub id: Uuid,
    /// The revision: of two events of one booking the greater is the later.
    #[oai(validator(minimum(value = "1")))]
    pub rev: i32,
    /// Its status at that revision.
    pub status: Status,
    /// The service.
    pub service_id: Uuid,
    /// Who performs it.
    pub staff_id: Uuid,
    /// Its start.
    pub start: DateTime<FixedOffset>,
    /// Its end.
    pub end: DateTime<FixedOffset>,
    /// The series it is an occurrence of; absent: it does not repeat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub series_id: Option<Uuid>,
}

/// Start and member of staff of a booking.
#[derive(Debug, Object, Serialize)]
pub struct EventPlace {
    /// The start.
    pub start: DateTime<FixedOffset>,
    /// Member of staff.
    pub staff_id: Uuid,
}

/// What an event happened to, by its id.
#[derive(Debug, Object, Serialize)]
pub struct EventSubject {
    /// The id.
    pub id: Uuid,
}

/// Who did it.
#[derive(Debug, Object, Serialize)]
pub struct EventActor {
    /// By kind.
    pub kind: Actor,
    /// The account or API key; absent for guests and for Punctual itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
}

/// Converts these types to core's; none for no filter.
pub fn types_of(types: Option<Vec<EventType>>) -> Vec<changes::EventType> {
    types.unwrap_or_default().into_iter().map(Into::into).collect()
}

impl From<EventPage> for EventFeed {
    fn from(page: EventPage) -> Self {
        Self {
            data: page.events.into_iter().map(FeedEvent::from).collect(),
            next_cursor: FeedCursor(page.next),
            has_more: page.has_more,
        }
    }
}

impl From<Event> for FeedEvent {
    fn from(event: Event) -> Self {
        let id = event.public_id();
        let actor = event.actor.map(|actor| EventActor { kind: actor.kind.into(), id: actor.id });
        let subject = |id| Some(EventSubject { id });
        let data = EventData { actor, ..EventData::default() };
        let data = match event.subject {
            Subject::Booking { booking, previous } => EventData {
                booking: Some(EventBooking {
                    id: booking.id,
                    rev: booking.rev,
                    status: booking.status.into(),
                    service_id: booking.service_id,
                    staff_id: booking.staff_id,
                    start: booking.start,
                    end: booking.end,
                    series_id: booking.series_id,
                }),
                previous: previous.map(|place| EventPlace { start: place.start, staff_id: place.staff_id }),
                ..data
            },
            Subject::Business | Subject::Test => data,
            Subject::Customer(id) => EventData { customer: subject(id), ..data },
            Subject::Service(id) => EventData { service: subject(id), ..data },
            Subject::Staff(id) => EventData { staff: subject(id), ..data },
        };
        Self { id, event_type: event.event_type.into(), timestamp: event.at, data }
    }
}

impl From<changes::EventType> for EventType {
    fn from(event_type: changes::EventType) -> Self {
        match event_type {
            changes::EventType::BookingCreated => Self::BookingCreated,
            changes::EventType::BookingConfirmed => Self::BookingConfirmed,
            changes::EventType::BookingDeclined => Self::BookingDeclined,
            changes::EventType::BookingRescheduled => Self::BookingRescheduled,
            changes::EventType::BookingCancelled => Self::BookingCancelled,
            changes::EventType::BookingExpired => Self::BookingExpired,
            changes::EventType::BookingCompleted => Self::BookingCompleted,
            changes::EventType::BookingNoShow => Self::BookingNoShow,
            changes::EventType::BookingUpdated => Self::BookingUpdated,
            changes::EventType::BusinessCreated => Self::BusinessCreated,
            changes::EventType::BusinessUpdated => Self::BusinessUpdated,
            changes::EventType::CustomerCreated => Self::CustomerCreated,
            changes::EventType::CustomerUpdated => Self::CustomerUpdated,
            changes::EventType::CustomerDeleted => Self::CustomerDeleted,
            changes::EventType::ServiceCreated => Self::ServiceCreated,
            changes::EventType::ServiceUpdated => Self::ServiceUpdated,
            changes::EventType::StaffCreated => Self::StaffCreated,
            changes::EventType::StaffUpdated => Self::StaffUpdated,
            changes::EventType::WebhookTest => Self::WebhookTest,
        }
    }
}

impl From<EventType> for changes::EventType {
    fn from(event_type: EventType) -> Self {
        match event_type {
            EventType::BookingCreated => Self::BookingCreated,
            EventType::BookingConfirmed => Self::BookingConfirmed,
            EventType::BookingDeclined => Self::BookingDeclined,
            EventType::BookingRescheduled => Self::BookingRescheduled,
            EventType::BookingCancelled => Self::BookingCancelled,
            EventType::BookingExpired => Self::BookingExpired,
            EventType::BookingCompleted => Self::BookingCompleted,
            EventType::BookingNoShow => Self::BookingNoShow,
            EventType::BookingUpdated => Self::BookingUpdated,
            EventType::BusinessCreated => Self::BusinessCreated,
            EventType::BusinessUpdated => Self::BusinessUpdated,
            EventType::CustomerCreated => Self::CustomerCreated,
            EventType::CustomerUpdated => Self::CustomerUpdated,
            EventType::CustomerDeleted => Self::CustomerDeleted,
            EventType::ServiceCreated => Self::ServiceCreated,
            EventType::ServiceUpdated => Self::ServiceUpdated,
            EventType::StaffCreated => Self::StaffCreated,
            EventType::StaffUpdated => Self::StaffUpdated,
            EventType::WebhookTest => Self::WebhookTest,
        }
    }
}
