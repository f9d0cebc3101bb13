//! The settings of the business that tests run on.

use punctual_core::settings::Business;
use punctual_core::types::{Currency, EmailAddress, Locale, Rev, Zone};

/// A salon in Berlin that takes bookings of guests. A test that needs other settings changes them:
/// `Business { guests_allowed: false, ..business() }`.
///
/// # Panics
/// Never: all values are valid.
#[must_use]
pub fn business() -> Business {
    let address =
        |local: &str| EmailAddress::parse(&format!("{local}@example.org")).expect("a valid address");
    Business {
        name: "Salon".to_owned(),
        address: String::new(),
        phone: None,
        reply_to: address("salon"),
        sender: address("salon"),
        notify_address: None,
        currency: Currency::parse("EUR").expect("a valid currency"),
        zone: Zone::parse("Europe/Berlin").expect("a valid zone"),
        locale: Locale::En,
        public_url: "http://localhost:8080".to_owned(),
        guests_allowed: true,
        retention_days: None,
        accent_colour: None,
        rev: Rev(1),
        country: None,
    }
}
