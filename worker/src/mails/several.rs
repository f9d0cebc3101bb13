//! The mail about several bookings, and the reminder of a visit of several.

use chrono::{DateTime, Utc};
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, MultiPart, SinglePart};
use punctual_core::bookings::BookingStatus;
use punctual_core::config::Keys;
use punctual_core::notifications::NotificationKind;
use punctual_core::notifications::facts::{Facts, OneOfSeveral, SeveralFacts, VisitFacts};
use punctual_core::types::{EmailAddress, Locale, Zone};
use punctual_core::wording::{When, price};
use serde::Serialize;

use super::calendar_part::{self, Method};
use super::context::{BusinessContext, CustomerContext};
use super::greeting::greeting_name;
use super::links::Links;
use super::message::{
    BuildError, Mail, boundary, common_headers, display_name, envelope, unsubscribe_headers,
};
use super::templates::Templates;

/// The names its templates can use, besides their words, the labels and the locale.
#[derive(Serialize)]
struct SeveralContext<'a> {
    business: BusinessContext,
    customer: CustomerContext,
    bookings: Vec<BookingLine<'a>>,
    /// How many there are.
    count: usize,
    /// How many wait for staff.
    pending: usize,
    /// The one that comes first.
    first: When,
    /// The service, if all are of one.
    service: Option<&'a str>,
    /// Who comes in the customer's place, where it may be repeated to the reader.
    for_whom: Option<&'a str>,
    /// What staff tell the customer; in mails to the customer only.
    message: Option<&'a str>,
    changed_by_customer: bool,
    customer_not_told: bool,
    /// The page to book the service again; in mails about a cancellation, while the service is offered.
    book_url: Option<String>,
    /// The customer's page to end reminders; in reminders only.
    unsubscribe_url: Option<String>,
}

#[derive(Serialize)]
struct BookingLine<'a> {
    when: When,
    service: &'a str,
    staff: &'a str,
    price: Option<String>,
    pending: bool,
    /// Whether it is called off.
    off: bool,
    /// The customer's page; only in mails to the customer about future bookings. Secret: never logged or stored.
    manage_url: Option<String>,
}

impl<'a> BookingLine<'a> {
    fn new(booking: &'a OneOfSeveral, locale: Locale, manage_url: Option<String>) -> Self {
        Self {
            when: When::new(booking.start, booking.end, booking.zone, locale),
            service: &booking.service_name,
            staff: &booking.staff_name,
            price: (booking.price.minor > 0).then(|| price(booking.price, locale)),
            pending: booking.status == BookingStatus::Pending,
            off: booking.status == BookingStatus::Cancelled,
            manage_url,
        }
    }
}

fn when_of(first: Option<&OneOfSeveral>, locale: Locale) -> When {
    first.map_or_else(
        || When::new(DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH, Zone::UTC, locale),
        |first| When::new(first.start, first.end, first.zone, locale),
    )
}

/// Builds the reminder of a visit of several services.
///
/// # Errors
/// [`BuildError`].
pub fn compose_reminder_of_visit(
    templates: &Templates,
    keys: &Keys,
    facts: &Facts,
    visit: &VisitFacts,
    recipient: &EmailAddress,
    now: DateTime<Utc>,
) -> Result<Mail, BuildError> {
    let Facts { business, booking, locale, .. } = facts;
    let unsubscribe_url = Links::of(facts, keys).unsubscribe;
    let first = visit.bookings.first();
    let service = first.map(|first| first.service_name.as_str());
    let manage = |booking: &OneOfSeveral| Some(booking.link.url(keys, &business.public_url));
    let context = SeveralContext {
        business: BusinessContext::new(business),
        customer: CustomerContext::new(
            &booking.customer_name,
            facts.recipient_proven,
            booking.customer_email.as_ref(),
            booking.customer_phone.as_deref(),
        ),
        bookings: visit.bookings.iter().map(|one| BookingLine::new(one, *locale, manage(one))).collect(),
        count: visit.bookings.len(),
        pending: 0,
        first: when_of(first, *locale),
        service: service.filter(|name| visit.bookings.iter().all(|one| one.service_name == *name)),
        for_whom: booking.for_whom.as_deref().and_then(|name| greeting_name(name, facts.recipient_proven)),
        message: None,
        changed_by_customer: false,
        customer_not_told: false,
        book_url: None,
        unsubscribe_url: unsubscribe_url.clone(),
    };
    let rendered = templates.render(facts.kind, *locale, &context)?;
    let id = facts.notification_id;
    let parts = MultiPart::alternative()
        .boundary(boundary(id))
        .singlepart(SinglePart::plain(rendered.text))
        .singlepart(SinglePart::html(rendered.html));
    let name = greeting_name(&facts.recipient_name, facts.recipient_proven).and_then(display_name);
    let to = Mailbox::new(name, recipient.as_str().parse()?);
    let headers = unsubscribe_headers(common_headers(business, to, id, now)?, unsubscribe_url)?;
    envelope(business, recipient, &headers.subject(rendered.subject).multipart(parts)?)
}

