//! Calendars as files (RFC 5545): one appointment, or all of a member of staff. Times are UTC, the UID stays for a
//! booking's life and SEQUENCE is its revision; DTSTAMP is its last change, so equal bookings give equal bytes.

use icalendar::{Calendar, Component, Event, EventLike, EventStatus, Property};
use poem::{
    IntoResponse, Response,
    http::{HeaderMap, HeaderValue, StatusCode, header},
};
use poem_openapi::{
    ApiResponse,
    registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry},
};
use punctual_core::{
    bookings::BookingStatus,
    feeds::{CalendarEntry, Feed},
    settings::Business,
    wording::with_seats,
};
use sha2::{Digest, Sha256};

use crate::http::etag;

const CONTENT_TYPE: &str = "text/calendar; charset=utf-8";

/// The reader of an appointment, whose title names the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// The customer.
    Customer,
    /// The member of staff.
    Staff,
}

/// A calendar, or 304.
#[derive(Debug)]
pub struct CalendarFile {
    body: String,
    tag: String,
    unchanged: bool,
}

impl CalendarFile {
    /// Of one appointment.
    pub fn of_booking(business: &Business, entry: &CalendarEntry, reader: Reader) -> Self {
        let mut calendar = empty();
        calendar.push(event(business, entry, reader));
        Self::new(&calendar)
    }

    /// Of a member of staff.
    pub fn of_feed(feed: &Feed) -> Self {
        let mut calendar = empty();
        // The crate does not escape this property's value.
        let name = one_line(&format!("{} – {}", feed.staff_name, feed.business.name));
        calendar.name(&name.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,"));
        calendar.append_property(
            Property::new("REFRESH-INTERVAL", "PT15M").add_parameter("VALUE", "DURATION").done(),
        );
        calendar.append_property(("X-PUBLISHED-TTL", "PT15M"));
        for entry in &feed.entries {
            calendar.push(event(&feed.business, entry, Reader::Staff));
        }
        Self::new(&calendar)
    }

    fn new(calendar: &Calendar) -> Self {
        let body = calendar.to_string();
        let digest = Sha256::digest(&body);
        let tag = digest.iter().take(12).fold(String::new(), |tag, byte| format!("{tag}{byte:02x}"));
        Self { body, tag, unchanged: false }
    }

    /// 304 if the reader has this version (RFC 9110 §13.1.2).
    pub fn unless_known(mut self, headers: &HeaderMap) -> Self {
        let mut fields =
            headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        self.unchanged = fields.any(|field| etag::contains(field, &self.tag));
        self
    }
}

fn empty() -> Calendar {
    let mut calendar = Calendar::empty();
    calendar
        .append_property(("VERSION", "2.0"))
        .append_property(("PRODID", "-//Punctual//Punctual//EN"))
        .append_property(("CALSCALE", "GREGORIAN"))
        .append_property(("METHOD", "PUBLISH"));
    calendar
}

fn event(business: &Business, entry: &CalendarEntry, reader: Reader) -> Event {
    let whom = match reader {
        Reader::Customer => Some(business.name.clone()),
        Reader::Staff => match (&entry.for_whom, &entry.customer_name) {
            (Some(name), Some(customer)) => Some(format!("{name} ({customer})")),
            (_, customer) => customer.clone(),
        },
    };
    let what = with_seats(&entry.service_name, entry.seats);
    let title = [Some(what.as_str()), whom.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" – ");
    let mut event = Event::with_uid(&entry.uid);
    event
        .timestamp(entry.updated_at)
        .last_modified(entry.updated_at)
        .starts(entry.start)
        .ends(entry.end)
        .sequence(entry.rev.0.unsigned_abs())
        .summary(&one_line(&title))
        .status(match entry.status {
            BookingStatus::Held | BookingStatus::Pending => EventStatus::Tentative,
            BookingStatus::Confirmed | BookingStatus::Completed | BookingStatus::NoShow => {
                EventStatus::Confirmed
            }
            BookingStatus::Declined | BookingStatus::Cancelled | BookingStatus::Expired => {
                EventStatus::Cancelled
            }
        });
    let address = business.address.lines().map(one_line).filter(|line| !line.is_empty()).collect::<Vec<_>>();
    if !address.is_empty() {
        event.location(&address.join(", "));
    }
    match (reader, &entry.customer_phone) {
        (Reader::Staff, Some(phone)) => drop(event.description(&one_line(phone))),
        (Reader::Customer, _) => drop(event.description(&one_line(&entry.staff_name))),
        (Reader::Staff, None) => {}
    }
    event.done()
}

/// One line without control characters, so that entered text cannot begin another property.
fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control() || c.is_whitespace())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

impl IntoResponse for CalendarFile {
    fn into_response(self) -> Response {
        let mut response = if self.unchanged {
            StatusCode::NOT_MODIFIED.into()
        } else {
            Response::builder().content_type(CONTENT_TYPE).body(self.body)
        };
        let headers = response.headers_mut();
        if let Ok(etag) = HeaderValue::from_str(&format!("W/\"{}\"", self.tag)) {
            headers.insert(header::ETAG, etag);
        }
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        response
    }
}

impl ApiResponse for CalendarFile {
    fn meta() -> MetaResponses {
        let schema = MetaSchema { max_length: Some(65536), ..MetaSchema::new("string") };
        let schema = MetaSchemaRef::Inline(Box::new(schema));
        MetaResponses {
            responses: vec![MetaResponse {
                description: "The calendar (RFC 5545).",
                status: Some(200),
                status_range: None,
                content: vec![MetaMediaType { content_type: "text/calendar", schema }],
                headers: Vec::new(),
            }],
        }
    }

    fn register(_: &mut Registry) {}
}
