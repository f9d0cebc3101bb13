//! The calendar entry of a mail (iTIP, RFC 5546, as a MIME part by RFC 6047).

use chrono::{DateTime, Utc};
use icalendar::{Calendar, Component, Event, EventLike, EventStatus, Property};
use punctual_core::bookings::BookingStatus;
use punctual_core::notifications::NotificationKind;
use punctual_core::notifications::facts::Facts;

use super::greeting::greeting_name;
use super::templates::one_line;

/// The iTIP method: what the customer's calendar should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Add or update the entry.
    Request,
    /// Remove the entry.
    Cancel,
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
        }
    }
}

/// The entry as text. Times are UTC, which needs no VTIMEZONE. The UID is the same for all entries of a booking and
/// SEQUENCE is its revision, so a calendar treats a later entry as an update.
pub fn entry(facts: &Facts, recipient: &str, method: Method, now: DateTime<Utc>) -> String {
    let (booking, business) = (&facts.booking, &facts.business);
    let mut event = Event::with_uid(&booking.ics_uid);
    event
        .timestamp(now)
        .starts(booking.start)
        .ends(booking.end)
        .sequence(booking.rev.0.unsigned_abs())
        .summary(&one_line(&format!("{} – {}", booking.service_name, business.name)))
        .status(match method {
            Method::Request if booking.status == BookingStatus::Pending => EventStatus::Tentative,
            Method::Request => EventStatus::Confirmed,
            Method::Cancel => EventStatus::Cancelled,
        });
    let address = business.address.lines().map(one_line).filter(|line| !line.is_empty()).collect::<Vec<_>>();
    if !address.is_empty() {
        event.location(&address.join(", "));
    }
    let mut organizer = Property::new("ORGANIZER", format!("mailto:{}", business.sender.as_str()));
    organizer.add_parameter("CN", &quoted(&business.name));
    event.append_property(organizer);
    let mut attendee = Property::new("ATTENDEE", format!("mailto:{recipient}"));
    attendee
        .add_parameter(
            "CN",
            &quoted(greeting_name(&booking.customer_name, facts.recipient_proven).unwrap_or(recipient)),
        )
        .add_parameter("PARTSTAT", "ACCEPTED")
        .add_parameter("RSVP", "FALSE");
    event.append_multi_property(attendee);
    let mut calendar = Calendar::empty();
    calendar
        .append_property(("VERSION", "2.0"))
        .append_property(("PRODID", "-//Punctual//Punctual//EN"))
        .append_property(("CALSCALE", "GREGORIAN"))
        .append_property(("METHOD", method.as_str()));
    calendar.push(event.done());
    calendar.to_string()
}

/// A parameter's value in quotes, which it can't contain (RFC 5545 §3.2).
fn quoted(text: &str) -> String {
    format!("\"{}\"", one_line(text).replace('"', "'"))
}
