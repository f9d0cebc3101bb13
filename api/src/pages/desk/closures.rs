use chrono::{Datelike, Days, NaiveDate};
use poem::{Response, http::StatusCode};
use punctual_core::{
    Error,
    calendar::CivilTime,
    hours::{self, Closure, HOLIDAY_COUNTRIES, PublicHoliday, public_holidays},
    types::Reason,
    wording::long_day,
};
use serde::Serialize;

use super::{Desk, DeskPage, Notice, fields::Fields};
use crate::{contract::Operation, http::problem::Problem, pages::form::Form, pages::named};

/// `/desk/closures`: dates on which the whole business is closed, and the public holidays to choose from.
pub struct Closures;

/// How many days ahead are listed.
const DAYS: u64 = 730;

/// Fields of the form.
const NAMES: [&str; 5] = ["date", "last", "start", "end", "reason"];

#[derive(Serialize)]
struct Facts {
    #[serde(flatten)]
    fields: Fields,
    closures: Vec<One>,
    holidays: Option<Holidays>,
    today: NaiveDate,
    lang: Option<String>,
}

#[derive(Serialize)]
struct One {
    date: NaiveDate,
    day: String,
    /// `13:00–18:00`, where it is a part of the day.
    hours: Option<String>,
    reason: String,
}

/// Public holidays that are not closed yet, to choose from.
#[derive(Serialize)]
struct Holidays {
    regions: Vec<Region>,
    year: i32,
    years: [i32; 3],
    days: Vec<Holiday>,
}

#[derive(Serialize)]
struct Region {
    code: &'static str,
    name: &'static str,
    current: bool,
}

#[derive(Serialize)]
struct Holiday {
    date: NaiveDate,
    day: String,
    name: &'static str,
}

