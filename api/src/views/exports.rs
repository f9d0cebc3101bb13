//! The files of bookings and customers.

use chrono::{DateTime, Utc};
use punctual_core::{
    Core,
    bookings::{self, ListBookings},
    customers::{self, Customer, ListCustomers},
    pool::again_if_cut,
    types::{Actor, EmailAddress, Locale, Note, PageSize, PersonName, Phone},
};

use super::CsvFile;

/// Rows per query.
const ROWS: u32 = 100;

const OF_BOOKINGS: [&str; 18] = [
    "id",
    "start",
    "end",
    "zone",
    "status",
    "service",
    "staff",
    "customer",
    "email",
    "phone",
    "for_whom",
    "seats",
    "price_minor",
    "currency",
    "customer_note",
    "staff_note",
    "created_at",
    "updated_at",
];

const OF_CUSTOMERS: [&str; 12] = [
    "id",
    "name",
    "email",
    "phone",
    "phone_e164",
    "locale",
    "completed",
    "no_shows",
    "cancelled",
    "last_at",
    "next_at",
    "created_at",
];

/// These bookings by start, whatever page of them was asked for.
pub fn bookings_file(core: &Core, actor: Actor, which: ListBookings) -> CsvFile {
    let core = core.clone();
    let which = ListBookings { limit: PageSize::new(ROWS).unwrap_or_default(), ..which };
    let page = move |cursor| {
        let (core, which) = (core.clone(), ListBookings { cursor, ..which.clone() });
        async move { again_if_cut(|| bookings::list(&core, &actor, &which)).await }
    };
    CsvFile::new("bookings.csv", &OF_BOOKINGS, page, cells_of_booking)
}

/// All customers by creation, without notes.
pub fn customers_file(core: &Core, actor: Actor) -> CsvFile {
    let core = core.clone();
    let limit = PageSize::new(ROWS).unwrap_or_default();
    let page = move |cursor| {
        let (core, which) = (core.clone(), ListCustomers { cursor, limit, ..ListCustomers::default() });
        async move { again_if_cut(|| customers::search(&core.pool, &actor, &which)).await }
    };
    CsvFile::new("customers.csv", &OF_CUSTOMERS, page, cells_of_customer)
}

fn cells_of_booking(booking: bookings::Booking) -> Vec<String> {
    let customer = booking.customer.as_ref();
    let name = customer.and_then(|customer| customer.name.as_ref()).map(PersonName::as_str);
    let email = customer.and_then(|customer| customer.email.as_ref()).map(EmailAddress::as_str);
    let phone = customer.and_then(|customer| customer.phone.as_ref()).map(Phone::as_str);
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    vec![
        booking.id.to_string(),
        booking.start.to_rfc3339(),
        booking.end.to_rfc3339(),
        booking.zone.name().to_owned(),
        booking.status.as_str().to_owned(),
        booking.service.name,
        booking.staff.name,
        text(name),
        text(email),
        text(phone),
        text(booking.for_whom.as_ref().map(PersonName::as_str)),
        booking.seats.to_string(),
        booking.service.price.minor.to_string(),
        booking.service.price.currency.as_str().to_owned(),
        booking.customer_note.as_str().to_owned(),
        text(booking.staff_note.as_ref().map(Note::as_str)),
        booking.created_at.to_rfc3339(),
        booking.updated_at.to_rfc3339(),
    ]
}

fn cells_of_customer(customer: Customer) -> Vec<String> {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let at = |at: Option<DateTime<Utc>>| at.map(|at| at.to_rfc3339()).unwrap_or_default();
    let visits = customer.visits;
    vec![
        customer.id.to_string(),
        text(customer.name.as_ref().map(PersonName::as_str)),
        text(customer.email.as_ref().map(EmailAddress::as_str)),
        text(customer.phone.as_ref().map(Phone::as_str)),
        customer.phone_e164.unwrap_or_default(),
        text(customer.locale.map(Locale::as_str)),
        visits.completed.to_string(),
        visits.no_shows.to_string(),
        visits.cancelled.to_string(),
        at(visits.last_at),
        at(visits.next_at),
        customer.created_at.to_rfc3339(),
    ]
}
