use chrono::{DateTime, Days, NaiveDate, SecondsFormat, Utc};
use poem::{Response, http::StatusCode};
use punctual_core::{
    Error,
    bookings::{self, Managed},
    slots::{self, SlotQuery},
    types::{ExpectedRev, Rev},
    wording::When,
};
use serde::Serialize;
use uuid::Uuid;

use super::{Appointment, Page, Visit, appointment, holder, html, managed, shown, unchanged};
use crate::{
    contract::Operation,
    http::problem::Problem,
    pages::{form::Form, named, times},
};

/// `/m/{token}/move`
pub struct Move;

/// How many dates are shown at once.
const DAYS: u64 = 7;

#[derive(Serialize)]
struct Facts {
    #[serde(flatten)]
    appointment: Appointment,
    base: String,
    notice: Option<&'static str>,
    requires_confirmation: bool,
    /// The chosen time, to be confirmed; none: choose one.
    chosen: Option<Chosen>,
    /// Bounds of the date field.
    first_date: NaiveDate,
    last_date: NaiveDate,
    date: NaiveDate,
    earlier: Option<NaiveDate>,
    later: Option<NaiveDate>,
    anyone: bool,
    days: Vec<times::Day>,
}

#[derive(Serialize)]
struct Chosen {
    when: When,
    start: String,
    staff_id: Uuid,
}

impl Page for Move {
    const OPERATION: &'static Operation = &named("pageMove");
    const PATTERN: &'static str = "/m/{token}/move";
    const POSTS: bool = true;

    async fn show(visit: Visit) -> Result<Response, Problem> {
        let managed = managed(&visit).await?;
        if !managed.can_move {
            return Ok(html::see_other(&format!("../{}", visit.token)));
        }
        choose(&visit, &managed, StatusCode::OK, None).await
    }

    async fn submit(visit: Visit, form: Form) -> Result<Response, Problem> {
        let managed = managed(&visit).await?;
        let rev = form.value("rev", |text| text.parse().ok().map(Rev))?;
        let start = form.value("start", instant)?;
        let staff_id = form.value("staff", |text| Uuid::try_parse(text).ok())?;
        let to = bookings::Move::to(start, Some(staff_id));
        let (core, id) = (&visit.state.core, managed.booking.id);
        match bookings::reschedule(core, &holder(&managed), id, ExpectedRev::Exactly(rev), to).await {
            Ok(_) => Ok(html::see_other(&format!("../{}?done=moved", visit.token))),
            Err(
                error @ (Error::SlotTaken { .. }
                | Error::StartInPast
                | Error::TooSoon
                | Error::TooFar
                | Error::OutsideHours
                | Error::OffGrid
                | Error::NotFound(_)),
            ) => {
                let status = Problem::from(error).code.status();
                let around = Around { date: Some(managed.booking.zone.at(start).date_naive()), anyone: None };
                list(&visit, &managed, status, Some("notice_taken"), around).await
            }
            Err(error) => unchanged(&visit, error).await,
        }
    }
}

/// Dates and staff to show; the default comes from the URL or the booking.
#[derive(Default)]
struct Around {
    date: Option<NaiveDate>,
    anyone: Option<bool>,
}

/// The time of the URL, or a list of times.
async fn choose(
    visit: &Visit,
    managed: &Managed,
    status: StatusCode,
    notice: Option<&'static str>,
) -> Result<Response, Problem> {
    let start = visit.query_param("start").and_then(instant);
    let staff_id = visit.query_param("staff").and_then(|text| Uuid::try_parse(text).ok());
    let Some((start, staff_id)) = start.zip(staff_id) else {
        return list(visit, managed, status, notice, Around::default()).await;
    };
    // Booking it checks whether it is free.
    let end = start + (managed.booking.end - managed.booking.start);
    let chosen = Chosen {
        when: When::new(start, end, managed.booking.zone, managed.locale),
        start: written(start),
        staff_id,
    };
    let facts = Facts { chosen: Some(chosen), notice, ..facts(visit, managed, &Around::default()) };
    html::show(status, "move.html.j2", managed.locale, &facts, &shown(managed))
}

async fn list(
    visit: &Visit,
    managed: &Managed,
    status: StatusCode,
    notice: Option<&'static str>,
    around: Around,
) -> Result<Response, Problem> {
    let mut facts = Facts { notice, ..facts(visit, managed, &around) };
    let booking = &managed.booking;
    let query = SlotQuery {
        seats: booking.seats.unsigned_abs(),
        service_id: booking.service.id,
        staff_id: (!facts.anyone).then_some(booking.staff.id),
        from: facts.date,
        to: (facts.date + Days::new(DAYS - 1)).min(facts.last_date),
        exclude_booking: Some(booking.id),
    };
    let found = match slots::list(&visit.state.core, &query).await {
        // The member of staff no longer performs it: offers others.
        Err(Error::NotFound(_)) if !facts.anyone => {
            facts.anyone = true;
            slots::list(&visit.state.core, &SlotQuery { staff_id: None, ..query }).await
        }
        found => found,
    };
    let mut list = found?.days;
    // Without the booking's own time.
    let own =
        |slot: &slots::OfferedSlot| slot.start == booking.start && slot.staff_ids.contains(&booking.staff.id);
    for day in &mut list {
        day.slots.retain(|slot| !own(slot));
    }
    let how = times::TimesOptions {
        locale: managed.locale,
        zone: managed.customer_zone.filter(|zone| *zone != booking.zone),
        preferred: Some(booking.staff.id),
        seats: false,
    };
    facts.days = times::days(list, how);
    html::show(status, "move.html.j2", managed.locale, &facts, &shown(managed))
}

fn facts(visit: &Visit, managed: &Managed, around: &Around) -> Facts {
    let (first, last) = (managed.today, managed.last_date.max(managed.today));
    let asked = visit.query_param("date").and_then(|text| text.parse().ok());
    let date = around.date.or(asked).unwrap_or_else(|| managed.booking.start.date_naive()).clamp(first, last);
    let earlier = date.checked_sub_days(Days::new(DAYS)).unwrap_or(first).max(first);
    let later = date.checked_add_days(Days::new(DAYS)).unwrap_or(last);
    Facts {
        appointment: appointment(managed),
        base: format!("../{}", visit.token),
        notice: None,
        requires_confirmation: managed.requires_confirmation,
        chosen: None,
        first_date: first,
        last_date: last,
        date,
        earlier: (date > first).then_some(earlier),
        later: (later <= last).then_some(later),
        anyone: around.anyone.unwrap_or_else(|| visit.query_param("with") == Some("anyone")),
        days: Vec::new(),
    }
}

fn instant(text: &str) -> Option<DateTime<Utc>> {
    let written = || DateTime::parse_from_rfc3339(text).ok().map(|instant| instant.to_utc());
    times::parse_compact(text).or_else(written)
}

/// An instant for URLs and forms, without characters that need escaping.
fn written(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Secs, true)
}
