//! `/desk/new`: appointments taken by phone. Services, time and customer are chosen one after the other; the address keeps
//! what is chosen, and the last form books it once.

mod chain;
mod service;
mod time;
mod who;

use chrono::{DateTime, NaiveDate, Utc};
use poem::{Response, http::StatusCode};
use punctual_core::{
    Error,
    bookings::{self, NewBooking, NewVisit, RequestedSlot, SlotSource},
    services::Service,
    types::Note,
};
use serde::Serialize;
use uuid::Uuid;

use super::{Desk, DeskPage, customer_input::Input, repeat::Repeat, reschedule::instant};
use crate::{
    contract::Operation,
    http::problem::Problem,
    pages::{book::form_token, chain::Chain, form::Form, named, times::parse_compact},
};

use who::Entered;

/// The page.
pub struct New;

/// A field that a form by GET carries on.
#[derive(Serialize)]
struct Hidden {
    name: &'static str,
    value: String,
}

/// The time that was chosen.
#[derive(Clone, Copy)]
struct Wish {
    start: DateTime<Utc>,
    staff_id: Option<Uuid>,
    needs_override: bool,
    overriding: bool,
    seats: u32,
}

impl DeskPage for New {
    const OPERATION: &'static Operation = &named("deskNew");
    const PATTERN: &'static str = "/desk/new";
    const POSTS: bool = true;

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        let id = |name| desk.visit.query_param(name).and_then(|text| Uuid::try_parse(text).ok());
        let Some(service) = id("service") else { return service::choose(desk, None) };
        let front = &desk.front()?.front;
        let chain = Chain::of(front, front.service(service)?, desk.visit.query_param("then"));
        if desk.visit.query_param("add").is_some() && chain.may_grow() {
            return service::choose(desk, Some(&chain));
        }
        let staff_id = id("staff").filter(|staff| chain.is_performed_by(*staff));
        let seats = chain.seats(desk.visit.query_param("seats"));
        let chosen = desk.visit.query_param("start").and_then(parse_compact);
        if let Some(start) = chosen {
            let wish = Wish { start, staff_id, needs_override: false, overriding: false, seats };
            return who::ask(desk, &chain, wish, StatusCode::OK, Entered::default()).await;
        }
        let time = desk.visit.query_param("time").filter(|text| !text.is_empty());
        let typed = time.and_then(|time| instant(desk.zone().ok()?, desk.visit.query_param("date")?, time));
        let Some(start) = typed else {
            return time::choose(desk, &chain, staff_id, seats, time.map(|_| "desk_fault_time")).await;
        };
        let needs_override = !chain.is_offered(desk, staff_id, start).await?;
        let wish = Wish { start, staff_id, needs_override, overriding: false, seats };
        who::ask(desk, &chain, wish, StatusCode::OK, Entered::default()).await
    }

    async fn submit(desk: &Desk, form: Form) -> Result<Response, Problem> {
        let state = &desk.visit.state;
        let service_id = form.value("service", |text| Uuid::try_parse(text).ok())?;
        let front = &desk.front()?.front;
        let chain = Chain::of(front, front.service(service_id)?, form.text("then"));
        let mut wish = Wish {
            start: form.value("start", parse_compact)?,
            staff_id: form.text("staff").and_then(|text| Uuid::try_parse(text).ok()),
            needs_override: form.text("needs_override").is_some(),
            overriding: form.text("override").is_some(),
            seats: chain.seats(form.text("seats")),
        };
        // The button of another time, beside the form for the one that was taken. That of a visit names no staff.
        if let Some((start, staff)) = form.text("instead").and_then(|text| text.split_once('~')) {
            wish.start = parse_compact(start).unwrap_or(wish.start);
            wish.staff_id = Uuid::try_parse(staff).ok().or(wish.staff_id);
        }
        let (input, mut repeat) = (Input::of(&form), Repeat::of(&form));
        let (parsed, repeated) = (input.parsed(), repeat.parsed());
        repeat.fault = repeated.err();
        let (Ok((booker, note)), Ok(repeated)) = (&parsed, repeated) else {
            let input = Input { faults: parsed.err().unwrap_or_default(), ..input };
            let notice = Some(("book_faults", "alert"));
            let entered = Entered { notice, input, repeat, ..Entered::default() };
            return who::ask(desk, &chain, wish, StatusCode::UNPROCESSABLE_ENTITY, entered).await;
        };
        let key = form_token::key(&state.links, state.core.now(), &input.token)?;
        let mut services = chain.wanted(wish.staff_id).into_iter();
        let staff_id =
            if chain.is_visit() { services.next().and_then(|first| first.staff_id) } else { wish.staff_id };
        let slot = RequestedSlot { service_id, staff_id, start: wish.start, seats: wish.seats };
        let new = NewBooking {
            slot: SlotSource::Slot(slot),
            booker: booker.clone(),
            for_whom: None,
            customer_note: Note::empty(),
            staff_note: note.clone(),
            reminders: true,
            no_mail: false,
            overriding: wish.overriding,
        };
        let (core, actor) = (&state.core, desk.actor());
        let answer = match repeated {
            _ if chain.is_visit() => {
                let visit = NewVisit { first: new, then: services.collect() };
                let made = bookings::create_visit(core, &actor, &key, visit).await;
                made.map(|made| (Some(made.value.id), "visit"))
            }
            Some((every, count)) => {
                let series = repeat.series(new, every, count);
                let made = bookings::create_series(core, &actor, &key, series).await;
                made.map(|made| (made.value.occurrences.iter().find_map(|one| one.booking_id), "series"))
            }
            None => {
                bookings::create(core, &actor, Some(&key), new).await.map(|made| (Some(made.value.id), "new"))
            }
        };
        let error = match answer {
            Ok((Some(id), done)) => return Ok(desk.go(&format!("/b/{id}"), &[("done", done)])),
            Ok((None, _)) => return Ok(desk.go("", &[])),
            Err(error) => error,
        };
        let words = match &error {
            Error::SlotTaken { .. } => "desk_taken",
            Error::SeriesConflict(_) => "desk_series_conflict",
            Error::VisitConflict(_) => "desk_visit_conflict",
            Error::StartInPast => "desk_past",
            Error::TooSoon | Error::TooFar | Error::OutsideHours | Error::OffGrid => "desk_needs_override",
            Error::NotFound("staff") => "desk_not_performed",
            _ => return Err(error.into()),
        };
        let mut entered = Entered { notice: Some((words, "alert")), input, repeat, ..Entered::default() };
        wish.needs_override |= words == "desk_needs_override";
        match &error {
            Error::SlotTaken { alternatives, .. } => entered.alternatives.clone_from(alternatives),
            Error::SeriesConflict(occurrences) => entered.occurrences.clone_from(occurrences),
            Error::VisitConflict(conflict) => {
                wish.needs_override |= !matches!(conflict.code, "slot_taken" | "start_in_past");
                entered.conflict = Some(conflict.clone());
            }
            _ => {}
        }
        let status = Problem::from(error).code.status();
        who::ask(desk, &chain, wish, status, entered).await
    }
}

