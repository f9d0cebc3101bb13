use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use poem::{Response, http::StatusCode};
use punctual_core::{
    Error,
    calendar::{Span, after_date, day_start},
    hours::{self, NewTimeOff},
    types::Reason,
    wording::When,
};
use serde::Serialize;
use uuid::Uuid;

use super::{Desk, DeskPage, people::Person, reschedule::instant};
use crate::{
    contract::Operation,
    http::problem::Problem,
    pages::{form::Form, named},
};

/// `/desk/away`: adds time off of a member of staff; with `ill` for the rest of today.
pub struct AddTimeOff;

/// The longest time off, in days.
const MAX_DAYS: i64 = 366;

#[derive(Serialize)]
struct Facts {
    people: Vec<Person>,
    date: String,
    time: String,
    until_date: String,
    until_time: String,
    reason: String,
    ill: bool,
    token: String,
    fault: Option<&'static str>,
}

impl DeskPage for AddTimeOff {
    const OPERATION: &'static Operation = &named("deskAway");
    const PATTERN: &'static str = "/desk/away";
    const POSTS: bool = true;

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        let (zone, now) = (desk.zone()?, desk.core().now());
        let ill = desk.visit.query_param("ill").is_some();
        let at = zone.at(now);
        let asked = desk.visit.query_param("date").and_then(|text| text.parse::<NaiveDate>().ok());
        let date = asked.filter(|_| !ill).unwrap_or_else(|| at.date_naive());
        let hour = (at + TimeDelta::minutes(60)).format("%H:00").to_string();
        let (time, until) = if ill { (at.format("%H:%M").to_string(), None) } else { (hour, Some(1)) };
        let end = until.and_then(|hours| {
            let (start, _) = time.split_once(':')?;
            let hour: u32 = start.parse().ok()?;
            (hour + hours < 24).then(|| format!("{:02}:00", hour + hours))
        });
        let (until_date, until_time) = match end {
            Some(end) => (date, end),
            None => (after_date(date), "00:00".to_owned()),
        };
        let facts = Facts {
            people: people(
                desk,
                desk.visit.query_param("staff").and_then(|text| Uuid::try_parse(text).ok()),
            )?,
            date: date.to_string(),
            time,
            until_date: until_date.to_string(),
            until_time,
            reason: String::new(),
            ill,
            token: desk.submission_token(),
            fault: None,
        };
        desk.page(StatusCode::OK, "desk/away.html.j2", "away", None, &facts)
    }

    async fn submit(desk: &Desk, form: Form) -> Result<Response, Problem> {
        let state = &desk.visit.state;
        let staff_id = form.value("staff", |text| Uuid::try_parse(text).ok())?;
        let text = |name| form.text(name).unwrap_or_default().trim();
        let zone = desk.zone()?;
        let times: Option<(DateTime<Utc>, DateTime<Utc>)> = instant(zone, text("date"), text("time"))
            .zip(instant(zone, text("until_date"), text("until_time")));
        let reason = Reason::parse(text("reason"));
        let span = times.and_then(|(start, end)| Span::new(start, end));
        let span = span.filter(|span| span.end() - span.start() <= TimeDelta::days(MAX_DAYS));
        let token = text("token");
        let fault = match (&span, &reason) {
            (None, _) => Some("desk_fault_span"),
            (_, Err(_)) => Some("desk_fault_reason"),
            _ => None,
        };
        let refuse = |status, fault| {
            let facts = Facts {
                people: people(desk, Some(staff_id))?,
                date: text("date").to_owned(),
                time: text("time").to_owned(),
                until_date: text("until_date").to_owned(),
                until_time: text("until_time").to_owned(),
                reason: text("reason").chars().take(1000).collect(),
                ill: false,
                token: token.to_owned(),
                fault: Some(fault),
            };
            desk.page(status, "desk/away.html.j2", "away", None, &facts)
        };
        if let Some(fault) = fault {
            return refuse(StatusCode::UNPROCESSABLE_ENTITY, fault);
        }
        let (Some(during), Ok(reason)) = (span, reason) else { return Err(Error::NotFound("time").into()) };
        let key = desk.submission_key(&form)?;
        let new = NewTimeOff { during, reason };
        let actor = desk.actor();
        let changed = match hours::add_time_off(&state.core, &actor, Some(&key), staff_id, new).await {
            Ok(changed) => changed.value,
            Err(Error::Forbidden) => return refuse(StatusCode::FORBIDDEN, "desk_only_own"),
            Err(error) => return Err(error.into()),
        };
        if changed.stranded.is_empty() {
            let date = zone.at(during.start()).date_naive().to_string();
            return Ok(desk.go("", &[("date", &date), ("done", "away")]));
        }
        Ok(desk.go("/stranded", &[("done", "away")]))
    }
}

/// Whose time off the caller may add: administrators and the front desk anybody's, staff their own.
fn people(desk: &Desk, current: Option<Uuid>) -> Result<Vec<Person>, Problem> {
    let staff = &desk.front()?.front.staff;
    let own = |member: &&punctual_core::staff::StaffMember| member.user_id == Some(desk.user.id);
    let mine = staff.iter().find(own).map(|member| member.id);
    let may = staff.iter().filter(|member| desk.actor().manages_calendars() || own(member));
    Ok(may.map(|member| Person::new(member, current.or(mine))).collect())
}

/// `/desk/away/{staff}/{id}`: one time off, with the button to remove it.
pub struct ShowTimeOff;

#[derive(Serialize)]
struct One {
    staff: String,
    when: When,
    reason: String,
    back: String,
}

impl DeskPage for ShowTimeOff {
    const OPERATION: &'static Operation = &named("deskOneAway");
    const PATTERN: &'static str = "/desk/away/{staff}/{id}";
    const POSTS: bool = true;

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        let (staff_id, id) = ids(desk)?;
        let zone = desk.zone()?;
        let today = zone.at(desk.core().now()).date_naive();
        let asked = desk.visit.query_param("date").and_then(|text| text.parse::<NaiveDate>().ok());
        let date = asked.unwrap_or(today);
        let within = Span::new(day_start(zone, date), day_start(zone, after_date(date)));
        let list = match within {
            Some(within) => hours::time_off(desk.core(), staff_id, within).await?,
            None => Vec::new(),
        };
        let off = list.into_iter().find(|off| off.id == id).ok_or(Error::NotFound("time off"))?;
        let member = punctual_core::staff::get(desk.core(), staff_id).await?;
        let facts = One {
            staff: member.name.as_str().to_owned(),
            when: When::new(off.start.to_utc(), off.end.to_utc(), zone, desk.locale),
            reason: off.reason.as_str().to_owned(),
            back: desk.link("", &[("date", &date.to_string())]),
        };
        desk.page(StatusCode::OK, "desk/away-one.html.j2", "day", None, &facts)
    }

    async fn submit(desk: &Desk, _: Form) -> Result<Response, Problem> {
        let (staff_id, id) = ids(desk)?;
        hours::remove_time_off(desk.core(), &desk.actor(), staff_id, id).await?;
        let date = desk.visit.query_param("date").unwrap_or_default().to_owned();
        Ok(desk.go("", &[("date", &date), ("done", "unblocked")]))
    }
}

fn ids(desk: &Desk) -> Result<(Uuid, Uuid), Problem> {
    let id = |step| desk.visit.step(step).and_then(|text| Uuid::try_parse(text).ok());
    Ok(id(2).zip(id(3)).ok_or(Error::NotFound("time off"))?)
}
