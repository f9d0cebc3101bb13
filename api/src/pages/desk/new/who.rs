//! Who comes. The form books.

use chrono::{DateTime, FixedOffset};
use poem::{Response, http::StatusCode};
use punctual_core::{
    Alternative, Occurrence, VisitConflict, VisitSlot,
    wording::{When, with_seats},
};
use serde::Serialize;
use uuid::Uuid;

use super::{Chain, Desk, Hidden, Wish, hidden, link, name_of};
use crate::{
    http::problem::Problem,
    pages::{
        book::form_token,
        desk::{
            Notice,
            customer_input::{Faults, Input},
            found::{self, Found},
            repeat::{Line, Repeat, lines, why},
        },
        times::compact,
    },
};

#[derive(Serialize)]
struct Who {
    service: String,
    with: String,
    when: When,
    /// The services of a visit, with their times if it fits; none for a single one.
    parts: Vec<Part>,
    back: String,
    start: String,
    staff: String,
    service_id: Uuid,
    then: Option<String>,
    seats: u32,
    needs_override: bool,
    overriding: bool,
    query: String,
    hidden: Vec<Hidden>,
    found: Option<Vec<Found>>,
    input: Input,
    faults: Faults,
    token: String,
    alternatives: Vec<Instead>,
    repeat: Repeat,
    /// The occurrences that were asked for, if not all are free.
    wanted: Vec<Line>,
}

/// A service of a visit.
#[derive(Serialize)]
struct Part {
    name: String,
    /// `10:00–11:00`
    hours: Option<String>,
    with: String,
    /// Key of the reason why it has no place.
    why: Option<&'static str>,
}

/// A time in place of one that is taken.
#[derive(Serialize)]
struct Instead {
    value: String,
    label: String,
}

/// What the last step shows beside the time.
#[derive(Default)]
pub(super) struct Entered {
    pub notice: Notice,
    pub input: Input,
    pub repeat: Repeat,
    pub alternatives: Vec<Alternative>,
    pub occurrences: Vec<Occurrence>,
    pub conflict: Option<Box<VisitConflict>>,
}

/// Asks who comes.
pub(super) async fn ask(
    desk: &Desk,
    chain: &Chain<'_>,
    wish: Wish,
    status: StatusCode,
    entered: Entered,
) -> Result<Response, Problem> {
    let Entered { notice, input, repeat, alternatives, occurrences, conflict } = entered;
    let api = &desk.visit.state;
    let zone = desk.zone()?;
    let query = desk.visit.query_param("q").unwrap_or_default().trim().to_owned();
    let chosen =
        input.customer.or(desk.visit.query_param("customer").and_then(|text| Uuid::try_parse(text).ok()));
    let found = found::found(desk, &query, chosen).await?;
    let front = &desk.front()?.front;
    let performer = front.staff.iter().find(|member| Some(member.id) == wish.staff_id);
    let planned = if chain.is_visit() {
        chain.planned(desk.core(), zone, wish.staff_id, wish.start).await?
    } else {
        None
    };
    let minutes: u32 =
        chain.services().iter().map(|service| service.performed_by(wish.staff_id).spec.duration_min).sum();
    let end = match &planned {
        Some(visit) => visit.end.to_utc(),
        None => wish.start + chrono::TimeDelta::minutes(i64::from(minutes)),
    };
    let start = compact(wish.start);
    let staff = wish.staff_id.map(|id| id.to_string()).unwrap_or_default();
    let short = |start: DateTime<FixedOffset>, end: DateTime<FixedOffset>| {
        When::new(start.to_utc(), end.to_utc(), zone, desk.locale).short
    };
    let mut instead: Vec<Instead> = alternatives
        .iter()
        .filter_map(|slot| {
            let same = slot.staff_ids.iter().find(|id| Some(**id) == wish.staff_id);
            let staff = same.or(slot.staff_ids.first())?;
            let value = format!("{}~{staff}", compact(slot.start.to_utc()));
            Some(Instead { value, label: short(slot.start, slot.end) })
        })
        .collect();
    instead.extend(conflict.iter().flat_map(|conflict| &conflict.alternatives).map(|slot| Instead {
        value: format!("{}~", compact(slot.start.to_utc())),
        label: short(slot.start, slot.end),
    }));
    let first = chain.services().first().map(|first| first.id).unwrap_or_default();
    let mut kept =
        vec![("service", first.to_string()), ("staff", staff.clone()), ("seats", wish.seats.to_string())];
    kept.extend(chain.then().map(|then| ("then", then)));
    if wish.needs_override {
        let at = zone.at(wish.start);
        kept.push(("date", at.format("%Y-%m-%d").to_string()));
        kept.push(("time", at.format("%H:%M").to_string()));
    } else {
        kept.push(("start", start.clone()));
    }
    let known = form_token::is_good(&api.links, api.core.now(), &input.token);
    let token = if known { input.token.clone() } else { form_token::new(&api.links, api.core.now()) };
    let facts = Who {
        service: with_seats(&chain.names(desk.locale).join(" + "), wish.seats.cast_signed()),
        seats: wish.seats,
        with: performer.map(|member| member.name.as_str().to_owned()).unwrap_or_default(),
        when: When::new(wish.start, end, zone, desk.locale),
        parts: parts(desk, chain, planned.as_ref(), conflict.as_deref())?,
        back: link(desk, &[("start", None), ("time", None)]),
        alternatives: instead,
        repeat,
        wanted: lines(&occurrences, zone, desk.locale),
        start,
        staff,
        service_id: first,
        then: chain.then(),
        needs_override: wish.needs_override,
        overriding: wish.overriding,
        hidden: hidden(desk, &kept),
        query,
        found,
        faults: input.faults.clone(),
        input,
        token,
    };
    desk.page(status, "desk/new-who.html.j2", "new", notice, &facts)
}

fn parts(
    desk: &Desk,
    chain: &Chain<'_>,
    planned: Option<&VisitSlot>,
    conflict: Option<&VisitConflict>,
) -> Result<Vec<Part>, Problem> {
    if !chain.is_visit() {
        return Ok(Vec::new());
    }
    let (zone, staff) = (desk.zone()?, &desk.front()?.front.staff);
    let parts = (0..).zip(chain.services()).map(|(at, service)| {
        let part = planned.and_then(|visit| visit.services.get(at));
        let member = part.and_then(|part| staff.iter().find(|member| member.id == part.staff_id));
        Part {
            name: name_of(desk, service),
            hours: part
                .map(|part| When::new(part.start.to_utc(), part.end.to_utc(), zone, desk.locale).hours),
            with: member.map(|member| member.name.as_str().to_owned()).unwrap_or_default(),
            why: conflict.filter(|conflict| conflict.no == at + 1).map(|conflict| why(conflict.code)),
        }
    });
    Ok(parts.collect())
}