/// What the address says, with more or other values.
fn link(desk: &Desk, set: &[(&str, Option<&str>)]) -> String {
    let mut query: Vec<(&str, &str)> = Vec::new();
    for name in ["service", "then", "add", "staff", "seats", "date", "time", "start", "customer"] {
        let value = match set.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => *value,
            None => desk.visit.query_param(name),
        };
        query.extend(value.map(|value| (name, value)));
    }
    desk.link("/new", &query)
}

/// What the address says under these names.
fn in_address(desk: &Desk, names: &[&'static str]) -> Vec<(&'static str, String)> {
    names.iter().filter_map(|name| Some((*name, desk.visit.query_param(name)?.to_owned()))).collect()
}

/// Fields that a form by GET carries on.
fn hidden(desk: &Desk, more: &[(&'static str, String)]) -> Vec<Hidden> {
    let lang = desk.visit.query_param("lang").map(|lang| Hidden { name: "lang", value: lang.to_owned() });
    let more = more.iter().map(|(name, value)| Hidden { name, value: value.clone() });
    lang.into_iter().chain(more).collect()
}

/// The name of a service in the language of the page.
fn name_of(desk: &Desk, service: &Service) -> String {
    service.spec.text(desk.locale).name.as_str().to_owned()
}

/// The date of an instant, in the business's zone.
fn date_of(desk: &Desk, start: DateTime<Utc>) -> Result<NaiveDate, Problem> {
    Ok(desk.zone()?.at(start).date_naive())
}