/// Builds the message of a ledger row of such a kind.
///
/// # Errors
/// [`BuildError`].
pub fn compose_several(
    templates: &Templates,
    keys: &Keys,
    facts: &SeveralFacts,
    recipient: &EmailAddress,
    now: DateTime<Utc>,
) -> Result<Mail, BuildError> {
    let id = facts.notification_id;
    let rendered = templates.render(facts.kind, facts.locale, &context(keys, facts))?;
    let mut parts = MultiPart::alternative()
        .boundary(boundary(id))
        .singlepart(SinglePart::plain(rendered.text))
        .singlepart(SinglePart::html(rendered.html));
    if !facts.kind.is_for_staff() {
        let method = Method::Publish;
        let entries = calendar_part::entries(facts, now);
        let kind = format!("text/calendar; method={}; charset=utf-8", method.as_str());
        let kind = ContentType::parse(&kind).map_err(|_| BuildError::Header)?;
        parts = parts.singlepart(SinglePart::builder().header(kind).body(entries));
    }
    let for_customer = !facts.kind.is_for_staff();
    let name = greeting_name(&facts.customer_name, facts.recipient_proven).filter(|_| for_customer);
    let to = Mailbox::new(name.and_then(display_name), recipient.as_str().parse()?);
    let message = common_headers(&facts.business, to, id, now)?.subject(rendered.subject).multipart(parts)?;
    envelope(&facts.business, recipient, &message)
}

fn context<'a>(keys: &Keys, facts: &'a SeveralFacts) -> SeveralContext<'a> {
    let for_staff = facts.kind.is_for_staff();
    let first = facts.bookings.first();
    let service = first.map(|first| first.service_name.as_str());
    let called_off = facts.kind == NotificationKind::AppointmentsCancelled;
    let manage = |booking: &OneOfSeveral| booking.link.url(keys, &facts.business.public_url);
    let again = first.filter(|first| called_off && first.service_active);
    SeveralContext {
        business: BusinessContext::new(&facts.business),
        customer: CustomerContext::new(
            &facts.customer_name,
            facts.recipient_proven,
            facts.customer_email.as_ref(),
            facts.customer_phone.as_deref(),
        ),
        bookings: facts
            .bookings
            .iter()
            .map(|booking| {
                BookingLine::new(booking, facts.locale, (!for_staff && !called_off).then(|| manage(booking)))
            })
            .collect(),
        count: facts.bookings.len(),
        pending: facts.bookings.iter().filter(|booking| booking.status == BookingStatus::Pending).count(),
        first: when_of(first, facts.locale),
        service: service.filter(|name| facts.bookings.iter().all(|booking| booking.service_name == *name)),
        for_whom: facts
            .for_whom
            .as_deref()
            .and_then(|name| greeting_name(name, for_staff || facts.recipient_proven)),
        message: facts.message.as_deref().filter(|_| !for_staff),
        changed_by_customer: facts.changed_by_customer,
        customer_not_told: facts.customer_not_told,
        book_url: again.map(|first| format!("{}/book/{}", facts.business.public_url, first.service_id)),
        unsubscribe_url: None,
    }
}
