use poem::{Response, http::StatusCode};
use punctual_core::{
    Error,
    bookings::{self, Booking},
    hours::{self, StrandedBooking, StrandedReason},
    types::PageSize,
    wording::When,
};
use serde::Serialize;

use super::{Desk, DeskPage};
use crate::{contract::Operation, http::problem::Problem, pages::named};

/// `/desk/stranded`: bookings that no longer fit the calendar, with phone number and actions.
pub struct Stranded;

/// Bookings of one page.
const PAGE_SIZE: u32 = 50;

#[derive(Serialize)]
struct Facts {
    bookings: Vec<One>,
    more: bool,
}

#[derive(Serialize)]
struct One {
    base: String,
    customer: String,
    when: String,
    service: String,
    staff: String,
    status: &'static str,
    phone: Option<String>,
    phone_digits: String,
    reasons: Vec<&'static str>,
}

impl DeskPage for Stranded {
    const OPERATION: &'static Operation = &named("deskStranded");
    const PATTERN: &'static str = "/desk/stranded";

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        let (core, actor) = (desk.core(), desk.actor());
        let size = PageSize::new(PAGE_SIZE).unwrap_or_default();
        let page = hours::list_stranded(core, &actor, size, None).await?;
        let mut shown = Vec::with_capacity(page.data.len());
        for stranded in &page.data {
            match bookings::get(core, &actor, stranded.booking_id).await {
                Ok(booking) => shown.push(one(desk, stranded, &booking)),
                // Erased meanwhile.
                Err(Error::NotFound(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let notice = match desk.visit.query_param("done") {
            Some("away") => Some(("desk_done_away", "status")),
            _ => None,
        };
        let facts = Facts { bookings: shown, more: page.next_cursor.is_some() };
        desk.page(StatusCode::OK, "desk/stranded.html.j2", "day", notice, &facts)
    }
}

fn one(desk: &Desk, stranded: &StrandedBooking, booking: &Booking) -> One {
    let customer = booking.customer.as_ref();
    let phone = customer.and_then(|customer| Some(customer.phone.as_ref()?.as_str().to_owned()));
    let is_digit = |c: &char| c.is_ascii_digit() || *c == '+';
    let name = customer.and_then(|customer| customer.name.as_ref());
    let (start, end) = (booking.start.to_utc(), booking.end.to_utc());
    One {
        base: format!("{}desk/b/{}", desk.visit.root(), booking.id),
        customer: name.map(|name| name.as_str().to_owned()).unwrap_or_default(),
        when: When::new(start, end, booking.zone, desk.locale).short,
        service: booking.what(),
        staff: booking.staff.name.clone(),
        status: booking.status.as_str(),
        phone_digits: phone.iter().flat_map(|phone| phone.chars()).filter(is_digit).collect(),
        phone,
        reasons: stranded.reasons.iter().map(|reason| StrandedReason::as_str(*reason)).collect(),
    }
}
