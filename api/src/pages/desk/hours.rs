use chrono::{NaiveDate, Weekday};
use poem::{Response, http::StatusCode};
use punctual_core::{
    Error,
    calendar::{CivilTime, DayWindow, WeeklyWindow, after_date},
    hours, staff,
    types::{ExpectedRev, Rev},
    wording::{long_day, weekday},
};
use serde::Serialize;
use uuid::Uuid;

use super::{Desk, DeskPage, Notice};
use crate::{contract::Operation, http::problem::Problem, pages::form::Form, pages::named};

/// `/desk/hours/{staff}`: the weekly hours of a member of staff.
pub struct Hours;

/// Least number of windows of a day in the form.
const WINDOWS: usize = 3;

#[derive(Serialize)]
struct Facts {
    staff: String,
    id: Uuid,
    rev: i32,
    days: Vec<Day>,
    /// Whether these hours are not set yet: a usual week is proposed.
    proposed: bool,
    /// The date from which the shown week applies; none: it is in force today.
    from: Option<NaiveDate>,
    from_day: Option<String>,
    later: Vec<Later>,
    tomorrow: NaiveDate,
    lang: Option<String>,
}

/// A future week.
#[derive(Serialize)]
struct Later {
    date: NaiveDate,
    day: String,
    href: String,
    current: bool,
}

/// The week that the page shows.
#[derive(Clone, Copy)]
struct ShownWeek {
    id: Uuid,
    from: Option<NaiveDate>,
}

#[derive(Serialize)]
struct Day {
    name: &'static str,
    number: usize,
    windows: Vec<Window>,
    fault: Option<&'static str>,
}

#[derive(Clone, Default, Serialize)]
struct Window {
    from: String,
    to: String,
}

const WEEK: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

