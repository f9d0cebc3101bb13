use punctual_core::{
    bookings, settings,
    types::{Locale, Zone},
    wording::{When, price},
};
use serde::Serialize;

/// A booking as `appointment.html.j2` shows it.
#[derive(Serialize)]
pub(super) struct Appointment {
    business: Business,
    booking: Booking,
}

#[derive(Serialize)]
struct Business {
    name: String,
    address_lines: Vec<String>,
    /// Link to a map of the address.
    map: String,
    phone: Option<String>,
    /// The phone number as a `tel:` URI takes it (RFC 3966).
    phone_digits: String,
}

#[derive(Serialize)]
struct Booking {
    status: &'static str,
    service: String,
    staff: String,
    price: Option<String>,
    when: When,
    /// None if the customer's zone has the same time.
    when_for_customer: Option<When>,
    rev: i32,
}

impl Appointment {
    /// Times of the business's zone; then those of the customer's zone, if given.
    pub fn new(
        booking: &bookings::Booking,
        business: &settings::Business,
        locale: Locale,
        customer_zone: Option<Zone>,
    ) -> Self {
        let phone = business.phone.as_ref().map(|phone| phone.as_str().to_owned());
        let is_digit = |c: &char| c.is_ascii_digit() || *c == '+';
        let lines = business.address.lines().map(str::trim).filter(|line| !line.is_empty());
        let when = |zone| When::new(booking.start.to_utc(), booking.end.to_utc(), zone, locale);
        Self {
            business: Business {
                name: business.name.clone(),
                map: map(&business.name, &business.address),
                address_lines: lines.map(str::to_owned).collect(),
                phone_digits: phone.iter().flat_map(|phone| phone.chars()).filter(is_digit).collect(),
                phone,
            },
            booking: Booking {
                status: booking.status.as_str(),
                service: booking.what(),
                staff: booking.staff.name.clone(),
                price: (booking.service.price.minor > 0).then(|| price(booking.service.price, locale)),
                when: when(booking.zone),
                when_for_customer: elsewhere(booking, customer_zone).map(when),
                rev: booking.rev.0,
            },
        }
    }
}

/// Where a map shows an address.
pub(super) fn map(name: &str, address: &str) -> String {
    let place = format!("{name}, {}", address.lines().map(str::trim).collect::<Vec<_>>().join(", "));
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("query", &place).finish();
    format!("https://www.openstreetmap.org/search?{query}")
}

/// The customer's zone, if it has another time at the start.
fn elsewhere(booking: &bookings::Booking, customer_zone: Option<Zone>) -> Option<Zone> {
    let start = booking.start.to_utc();
    customer_zone.filter(|zone| zone.at(start).offset() != booking.zone.at(start).offset())
}

/// A notice as text: `2 days`, `90 minutes`.
pub(super) fn span(minutes: u32, locale: Locale) -> String {
    let (count, one, many) = match (minutes, locale) {
        (m, Locale::En) if m > 0 && m % 1440 == 0 => (m / 1440, "day", "days"),
        (m, Locale::De) if m > 0 && m % 1440 == 0 => (m / 1440, "Tag", "Tage"),
        (m, Locale::En) if m > 0 && m % 60 == 0 => (m / 60, "hour", "hours"),
        (m, Locale::De) if m > 0 && m % 60 == 0 => (m / 60, "Stunde", "Stunden"),
        (m, Locale::En) => (m, "minute", "minutes"),
        (m, Locale::De) => (m, "Minute", "Minuten"),
    };
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_the_largest_unit_that_fits() {
        assert_eq!(span(2880, Locale::En), "2 days");
        assert_eq!(span(1440, Locale::De), "1 Tag");
        assert_eq!(span(60, Locale::En), "1 hour");
        assert_eq!(span(720, Locale::De), "12 Stunden");
        assert_eq!(span(90, Locale::En), "90 minutes");
    }
}
