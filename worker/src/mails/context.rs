//! The names templates can use.

use punctual_core::notifications::facts::Facts;
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
    /// The page where staff confirm or decline the booking; in mails that ask for it only.
    decide_url: Option<String>,
    /// The customer's page to end reminders; in reminders only.
    unsubscribe_url: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct BusinessContext {
    name: String,
    address_lines: Vec<String>,
    phone: String,
    /// The phone number in the form of a `tel:` URI (RFC 3966).
    phone_digits: String,
}

#[derive(Debug, Clone, Serialize)]
struct CustomerContext {
    /// A dash if the customer was erased.
    name: String,
    /// What follows the word of greeting: a space and the name, or nothing.
    greeting: String,
    email: Option<String>,
    phone: Option<String>,
    phone_digits: String,
}

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
    /// The customer's note, if there is one.
    note: Option<String>,
}

impl MailContext {
    /// Selects what the templates may show of these facts.
    pub fn new(facts: &Facts, links: &Links) -> Self {
        let Facts { business, booking, locale, .. } = facts;
        let when = |zone| When::new(booking.start, booking.end, zone, *locale);
        let elsewhere = booking
            .customer_zone
            .filter(|_| !facts.kind.is_for_staff())
            .filter(|zone| zone.at(booking.start).offset() != booking.zone.at(booking.start).offset());
        let address = business.address.lines().map(str::trim).filter(|line| !line.is_empty());
        Self {
            business: BusinessContext {
                name: business.name.clone(),
                address_lines: address.map(str::to_owned).collect(),
                phone: business.phone.clone(),
                phone_digits: digits(&business.phone),
            },
            customer: CustomerContext {
                greeting: greeting(&booking.customer_name, facts.recipient_proven),
                name: if booking.customer_name.is_empty() { "–" } else { &booking.customer_name }.to_owned(),
                email: booking.customer_email.as_ref().map(|email| email.as_str().to_owned()),
                phone: booking.customer_phone.clone(),
                phone_digits: booking.customer_phone.as_deref().map(digits).unwrap_or_default(),
            },
            booking: BookingContext {
                service: booking.service_name.clone(),
                staff: booking.staff_name.clone(),
                price: (booking.price.minor > 0).then(|| price(booking.price, *locale)),
                when: when(booking.zone),
                when_for_customer: elsewhere.map(when),
                previously: booking.previous.map(|(start, end)| When::new(start, end, booking.zone, *locale)),
                previous_staff: booking.previous_staff.clone(),
                note: Some(booking.customer_note.trim()).filter(|note| !note.is_empty()).map(str::to_owned),
            },
            manage_url: links.manage.clone(),
            decide_url: links.decide.clone(),
            unsubscribe_url: links.unsubscribe.clone(),
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