impl DeskPage for Hours {
    const OPERATION: &'static Operation = &named("deskHours");
    const PATTERN: &'static str = "/desk/hours/{staff}";
    const POSTS: bool = true;

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        let id = id(desk)?;
        let week = hours::week(desk.core(), id).await?;
        let which = ShownWeek { id, from: desk.visit.query_param("from").and_then(|text| text.parse().ok()) };
        let shown =
            which.from.and_then(|date| week.later.iter().rev().find(|later| later.valid_from <= date));
        let shown = shown.map_or(&week.windows, |later| &later.windows);
        let proposed = week.windows.is_empty() && week.rev == Rev(1);
        let windows = |day: Weekday| {
            let of_day = shown.iter().filter(|weekly| weekly.weekday == day);
            let mut windows: Vec<Window> = of_day.map(|weekly| window(weekly.window)).collect();
            if proposed && !matches!(day, Weekday::Sat | Weekday::Sun) {
                windows.push(Window { from: "09:00".to_owned(), to: "18:00".to_owned() });
            }
            windows
        };
        let days = WEEK.map(|day| (windows(day), None));
        let notice = match desk.visit.query_param("done") {
            Some("saved") => Some(("desk_saved", "status")),
            _ => None,
        };
        render(desk, which, StatusCode::OK, notice, days, week.rev.0, proposed).await
    }

    async fn submit(desk: &Desk, form: Form) -> Result<Response, Problem> {
        let id = id(desk)?;
        let rev = form.value("rev", |text| text.parse().ok().map(Rev))?;
        let date = |name| form.text(name).and_then(|text| text.parse::<NaiveDate>().ok());
        let which = ShownWeek { id, from: date("from") };
        let (actor, expected) = (desk.actor(), ExpectedRev::Exactly(rev));
        if let Some(date) = date("remove") {
            return match hours::remove_week_from(desk.core(), &actor, id, expected, date).await {
                Ok(changed) if !changed.stranded.is_empty() => Ok(desk.go("/stranded", &[])),
                Ok(_) | Err(Error::NotFound("week")) => {
                    Ok(desk.go(&format!("/hours/{id}"), &[("done", "saved")]))
                }
                Err(Error::RevMismatch { .. }) => Ok(desk.go(&format!("/hours/{id}"), &[])),
                Err(error) => Err(error.into()),
            };
        }
        let mut windows = Vec::new();
        let mut days: [(Vec<Window>, Option<&'static str>); 7] = Default::default();
        for (number, weekday) in WEEK.into_iter().enumerate() {
            let sent = |end: &str, place: usize| form.text(&format!("{end}-{number}-{place}"));
            let mut place = 0;
            // As many as were shown: a week set over the API can have more windows.
            while let (Some(from), Some(to)) = (sent("from", place), sent("to", place)) {
                place += 1;
                let [from, to] = [from, to].map(|text| text.trim().chars().take(8).collect::<String>());
                if from.is_empty() && to.is_empty() {
                    continue;
                }
                match read(&from, &to) {
                    Some(window) => windows.push(WeeklyWindow { weekday, window }),
                    None => days[number].1 = Some("desk_fault_window"),
                }
                days[number].0.push(Window { from, to });
            }
        }
        let refused = StatusCode::UNPROCESSABLE_ENTITY;
        if days.iter().any(|(_, fault)| fault.is_some()) {
            let notice = Some(("book_faults", "alert"));
            return render(desk, which, refused, notice, days, rev.0, false).await;
        }
        let put = match which.from {
            None => hours::put_week(desk.core(), &actor, id, expected, windows).await,
            Some(from) => hours::put_week_from(desk.core(), &actor, id, expected, from, windows).await,
        };
        match put {
            Ok(changed) if !changed.stranded.is_empty() => Ok(desk.go("/stranded", &[])),
            // The first steps: a member of staff, their hours, then services.
            Ok(_) if desk.is_admin() && desk.front()?.front.services.is_empty() => {
                Ok(desk.go("/services/new", &[]))
            }
            Ok(_) => Ok(desk.go(&format!("/hours/{id}"), &[("done", "saved")])),
            Err(Error::WindowsOverlap { .. }) => {
                render(desk, which, refused, Some(("desk_fault_overlap", "alert")), days, rev.0, false).await
            }
            Err(Error::Invalid { pointer: "/valid_from", .. }) => {
                let notice = Some(("desk_fault_valid_from", "alert"));
                render(desk, which, refused, notice, days, rev.0, false).await
            }
            Err(Error::RevMismatch { current }) => {
                let notice = Some(("desk_stale_form", "alert"));
                let status = StatusCode::PRECONDITION_FAILED;
                render(desk, which, status, notice, days, current.0, false).await
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn id(desk: &Desk) -> Result<Uuid, Problem> {
    let id = desk.visit.step(2).and_then(|text| Uuid::try_parse(text).ok());
    Ok(id.ok_or(Error::NotFound("staff"))?)
}

fn window(window: DayWindow) -> Window {
    Window { from: window.opens().to_string(), to: window.closes().to_string() }
}

fn read(from: &str, to: &str) -> Option<DayWindow> {
    DayWindow::new(from.parse::<CivilTime>().ok()?, to.parse::<CivilTime>().ok()?).ok()
}

async fn render(
    desk: &Desk,
    which: ShownWeek,
    status: StatusCode,
    notice: Notice,
    days: [(Vec<Window>, Option<&'static str>); 7],
    rev: i32,
    proposed: bool,
) -> Result<Response, Problem> {
    let ShownWeek { id, from } = which;
    let member = staff::get(desk.core(), id).await?;
    let today = desk.zone()?.at(desk.core().now()).date_naive();
    let later = hours::week(desk.core(), id).await?.later.into_iter().map(|week| Later {
        date: week.valid_from,
        day: long_day(week.valid_from, desk.locale),
        href: desk.link(&format!("/hours/{id}"), &[("from", &week.valid_from.to_string())]),
        current: from == Some(week.valid_from),
    });
    let shown = WEEK.into_iter().zip(days).enumerate().map(|(number, (day, (mut windows, fault)))| {
        windows.resize(WINDOWS.max(windows.len()), Window::default());
        Day { name: weekday(day, desk.locale), number, windows, fault }
    });
    let facts = Facts {
        staff: member.name.as_str().to_owned(),
        id,
        rev,
        days: shown.collect(),
        proposed,
        from,
        from_day: from.map(|date| long_day(date, desk.locale)),
        later: later.collect(),
        tomorrow: after_date(today),
        lang: desk.visit.query_param("lang").map(str::to_owned),
    };
    desk.page(status, "desk/hours.html.j2", "settings", notice, &facts)
}
