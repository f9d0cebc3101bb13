use poem::{Response, http::StatusCode};
use punctual_core::{
    bookings::{self, Booking, ListBookings},
    links::{Link, Purpose},
    types::Locale,
    users,
    wording::When,
};
use serde::Serialize;

use super::{
    page::{AccountPage, render},
    session::SignedIn,
};
use crate::{
    contract::Operation,
    http::problem::Problem,
    pages::{book::Visitor, named},
};

/// `/account`: the appointments of an account.
pub struct Appointments;

#[derive(Serialize)]
struct Facts {
    name: String,
    /// Whether the account's address is verified.
    verified: bool,
    /// Whether the account is staff.
    staff: bool,
    to_come: Vec<Appointment>,
    past: Vec<Appointment>,
}

#[derive(Serialize)]
struct Appointment {
    day: String,
    hours: String,
    what: String,
    status: &'static str,
    /// Link to move and cancel it.
    manage: String,
    /// Link to book the same again.
    again: String,
}

impl AccountPage for Appointments {
    const OPERATION: &'static Operation = &named("pageAppointments");
    const PATTERN: &'static str = "/account";
    const POSTS: bool = false;

    async fn show(visitor: &Visitor, who: SignedIn) -> Result<Response, Problem> {
        let state = &visitor.visit.state;
        let (core, now) = (&state.core, state.core.now());
        let user = users::get(&core.pool, who.user_id).await?;
        let epochs = bookings::link_epochs(core, who.user_id).await?;
        let list = |from, to| ListBookings { from, to, ..ListBookings::default() };
        let of = |booking: Booking| {
            let epoch = *epochs.get(&booking.id)?;
            let link = Link { purpose: Purpose::Manage, id: booking.id, epoch };
            Some(appointment(&booking, visitor, &link.token(&state.links)))
        };
        let to_come = bookings::list(core, &who.actor(), &list(Some(now), None)).await?;
        // Those of the last year, newest first.
        let year = now - chrono::TimeDelta::days(366);
        let mut past = bookings::list(core, &who.actor(), &list(Some(year), Some(now))).await?.data;
        past.reverse();
        let facts = Facts {
            name: user.name.as_str().to_owned(),
            verified: user.email_verified_at.is_some(),
            staff: who.actor().is_staff(),
            to_come: to_come.data.into_iter().filter_map(of).collect(),
            past: past.into_iter().filter_map(of).collect(),
        };
        let notice = match visitor.visit.query_param("done") {
            Some("registered") => Some(("account_registered", "status")),
            Some("password") => Some(("account_password_done", "status")),
            _ => None,
        };
        render(visitor, Some(&who), StatusCode::OK, "account/appointments.html.j2", notice, &facts).await
    }
}

fn appointment(booking: &Booking, visitor: &Visitor, token: &str) -> Appointment {
    let (start, end) = (booking.start.to_utc(), booking.end.to_utc());
    let when = When::new(start, end, booking.zone, visitor.locale);
    let with = match visitor.locale {
        Locale::En => "with",
        Locale::De => "bei",
    };
    let root = visitor.visit.root();
    Appointment {
        day: when.day,
        hours: when.hours,
        what: format!("{} {with} {}", booking.what(), booking.staff.name),
        status: booking.status.as_str(),
        manage: format!("{root}m/{token}"),
        again: format!("{root}book/{}/{}{}", booking.service.id, booking.staff.id, visitor.carry()),
    }
}
