use chrono::{Datelike, Days, NaiveDate};
use poem::Response;
use punctual_core::{
    Error,
    agenda::{self, AgendaQuery, StaffAgenda},
    pool::again_if_cut,
    types::Locale,
    wording::weekday,
};
use uuid::Uuid;

use super::{
    Desk, DeskPage, board,
    columns::{Column, DayOf},
};
use crate::{contract::Operation, http::problem::Problem, pages::named};

/// `/desk/week/{staff}`: a week of one member of staff.
pub struct Week;

const DAYS: u64 = 7;

impl DeskPage for Week {
    const OPERATION: &'static Operation = &named("deskWeek");
    const PATTERN: &'static str = "/desk/week/{staff}";

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        let id = desk.visit.step(2).and_then(|text| Uuid::try_parse(text).ok());
        let id = id.ok_or(Error::NotFound("staff"))?;
        let (zone, now) = (desk.zone()?, desk.core().now());
        let date = board::requested_date(desk, zone, now);
        let monday = date - Days::new(u64::from(date.weekday().num_days_from_monday()));
        let sunday = monday + Days::new(DAYS - 1);
        let query = AgendaQuery { from: monday, to: sunday, staff_id: Some(id) };
        let actor = desk.actor();
        let agenda = again_if_cut(|| agenda::read(desk.core(), &actor, query)).await?;
        let of: &StaffAgenda = agenda.staff.first().ok_or(Error::NotFound("staff"))?;
        let services = board::services(desk)?;
        let link = |path: &str, more: &[(&str, &str)]| desk.link(path, more);
        let dates = monday.iter_days().take_while(|date| *date <= sunday);
        let days =
            dates.map(|date| DayOf { agenda: of, date, zone, now, actor, services: &services, link: &link });
        let (days, scale) = board::with_scale(days);
        let today = zone.at(now).date_naive();
        let columns = days.iter().map(|day| {
            let (items, count) = day.items(&scale);
            let closed = agenda.closures.iter().find(|closure| closure.date == day.date);
            Column {
                title: short_day(day.date, desk.locale),
                href: desk.link("", &[("date", &day.date.to_string())]),
                note: closed.map(|closure| closure.reason.as_str().to_owned()),
                current: day.date == today,
                count,
                staff_id: of.member.active.then_some(id),
                date: day.date,
                items,
            }
        });
        let path = format!("/week/{id}");
        let at = |date: NaiveDate| desk.link(&path, &[("date", &date.to_string())]);
        let staff = desk.front()?.front.staff.iter().map(|member| board::View {
            href: desk.link(&format!("/week/{}", member.id), &[("date", &monday.to_string())]),
            name: member.name.as_str().to_owned(),
            current: member.id == id,
        });
        let columns: Vec<Column> = columns.collect();
        let shown = board::BoardContent {
            title: format!("{}, {}", of.member.name.as_str(), span(monday, sunday, desk.locale)),
            columns,
            extent: scale.extent,
            earlier: at(monday - Days::new(DAYS)),
            later: at(monday + Days::new(DAYS)),
            today: (!(monday..=sunday).contains(&today)).then(|| desk.link(&path, &[])),
            date: monday,
            action: format!("{}desk{path}", desk.visit.root()),
            views: staff.collect(),
            label: "desk_week",
        };
        board::page(desk, &agenda, shown)
    }
}

/// `Tue 4.5.`, `Tue 4 May`
fn short_day(date: NaiveDate, locale: Locale) -> String {
    let name: String =
        weekday(date.weekday(), locale).chars().take(if locale == Locale::De { 2 } else { 3 }).collect();
    match locale {
        Locale::En => format!("{name} {}", date.format("%-d %b")),
        Locale::De => format!("{name} {}", date.format("%-d.%-m.")),
    }
}

/// `3 May – 9 May 2027`
fn span(first: NaiveDate, last: NaiveDate, locale: Locale) -> String {
    match locale {
        Locale::En => format!("{} – {}", first.format("%-d %b"), last.format("%-d %b %Y")),
        Locale::De => format!("{} – {}", first.format("%-d.%-m."), last.format("%-d.%-m.%Y")),
    }
}
