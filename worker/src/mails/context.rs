//! What templates can name.

use punctual_core::notifications::facts::Facts;
use punctual_core::wording::{When, price};
use serde::Serialize;

use super::links::Links;

/// Everything a template can name, beside its words, the labels and the locale.
#[derive(Debug, Clone, Serialize)]
pub struct MailContext {
    business: BusinessContext,
    customer: CustomerContext,
    booking: BookingContext,
    /// Where the customer sees, moves or cancels the booking.
    manage_url: String,
    /// Where the customer ends reminders; on reminders only.
    unsubscribe_url: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct BusinessContext {
    name: String,
    address_lines: Vec<String>,
    phone: String,
    /// The phone number as a `tel:` URI takes it (RFC 3966).
    phone_digits: String,
}

#[derive(Debug, Clone, Serialize)]
struct CustomerContext {
    name: String,
}

#[derive(Debug, Clone, Serialize)]
struct BookingContext {
    service: String,
    staff: String,
    /// None where the service is free or tells no price.
    price: Option<String>,
    when: When,
    /// None where the customer's clock shows the same.
    when_for_customer: Option<When>,
    /// Before the move that the mail is about.
    previously: Option<When>,
}

impl MailContext {
    /// What the templates may show of these facts.
    pub fn new(facts: &Facts, links: &Links) -> Self {
        let Facts { business, booking, locale, .. } = facts;
        let when = |zone| When::new(booking.start, booking.end, zone, *locale);
        let elsewhere = booking
            .customer_zone
            .filter(|zone| zone.at(booking.start).offset() != booking.zone.at(booking.start).offset());
        let address = business.address.lines().map(str::trim).filter(|line| !line.is_empty());
        Self {
            business: BusinessContext {
                name: business.name.clone(),
                address_lines: address.map(str::to_owned).collect(),
                phone: business.phone.clone(),
                phone_digits: business.phone.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect(),
            },
            customer: CustomerContext { name: booking.customer_name.clone() },
            booking: BookingContext {
                service: booking.service_name.clone(),
                staff: booking.staff_name.clone(),
                price: (booking.price.minor > 0).then(|| price(booking.price, *locale)),
                when: when(booking.zone),
                when_for_customer: elsewhere.map(when),
                previously: booking.previous.map(|(start, end)| When::new(start, end, booking.zone, *locale)),
            },
            manage_url: links.manage.clone(),
            unsubscribe_url: links.unsubscribe.clone(),
        }
    }
}
