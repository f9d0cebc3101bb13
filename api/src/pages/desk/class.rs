use poem::{Response, http::StatusCode};
use punctual_core::{
    Error,
    bookings::{self, Booking},
    calendar::Span,
    pool::again_if_cut,
    wording::When,
};
use serde::Serialize;
use uuid::Uuid;

use super::{Desk, DeskPage};
use crate::{contract::Operation, http::problem::Problem, pages::named, pages::times::parse_compact};

/// `/desk/class/{service}/{staff}/{start}`: who takes part in a class.
pub struct Class;

#[derive(Serialize)]
struct Facts {
    name: String,
    staff: String,
    when: When,
    back: String,
    participants: Vec<Participant>,
    seats: Option<u32>,
}

#[derive(Serialize)]
struct Participant {
    href: String,
    name: String,
    phone: Option<String>,
    note: String,
    status: &'static str,
}

impl DeskPage for Class {
    const OPERATION: &'static Operation = &named("deskClass");
    const PATTERN: &'static str = "/desk/class/{service}/{staff}/{start}";

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        let id = |step| desk.visit.step(step).and_then(|text| Uuid::try_parse(text).ok());
        let start = desk.visit.step(4).and_then(parse_compact);
        let (Some(service), Some(staff), Some(start)) = (id(2), id(3), start) else {
            return Err(Error::NotFound("class").into());
        };
        let minute = chrono::TimeDelta::minutes(1);
        let within = Span::new(start, start + minute).ok_or(Error::NotFound("class"))?;
        let actor = desk.actor();
        let mut list = again_if_cut(|| bookings::within(desk.core(), &actor, within, Some(staff))).await?;
        list.retain(|booking| booking.service.id == service && booking.start.to_utc() == start);
        list.sort_by_key(|booking| booking.seat_no);
        let first: &Booking = list.first().ok_or(Error::NotFound("class"))?;
        let known = desk.front()?.front.services.iter().find(|known| known.id == service);
        let facts = Facts {
            name: first.service.name.clone(),
            staff: first.staff.name.clone(),
            when: When::new(start, first.end.to_utc(), first.zone, desk.locale),
            back: desk.link("", &[("date", &first.start.date_naive().to_string())]),
            seats: known.map(|service| service.spec.capacity),
            participants: list.iter().map(|booking| participant(desk, booking)).collect(),
        };
        desk.page(StatusCode::OK, "desk/class.html.j2", "day", None, &facts)
    }
}

fn participant(desk: &Desk, booking: &Booking) -> Participant {
    let customer = booking.customer.as_ref();
    let name = customer.and_then(|customer| customer.name.as_ref());
    Participant {
        href: desk.link(&format!("/b/{}", booking.id), &[]),
        name: name.map(|name| name.as_str().to_owned()).unwrap_or_default(),
        phone: customer.and_then(|customer| Some(customer.phone.as_ref()?.as_str().to_owned())),
        note: booking.customer_note.as_str().trim().to_owned(),
        status: booking.status.as_str(),
    }
}
