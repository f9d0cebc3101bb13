//! The mail with links of all future bookings of an address.

use chrono::{DateTime, Utc};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use punctual_core::config::Keys;
use punctual_core::notifications::NotificationKind;
use punctual_core::notifications::facts::BookingLinksFacts;
use punctual_core::types::EmailAddress;
use punctual_core::wording::When;
use serde::Serialize;

use super::message::{BuildError, Mail, boundary, common_headers, envelope};
use super::templates::Templates;

/// The names its template can use, besides its words, the labels and the locale.
#[derive(Serialize)]
struct LinksContext<'a> {
    business: Named<'a>,
    bookings: Vec<LinkedContext<'a>>,
    /// Always `None`: such a mail is sent only on request.
    unsubscribe_url: Option<String>,
}

#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct LinkedContext<'a> {
    when: When,
    service: &'a str,
    staff: &'a str,
    pending: bool,
    /// Secret: never logged or stored.
    manage_url: String,
}

/// Builds the message of a ledger row of this kind.
///
/// # Errors
/// [`BuildError`].
pub fn compose_booking_links(
    templates: &Templates,
    keys: &Keys,
    facts: &BookingLinksFacts,
    recipient: &EmailAddress,
    now: DateTime<Utc>,
) -> Result<Mail, BuildError> {
    let BookingLinksFacts { notification_id: id, business, locale, .. } = facts;
    let bookings = facts.bookings.iter().map(|booking| LinkedContext {
        when: When::new(booking.start, booking.end, booking.zone, *locale),
        service: &booking.service_name,
        staff: &booking.staff_name,
        pending: booking.pending,
        manage_url: booking.link.url(keys, &business.public_url),
    });
    let context = LinksContext {
        business: Named { name: &business.name },
        bookings: bookings.collect(),
        unsubscribe_url: None,
    };
    let rendered = templates.render(NotificationKind::BookingLinks, *locale, &context)?;
    let parts = MultiPart::alternative()
        .boundary(boundary(*id))
        .singlepart(SinglePart::plain(rendered.text))
        .singlepart(SinglePart::html(rendered.html));
    let to = Mailbox::new(None, recipient.as_str().parse()?);
    let message = common_headers(business, to, *id, now)?.subject(rendered.subject).multipart(parts)?;
    envelope(business, recipient, &message)
}
