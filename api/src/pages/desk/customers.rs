use poem::{Response, http::StatusCode};
use punctual_core::{
    Error,
    bookings::{self, Booking, ListBookings},
    customers::{self, Customer, ListCustomers},
    types::{Cursor, PageSize},
    wording::When,
};
use serde::Serialize;
use uuid::Uuid;

use super::{Desk, DeskPage};
use crate::{contract::Operation, http::problem::Problem, pages::named};

/// `/desk/customers`: finds customers by words of their name, phone or address.
pub struct Customers;

#[derive(Serialize)]
struct List {
    query: String,
    customers: Vec<One>,
    more: Option<String>,
}

#[derive(Serialize)]
struct One {
    href: String,
    name: String,
    reached: String,
}

impl DeskPage for Customers {
    const OPERATION: &'static Operation = &named("deskCustomers");
    const PATTERN: &'static str = "/desk/customers";

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        let query = desk.visit.query_param("q").unwrap_or_default().trim().to_owned();
        let cursor = desk.visit.query_param("after").and_then(|text| Cursor::parse(text).ok());
        let (pool, actor) = (&desk.core().pool, desk.actor());
        let which = ListCustomers { search: query.clone(), cursor, ..ListCustomers::default() };
        let page = customers::search(pool, &actor, &which).await?;
        let more = page
            .next_cursor
            .map(|cursor| desk.link("/customers", &[("q", &query), ("after", &String::from(cursor))]));
        let customers = page.data.iter().map(|customer| One {
            href: desk.link(&format!("/customers/{}", customer.id), &[]),
            name: name(customer),
            reached: reached(customer),
        });
        let facts = List { customers: customers.collect(), query, more };
        desk.page(StatusCode::OK, "desk/customers.html.j2", "customers", None, &facts)
    }
}

fn name(customer: &Customer) -> String {
    customer.name.as_ref().map(|name| name.as_str().to_owned()).unwrap_or_default()
}

/// Contact details of a customer.
fn reached(customer: &Customer) -> String {
    let phone = customer.phone.as_ref().map(punctual_core::types::Phone::as_str);
    let email = customer.email.as_ref().map(punctual_core::types::EmailAddress::as_str);
    phone.into_iter().chain(email).collect::<Vec<_>>().join(" · ")
}

/// `/desk/customers/{id}`: a customer and their bookings.
pub struct File;

#[derive(Serialize)]
struct Facts {
    name: String,
    phone: Option<String>,
    phone_digits: String,
    email: Option<String>,
    account: bool,
    to_come: Vec<Visit>,
    past: Vec<Visit>,
    missed: usize,
    book: String,
}

#[derive(Serialize)]
struct Visit {
    href: String,
    when: String,
    what: String,
    status: &'static str,
}

impl DeskPage for File {
    const OPERATION: &'static Operation = &named("deskCustomer");
    const PATTERN: &'static str = "/desk/customers/{id}";

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        let (core, actor) = (desk.core(), desk.actor());
        let id = desk.visit.step(2).and_then(|text| Uuid::try_parse(text).ok());
        let id = id.ok_or(Error::NotFound("customer"))?;
        let customer = customers::get(&core.pool, &actor, id).await?;
        let limit = PageSize::new(100).unwrap_or_default();
        let which = ListBookings { customer_id: Some(id), limit, ..ListBookings::default() };
        let mut list = bookings::list(core, &actor, &which).await?;
        let mut all = std::mem::take(&mut list.data);
        // Ten pages are enough for one customer's visits.
        for _ in 0..9 {
            let Some(cursor) = list.next_cursor else { break };
            list =
                bookings::list(core, &actor, &ListBookings { cursor: Some(cursor), ..which.clone() }).await?;
            all.append(&mut list.data);
        }
        let now = core.now();
        let (to_come, past): (Vec<Booking>, Vec<Booking>) =
            all.into_iter().partition(|booking| booking.end.to_utc() > now);
        let missed = past.iter().filter(|booking| booking.status == bookings::BookingStatus::NoShow).count();
        let phone = customer.phone.as_ref().map(|phone| phone.as_str().to_owned());
        let is_digit = |c: &char| c.is_ascii_digit() || *c == '+';
        let facts = Facts {
            name: name(&customer),
            phone_digits: phone.iter().flat_map(|phone| phone.chars()).filter(is_digit).collect(),
            phone,
            email: customer.email.as_ref().map(|email| email.as_str().to_owned()),
            account: customer.user_id.is_some(),
            to_come: to_come.iter().map(|booking| visit(desk, booking)).collect(),
            past: past.iter().rev().map(|booking| visit(desk, booking)).collect(),
            missed,
            book: desk.link("/new", &[("customer", &id.to_string())]),
        };
        desk.page(StatusCode::OK, "desk/customer.html.j2", "customers", None, &facts)
    }
}

fn visit(desk: &Desk, booking: &Booking) -> Visit {
    let (start, end) = (booking.start.to_utc(), booking.end.to_utc());
    Visit {
        href: desk.link(&format!("/b/{}", booking.id), &[]),
        when: When::new(start, end, booking.zone, desk.locale).short,
        what: format!("{}, {}", booking.what(), booking.staff.name),
        status: booking.status.as_str(),
    }
}
