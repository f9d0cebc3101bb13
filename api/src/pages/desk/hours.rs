use chrono::Weekday;
use poem::{Response, http::StatusCode};
use punctual_core::{
    Error,
    calendar::{CivilTime, DayWindow, WeeklyWindow},
    hours, staff,
    types::{ExpectedRev, Rev},
    wording::weekday,
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
        let proposed = week.windows.is_empty() && week.rev == Rev(1);
        let windows = |day: Weekday| {
            let of_day = week.windows.iter().filter(|weekly| weekly.weekday == day);
            let mut windows: Vec<Window> = of_day.map(|weekly| window(weekly.window)).collect();
            if proposed && !matches!(day, Weekday::Sat | Weekday::Sun) {
                windows.push(Window { from: "09:00".to_owned(), to: "18:00".to_owned() });
            }
            windows
        };
        let days = WEEK.map(|day| (windows(day), None));
        let notice = match desk.visit.asked("done") {
            Some("saved") => Some(("desk_saved", "status")),
            _ => None,
        };
        render(desk, id, StatusCode::OK, notice, days, week.rev.0, proposed).await
    }

    async fn submit(desk: &Desk, form: Form) -> Result<Response, Problem> {
        let id = id(desk)?;
        let rev = form.value("rev", |text| text.parse().ok().map(Rev))?;
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
            return render(desk, id, refused, notice, days, rev.0, false).await;
        }
        let expected = ExpectedRev::Exactly(rev);
        match hours::put_week(desk.core(), &desk.actor(), id, expected, windows).await {
            Ok(changed) if !changed.stranded.is_empty() => Ok(desk.go("/stranded", &[])),
            // The first steps: a member of staff, their hours, then services.
            Ok(_) if desk.is_admin() && desk.front()?.front.services.is_empty() => {
                Ok(desk.go("/services/new", &[]))
            }
            Ok(_) => Ok(desk.go(&format!("/hours/{id}"), &[("done", "saved")])),
            Err(Error::WindowsOverlap { .. }) => {
                render(desk, id, refused, Some(("desk_fault_overlap", "alert")), days, rev.0, false).await
            }
            Err(Error::RevMismatch { current }) => {
                let notice = Some(("desk_stale_form", "alert"));
                let status = StatusCode::PRECONDITION_FAILED;
                render(desk, id, status, notice, days, current.0, false).await
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
    id: Uuid,
    status: StatusCode,
    notice: Notice,
    days: [(Vec<Window>, Option<&'static str>); 7],
    rev: i32,
    proposed: bool,
) -> Result<Response, Problem> {
    let member = staff::get(desk.core(), id).await?;
    let shown = WEEK.into_iter().zip(days).enumerate().map(|(number, (day, (mut windows, fault)))| {
        windows.resize(WINDOWS.max(windows.len()), Window::default());
        Day { name: weekday(day, desk.locale), number, windows, fault }
    });
    let facts = Facts { staff: member.name.as_str().to_owned(), id, rev, days: shown.collect(), proposed };
    desk.page(status, "desk/hours.html.j2", "settings", notice, &facts)
}
