use chrono::Days;
use poem::Response;
use punctual_core::{
    agenda::{self, AgendaQuery},
    pool::again_if_cut,
    wording::long_day,
};

use super::{
    Desk, DeskPage, board,
    columns::{Column, DayOf},
};
use crate::{contract::Operation, http::problem::Problem, pages::named};

/// `/desk`: a day of all staff.
pub struct Day;

impl DeskPage for Day {
    const OPERATION: &'static Operation = &named("deskDay");
    const PATTERN: &'static str = "/desk";

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        let (zone, now) = (desk.zone()?, desk.core().now());
        let date = board::requested_date(desk, zone, now);
        let query = AgendaQuery { from: date, to: date, staff_id: None };
        let actor = desk.actor();
        let agenda = again_if_cut(|| agenda::read(desk.core(), &actor, query)).await?;
        let services = board::services(desk)?;
        let link = |path: &str, more: &[(&str, &str)]| desk.link(path, more);
        let of = agenda.staff.iter().map(|agenda| DayOf {
            agenda,
            date,
            zone,
            now,
            actor,
            services: &services,
            link: &link,
        });
        let (days, scale) = board::with_scale(of);
        let text = date.to_string();
        let columns = days.iter().map(|day| {
            let (items, count) = day.items(&scale);
            let member = &day.agenda.member;
            Column {
                title: member.name.as_str().to_owned(),
                href: desk.link(&format!("/week/{}", member.id), &[("date", &text)]),
                note: None,
                current: member.user_id == Some(desk.user.id),
                count,
                staff_id: member.active.then_some(member.id),
                date,
                items,
            }
        });
        let at = |days: i64| {
            let date = if days < 0 { date - Days::new(1) } else { date + Days::new(1) };
            desk.link("", &[("date", &date.to_string())])
        };
        let today = zone.at(now).date_naive();
        let shown = board::BoardContent {
            title: long_day(date, desk.locale),
            columns: columns.collect(),
            extent: scale.extent,
            earlier: at(-1),
            later: at(1),
            today: (date != today).then(|| desk.link("", &[])),
            date,
            action: format!("{}desk", desk.visit.root()),
            views: Vec::new(),
            label: "desk_day",
        };
        board::page(desk, &agenda, shown)
    }
}
