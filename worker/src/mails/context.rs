//! The names templates can use.

use chrono::{DateTime, Utc};
use punctual_core::notifications::facts::{Business, Facts};
use punctual_core::types::EmailAddress;
use punctual_core::wording::{When, price};
use serde::Serialize;

use super::greeting::greeting_name;
use super::links::Links;

/// The names a template can use, besides its words, the labels and the locale.
#[derive(Debug, Clone, Serialize)]
pub struct MailContext {
    business: BusinessContext,
    customer: CustomerContext,
    booking: BookingContext,
    /// The customer's page to see, move or cancel the booking; in mails to the customer only.
    manage_url: Option<String>,
    /// The page to book the service again; in mails about a cancellation, while the service is offered.
    book_url: Option<String>,
    /// The page where staff confirm or decline the booking; in mails that ask for it only.
    decide_url: Option<String>,
    /// The customer's page to end reminders; in reminders only.
    unsubscribe_url: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct BusinessContext {
    name: String,
    address_lines: Vec<String>,
    phone: String,
    /// The phone number in the form of a `tel:` URI (RFC 3966).
    phone_digits: String,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct CustomerContext {
    /// A dash if the customer was erased.
    name: String,
    /// Text after the word of greeting: a space and the name, or nothing.
    greeting: String,
    email: Option<String>,
    phone: Option<String>,
    phone_digits: String,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a question of the templates by itself")]
#[derive(Debug, Clone, Serialize)]
struct BookingContext {
    service: String,
    staff: String,
    /// `None` if the service is free or has no price.
    price: Option<String>,
    when: When,
    /// In the customer's time zone; `None` if its offset is the same.
    when_for_customer: Option<When>,
    /// The time before the move that the mail is about.
    previously: Option<When>,
    /// The member of staff before that move, if it was another one.
    previous_staff: Option<String>,
    /// Whether the move changed the start.
    time_changed: bool,
    /// Who comes in the customer's place, if it may be repeated to the reader.
    for_whom: Option<String>,
    /// The customer's note, if there is one.
    note: Option<String>,
    /// Message of staff to the customer; in mails to the customer only.
    message: Option<String>,
    /// Whether the customer made the change.
    changed_by_customer: bool,
    /// Whether staff turned off the customer's mail about the change.
    customer_not_told: bool,
    /// The confirmed time that the customer gave up by requesting this one.
    given_up: Option<When>,
    /// Whether the customer may still cancel it.
    can_cancel: bool,
    /// Whether the customer may still move it.
    can_move: bool,
    /// Until when the customer may cancel it, if that ends before the start and has not passed.
    cancel_until: Option<String>,
    /// Until when the customer may move it, likewise.
    move_until: Option<String>,
}

impl MailContext {
    /// Selects the facts that the templates may show.
    pub fn new(facts: &Facts, links: &Links, now: DateTime<Utc>) -> Self {
        let Facts { business, booking, locale, .. } = facts;
        let when = |zone| When::new(booking.start, booking.end, zone, *locale);
        let at = |(start, end)| When::new(start, end, booking.zone, *locale);
        let until = |end| (now <= end && end < booking.start).then(|| at((end, end)).short);
        let elsewhere = booking
            .customer_zone
            .filter(|_| !facts.kind.is_for_staff())
            .filter(|zone| zone.at(booking.start).offset() != booking.zone.at(booking.start).offset());
        Self {
            business: BusinessContext::new(business),
            customer: CustomerContext::new(
                &booking.customer_name,
                facts.recipient_proven,
                booking.customer_email.as_ref(),
                booking.customer_phone.as_deref(),
            ),
            booking: BookingContext {
                service: booking.service_name.clone(),
                staff: booking.staff_name.clone(),
                price: (booking.price.minor > 0).then(|| price(booking.price, *locale)),
                when: when(booking.zone),
                when_for_customer: elsewhere.map(when),
                previously: booking.previous.map(at),
                previous_staff: booking.previous_staff.clone(),
                time_changed: booking.previous.is_some_and(|(start, _)| start != booking.start),
                for_whom: booking
                    .for_whom
                    .as_deref()
                    .and_then(|name| greeting_name(name, facts.kind.is_for_staff() || facts.recipient_proven))
                    .map(str::to_owned),
                note: Some(booking.customer_note.trim()).filter(|note| !note.is_empty()).map(str::to_owned),
                message: booking.message.clone().filter(|_| !facts.kind.is_for_staff()),
                changed_by_customer: booking.changed_by_customer,
                customer_not_told: booking.customer_not_told,
                given_up: booking.given_up.map(at),
                can_cancel: now <= booking.cancel_until,
                can_move: now <= booking.move_until && now < booking.start,
                cancel_until: until(booking.cancel_until),
                move_until: until(booking.move_until),
            },
            manage_url: links.manage.clone(),
            book_url: links.book.clone(),
            decide_url: links.decide.clone(),
            unsubscribe_url: links.unsubscribe.clone(),
        }
    }
}

impl BusinessContext {
    pub(super) fn new(business: &Business) -> Self {
        let address = business.address.lines().map(str::trim).filter(|line| !line.is_empty());
        Self {
            name: business.name.clone(),
            address_lines: address.map(str::to_owned).collect(),
            phone: business.phone.clone(),
            phone_digits: digits(&business.phone),
        }
    }
}

impl CustomerContext {
    /// `proven`: the reader has shown that the address is theirs.
    pub(super) fn new(name: &str, proven: bool, email: Option<&EmailAddress>, phone: Option<&str>) -> Self {
        Self {
            greeting: greeting(name, proven),
            name: if name.is_empty() { "–" } else { name }.to_owned(),
            email: email.map(|email| email.as_str().to_owned()),
            phone: phone.map(str::to_owned),
            phone_digits: phone.map(digits).unwrap_or_default(),
        }
    }
}

/// A space and the name, unless it is not to be repeated.
pub(super) fn greeting(name: &str, proven: bool) -> String {
    greeting_name(name, proven).map(|name| format!(" {name}")).unwrap_or_default()
}

fn digits(phone: &str) -> String {
    phone.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect()
}
