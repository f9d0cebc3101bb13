//! The board of a day or a week: columns beside an axis of hours; on a phone, lists.

use chrono::{DateTime, NaiveDate, Utc};
use poem::{Response, http::StatusCode};
use punctual_core::{agenda::Agenda, bookings::BookingStatus, types::Zone};
use serde::Serialize;

use super::{
    Desk,
    columns::{Column, DayOf, Extent, Offered, Scale, extent, snaps},
    look::ROW_MIN,
};
use crate::http::problem::Problem;

/// The page of a board.
#[derive(Serialize)]
pub struct Facts {
    pub title: String,
    /// Why the business is closed, if it is.
    pub closures: Vec<String>,
    pub columns: Vec<Column>,
    hours: Vec<Hour>,
    /// First and last minute of the axis, on the clock.
    first: u32,
    last: u32,
    /// Minutes of a row.
    row_min: u32,
    /// Bookings that wait for a decision.
    pub pending: Vec<Pending>,
    pub earlier: String,
    pub later: String,
    pub today: Option<String>,
    /// Value of the date field.
    pub date: NaiveDate,
    /// Target of the date field.
    pub action: String,
    /// Links to other views, with their labels and whether it is the current one.
    pub views: Vec<View>,
    /// The board's accessible name.
    pub label: &'static str,
    /// The language that the date field keeps.
    pub lang: Option<String>,
}

#[derive(Serialize)]
struct Hour {
    label: String,
    row: u32,
    rows: u32,
}

#[derive(Serialize)]
pub struct View {
    pub href: String,
    pub name: String,
    pub current: bool,
}

#[derive(Serialize)]
pub struct Pending {
    href: String,
    title: String,
}

/// Content and links of a board.
pub struct BoardContent {
    pub title: String,
    pub columns: Vec<Column>,
    pub extent: Extent,
    pub earlier: String,
    pub later: String,
    pub today: Option<String>,
    pub date: NaiveDate,
    pub action: String,
    pub views: Vec<View>,
    pub label: &'static str,
}

/// Renders the page.
///
/// # Errors
/// `internal_error` if the template fails.
pub fn page(desk: &Desk, agenda: &Agenda, shown: BoardContent) -> Result<Response, Problem> {
    let BoardContent { title, columns, extent, earlier, later, today, date, action, views, label } = shown;
    let hours = (extent.first / 60..extent.last / 60).map(|hour| Hour {
        label: format!("{hour:02}:00"),
        row: (hour * 60 - extent.first) / ROW_MIN,
        rows: 60 / ROW_MIN,
    });
    let facts = Facts {
        title,
        closures: agenda.closures.iter().map(|closure| closure.reason.as_str().to_owned()).collect(),
        columns,
        hours: hours.collect(),
        first: extent.first,
        last: extent.last,
        row_min: ROW_MIN,
        pending: pending(desk, agenda),
        earlier,
        later,
        today,
        date,
        action,
        views,
        label,
        lang: desk.visit.query_param("lang").map(str::to_owned),
    };
    let notice = match desk.visit.query_param("done") {
        Some("away") => Some(("desk_done_away", "status")),
        Some("class") => Some(("desk_class_called_off_done", "status")),
        Some("unblocked") => Some(("desk_done_unblocked", "status")),
        _ => None,
    };
    desk.page(StatusCode::OK, "desk/board.html.j2", "day", notice, &facts)
}

fn pending(desk: &Desk, agenda: &Agenda) -> Vec<Pending> {
    let all = agenda.staff.iter().flat_map(|of| &of.bookings);
    let open = all.filter(|booking| booking.status == BookingStatus::Pending);
    let pending = open.map(|booking| {
        let name = booking.customer.as_ref().and_then(|customer| customer.name.as_ref());
        let name = name.map_or("", |name| name.as_str());
        Pending {
            href: desk.link(&format!("/b/{}", booking.id), &[]),
            title: format!("{} {name}, {}", booking.start.format("%H:%M"), booking.what()),
        }
    });
    pending.collect()
}

/// The services in the order of their colours.
///
/// # Errors
/// `not_found` before the business is set up.
pub fn services(desk: &Desk) -> Result<Vec<Offered>, Problem> {
    let services = desk.front()?.front.services.iter();
    let offered = services.map(|service| Offered {
        id: service.id,
        name: service.spec.name.as_str().to_owned(),
        seats: service.spec.capacity,
        step_min: service.spec.slot_step_min,
    });
    Ok(offered.collect())
}

/// The days with the scale that suits all of them.
pub fn with_scale<'a>(days: impl Iterator<Item = DayOf<'a>>) -> (Vec<DayOf<'a>>, Scale) {
    let days: Vec<DayOf<'a>> = days.collect();
    let minutes: Vec<(u32, u32)> = days.iter().flat_map(DayOf::shown).collect();
    let openings: Vec<u32> = days.iter().flat_map(DayOf::openings).collect();
    (days, Scale { extent: extent(&minutes), snaps: snaps(&openings) })
}

/// The date of the URL, else today.
pub fn requested_date(desk: &Desk, zone: Zone, now: DateTime<Utc>) -> NaiveDate {
    let today = zone.at(now).date_naive();
    let asked = desk.visit.query_param("date").and_then(|text| text.parse::<NaiveDate>().ok());
    // Distant dates are typing errors, and beyond the calendar's range.
    asked.filter(|date| (*date - today).num_days().abs() < 40_000).unwrap_or(today)
}
