//! The calendar entry of a mail (iTIP, RFC 5546, as a MIME part by RFC 6047).

use chrono::{DateTime, Utc};
use icalendar::{Calendar, Component, Event, EventLike, EventStatus, Property};
use punctual_core::bookings::BookingStatus;
use punctual_core::notifications::NotificationKind;
use punctual_core::notifications::facts::{Business, Facts, SeveralFacts};
use punctual_core::types::Rev;

use super::greeting::greeting_name;
use super::templates::one_line;

/// The iTIP method: what the customer's calendar should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Add or update the entry.
    Request,
    /// Remove the entry.
    Cancel,
    /// Take the entries as they are.
    Publish,
}

impl Method {
    /// The method for a kind of mail. `None` for reminders, which change nothing, and for mails to staff: they subscribe to
    /// their calendar, where an entry by mail would be a duplicate.
    pub fn of(kind: NotificationKind) -> Option<Self> {
        match kind {
            NotificationKind::Confirmation | NotificationKind::Reschedule | NotificationKind::Pending => {
                Some(Self::Request)
            }
            NotificationKind::Cancellation | NotificationKind::Declined | NotificationKind::Expired => {
                Some(Self::Cancel)
            }
            _ => None,
        }
    }

    /// Its name in the entry and in the MIME type.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "REQUEST",
            Self::Cancel => "CANCEL",
            Self::Publish => "PUBLISH",
        }
    }
}

/// The entry as text. Times are UTC, which needs no VTIMEZONE. The UID is the same for all entries of a booking and
/// SEQUENCE is its revision, so a calendar treats a later entry as an update.
pub fn entry(facts: &Facts, recipient: &str, method: Method, now: DateTime<Utc>) -> String {
    let booking = &facts.booking;
    let mut event = event(
        &Appointment {
            uid: &booking.ics_uid,
            rev: booking.rev,
            start: booking.start,
            end: booking.end,
            service: &booking.service_name,
            status: match method {
                Method::Cancel => EventStatus::Cancelled,
                _ if booking.status == BookingStatus::Pending => EventStatus::Tentative,
                _ => EventStatus::Confirmed,
            },
        },
        &facts.business,
        now,
    );
    let mut attendee = Property::new("ATTENDEE", format!("mailto:{recipient}"));
    attendee
        .add_parameter(
            "CN",
            &quoted(greeting_name(&booking.customer_name, facts.recipient_proven).unwrap_or(recipient)),
        )
        .add_parameter("PARTSTAT", "ACCEPTED")
        .add_parameter("RSVP", "FALSE");
    event.append_multi_property(attendee);
    let mut calendar = calendar(method);
    calendar.push(event.done());
    calendar.to_string()
}

/// The entries of several bookings as text. All components of a REQUEST or CANCEL must have one UID (RFC 5546 §3.2), so they
/// are published, and STATUS says which of them are off. A published entry has no attendee.
pub fn entries(facts: &SeveralFacts, now: DateTime<Utc>) -> String {
    let mut calendar = calendar(Method::Publish);
    for booking in &facts.bookings {
        let appointment = Appointment {
            uid: &booking.ics_uid,
            rev: booking.rev,
            start: booking.start,
            end: booking.end,
            service: &booking.service_name,
            status: match booking.status {
                BookingStatus::Pending => EventStatus::Tentative,
                BookingStatus::Confirmed => EventStatus::Confirmed,
                _ => EventStatus::Cancelled,
            },
        };
        calendar.push(event(&appointment, &facts.business, now).done());
    }
    calendar.to_string()
}

/// What an entry says of a booking.
struct Appointment<'a> {
    uid: &'a str,
    rev: Rev,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    service: &'a str,
    status: EventStatus,
}

fn event(appointment: &Appointment<'_>, business: &Business, now: DateTime<Utc>) -> Event {
    let mut event = Event::with_uid(appointment.uid);
    event
        .timestamp(now)
        .starts(appointment.start)
        .ends(appointment.end)
        .sequence(appointment.rev.0.unsigned_abs())
        .summary(&one_line(&format!("{} – {}", appointment.service, business.name)))
        .status(appointment.status);
    let address = business.address.lines().map(one_line).filter(|line| !line.is_empty()).collect::<Vec<_>>();
    if !address.is_empty() {
        event.location(&address.join(", "));
    }
    let mut organizer = Property::new("ORGANIZER", format!("mailto:{}", business.sender.as_str()));
    organizer.add_parameter("CN", &quoted(&business.name));
    event.append_property(organizer);
    event
}

fn calendar(method: Method) -> Calendar {
    let mut calendar = Calendar::empty();
    calendar
        .append_property(("VERSION", "2.0"))
        .append_property(("PRODID", "-//Punctual//Punctual//EN"))
        .append_property(("CALSCALE", "GREGORIAN"))
        .append_property(("METHOD", method.as_str()));
    calendar
}

/// A parameter's value in quotes, which it can't contain (RFC 5545 §3.2).
fn quoted(text: &str) -> String {
    format!("\"{}\"", one_line(text).replace('"', "'"))
}