impl DeskPage for Closures {
    const OPERATION: &'static Operation = &named("deskClosures");
    const PATTERN: &'static str = "/desk/closures";
    const POSTS: bool = true;
    const ADMIN: bool = true;

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        let notice = match desk.visit.query_param("done") {
            Some("saved") => Some(("desk_saved", "status")),
            _ => None,
        };
        render(desk, StatusCode::OK, notice, Fields::with(NAMES.map(|name| (name, String::new())))).await
    }

    async fn submit(desk: &Desk, form: Form) -> Result<Response, Problem> {
        if let Some(date) = form.text("remove").and_then(|text| text.parse::<NaiveDate>().ok()) {
            return match hours::reopen(desk.core(), date).await {
                // Somebody else has removed it.
                Ok(()) | Err(Error::NotFound(_)) => Ok(desk.go("/closures", &[("done", "saved")])),
                Err(error) => Err(error.into()),
            };
        }
        let chosen = chosen_holidays(desk, &form);
        let closures = if chosen.is_empty() {
            let mut fields = Fields::of(&form, &NAMES);
            let Some(closures) = parse(&mut fields) else {
                let (status, notice) = (StatusCode::UNPROCESSABLE_ENTITY, Some(("book_faults", "alert")));
                return render(desk, status, notice, fields).await;
            };
            closures
        } else {
            chosen
        };
        match hours::close_all(desk.core(), closures).await {
            Ok(changed) if changed.stranded.is_empty() => Ok(desk.go("/closures", &[("done", "saved")])),
            Ok(_) => Ok(desk.go("/stranded", &[])),
            Err(Error::Invalid { pointer, .. }) => {
                let mut fields = Fields::of(&form, &NAMES);
                let field = if pointer == "/end" { "end" } else { "last" };
                fields.fault(field, if pointer == "/end" { "desk_fault_window" } else { "desk_fault_last" });
                let (status, notice) = (StatusCode::UNPROCESSABLE_ENTITY, Some(("book_faults", "alert")));
                render(desk, status, notice, fields).await
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// The dates of the form, one closure for each.
fn parse(fields: &mut Fields) -> Option<Vec<Closure>> {
    let date = fields.parse("date", "desk_fault_date", str::parse::<NaiveDate>);
    let last = fields.parse_optional("last", "desk_fault_date", str::parse::<NaiveDate>);
    let start = fields.parse_optional("start", "desk_fault_time", str::parse::<CivilTime>);
    let end = fields.parse_optional("end", "desk_fault_time", str::parse::<CivilTime>);
    let reason = Reason::parse(fields.text("reason"));
    if reason.is_err() {
        fields.fault("reason", "desk_fault_reason");
    }
    let (date, reason) = (date?, reason.ok()?);
    let last = last?.unwrap_or(date);
    if last < date {
        fields.fault("last", "desk_fault_last");
        return None;
    }
    let hours = match (start?, end?) {
        (None, None) => None,
        (start, end) => Some((start.unwrap_or(CivilTime::MIDNIGHT), end.unwrap_or(CivilTime::END_OF_DAY))),
    };
    // One more than are taken is refused by core.
    let dates = date.iter_days().take_while(|date| *date <= last).take(hours::MAX_CLOSURES + 1);
    Some(dates.map(|date| Closure { date, hours, reason: reason.clone() }).collect())
}

/// The public holidays that were ticked, with their names as reasons.
fn chosen_holidays(desk: &Desk, form: &Form) -> Vec<Closure> {
    let country = desk.business().ok().and_then(|business| business.country);
    let region = form.text("region").filter(|region| !region.is_empty());
    let dates = form.all("holiday").filter_map(|text| text.parse::<NaiveDate>().ok());
    let closure = |date: NaiveDate| {
        let all = public_holidays(country?.code(), region, date.year())?;
        let holiday = all.into_iter().find(|holiday| holiday.date == date)?;
        let reason = Reason::parse(holiday.name(desk.locale)).unwrap_or_default();
        Some(Closure::of_day(date, reason))
    };
    dates.filter_map(closure).collect()
}

async fn render(
    desk: &Desk,
    status: StatusCode,
    notice: Notice,
    fields: Fields,
) -> Result<Response, Problem> {
    let today = desk.zone()?.at(desk.core().now()).date_naive();
    let list = hours::closures(desk.core(), today, today + Days::new(DAYS)).await?;
    let holidays = holidays(desk, today, &list)?;
    let closures = list.into_iter().map(|closure| One {
        date: closure.date,
        day: long_day(closure.date, desk.locale),
        hours: closure.hours.map(|(from, to)| format!("{from}–{to}")),
        reason: closure.reason.as_str().to_owned(),
    });
    let lang = desk.visit.query_param("lang").map(str::to_owned);
    let facts = Facts { fields, closures: closures.collect(), holidays, today, lang };
    desk.page(status, "desk/closures.html.j2", "settings", notice, &facts)
}

/// The public holidays of the business's country in the year that the address names; none where they are not known.
fn holidays(desk: &Desk, today: NaiveDate, closed: &[Closure]) -> Result<Option<Holidays>, Problem> {
    let Some(country) = desk.business()?.country else { return Ok(None) };
    let Some(known) = HOLIDAY_COUNTRIES.iter().find(|known| known.code == country.code()) else {
        return Ok(None);
    };
    let asked = desk.visit.query_param("region");
    let region = known.regions.iter().map(|(code, _)| *code).find(|code| Some(*code) == asked);
    let year = desk.visit.query_param("year").and_then(|text| text.parse().ok()).unwrap_or(today.year());
    let all = public_holidays(known.code, region, year).unwrap_or_default();
    let open = |holiday: &PublicHoliday| {
        holiday.date >= today && !closed.iter().any(|closure| closure.date == holiday.date)
    };
    let days = all.into_iter().filter(open).map(|holiday| Holiday {
        date: holiday.date,
        day: long_day(holiday.date, desk.locale),
        name: holiday.name(desk.locale),
    });
    let regions =
        known.regions.iter().map(|&(code, name)| Region { code, name, current: region == Some(code) });
    let years = [today.year(), today.year() + 1, today.year() + 2];
    Ok(Some(Holidays { regions: regions.collect(), year, years, days: days.collect() }))
}
