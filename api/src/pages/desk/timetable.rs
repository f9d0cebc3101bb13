use chrono::{DateTime, NaiveDate, Utc, Weekday};
use poem::{Response, http::StatusCode};
use punctual_core::{
    Error,
    calendar::CivilTime,
    services::{self, ClassWindow, Service, ServiceTimetable, SingleClass},
    staff::StaffMember,
    types::{ExpectedRev, Rev},
    wording::{When, weekday},
};
use serde::Serialize;
use uuid::Uuid;

use super::{Desk, DeskPage, Notice, fields::Fields, people::Person};
use crate::{contract::Operation, http::problem::Problem, pages::form::Form, pages::named};

/// `/desk/services/{id}/timetable`: when a service, such as a class, takes place each week.
pub struct Timetable;

const WEEK: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

const NAMES: [&str; 5] = ["weekday", "start", "staff", "valid_from", "valid_until"];

#[derive(Serialize)]
struct Facts {
    #[serde(flatten)]
    fields: Fields,
    service: String,
    id: Uuid,
    rev: i32,
    windows: Vec<Window>,
    dates: Vec<Single>,
    days: Vec<Day>,
    people: Vec<Person>,
}

#[derive(Serialize)]
struct Window {
    day: &'static str,
    start: String,
    staff: String,
    from: NaiveDate,
    until: Option<NaiveDate>,
    /// Its place in the list.
    place: usize,
}

#[derive(Serialize)]
struct Single {
    when: String,
    staff: String,
    takes_place: bool,
    place: usize,
}

#[derive(Serialize)]
struct Day {
    number: usize,
    name: &'static str,
    current: bool,
}

impl DeskPage for Timetable {
    const OPERATION: &'static Operation = &named("deskTimetable");
    const PATTERN: &'static str = "/desk/services/{id}/timetable";
    const POSTS: bool = true;
    const ADMIN: bool = true;

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        let service = find(desk).await?;
        let notice = match desk.visit.query_param("done") {
            Some("saved") => Some(("desk_saved", "status")),
            _ => None,
        };
        let today = desk.zone()?.at(desk.core().now()).date_naive().to_string();
        let fields = Fields::with(NAMES.map(|name| match name {
            "valid_from" => (name, today.clone()),
            name => (name, String::new()),
        }));
        render(desk, &service, StatusCode::OK, notice, fields).await
    }

    async fn submit(desk: &Desk, form: Form) -> Result<Response, Problem> {
        let service = find(desk).await?;
        let rev = form.value("rev", |text| text.parse().ok().map(Rev))?;
        let ServiceTimetable { mut windows, mut dates, rev: current } =
            services::timetable(desk.core(), service.id).await?;
        let mut fields = Fields::of(&form, &NAMES);
        if rev != current {
            let notice = Some(("desk_stale_form", "alert"));
            return render(desk, &service, StatusCode::PRECONDITION_FAILED, notice, fields).await;
        }
        let place = |name| form.text(name).and_then(|text| text.parse::<usize>().ok());
        if let Some(place) = place("remove") {
            windows = without(windows, place);
        } else if let Some(place) = place("remove_date") {
            dates = without(dates, place);
        } else {
            let Some(window) = parse(&mut fields) else {
                let notice = Some(("book_faults", "alert"));
                return render(desk, &service, StatusCode::UNPROCESSABLE_ENTITY, notice, fields).await;
            };
            windows.push(window);
        }
        let expected = ExpectedRev::Exactly(rev);
        match services::put_timetable(desk.core(), service.id, expected, windows, dates).await {
            Ok(changed) if !changed.stranded.is_empty() => Ok(desk.go("/stranded", &[])),
            Ok(_) => Ok(desk.go(&format!("/services/{}/timetable", service.id), &[("done", "saved")])),
            Err(Error::RevMismatch { .. }) => {
                let notice = Some(("desk_stale_form", "alert"));
                render(desk, &service, StatusCode::PRECONDITION_FAILED, notice, fields).await
            }
            Err(Error::Invalid { error, .. }) => {
                let words = match error.code {
                    "duplicate" => "desk_fault_twice",
                    "not_performed" => "desk_not_performed",
                    _ => "desk_fault_window",
                };
                let notice = Some((words, "alert"));
                render(desk, &service, StatusCode::UNPROCESSABLE_ENTITY, notice, fields).await
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn without<T>(list: Vec<T>, place: usize) -> Vec<T> {
    list.into_iter().enumerate().filter(|(at, _)| *at != place).map(|(_, item)| item).collect()
}

fn parse(fields: &mut Fields) -> Option<ClassWindow> {
    let number =
        |text: &str| text.parse::<usize>().ok().and_then(|number| WEEK.get(number)).copied().ok_or(());
    let weekday = fields.parse("weekday", "desk_fault_window", number);
    let start = fields.parse("start", "desk_fault_time", str::parse::<CivilTime>);
    let staff_id = fields.parse("staff", "fault_required", Uuid::try_parse);
    let valid_from = fields.parse("valid_from", "desk_fault_date", str::parse::<NaiveDate>);
    let valid_until = fields.parse_optional("valid_until", "desk_fault_date", str::parse::<NaiveDate>);
    Some(ClassWindow {
        weekday: weekday?,
        start: start?,
        staff_id: staff_id?,
        valid_from: valid_from?,
        valid_until: valid_until?,
    })
}

async fn find(desk: &Desk) -> Result<Service, Problem> {
    let id = desk.visit.step(2).and_then(|text| Uuid::try_parse(text).ok());
    Ok(services::get(desk.core(), id.ok_or(Error::NotFound("service"))?).await?)
}

async fn render(
    desk: &Desk,
    service: &Service,
    status: StatusCode,
    notice: Notice,
    fields: Fields,
) -> Result<Response, Problem> {
    let timetable = services::timetable(desk.core(), service.id).await?;
    let zone = desk.zone()?;
    let staff: &[StaffMember] = &desk.front()?.front.staff;
    let name = |id: Uuid| {
        let member = staff.iter().find(|member| member.id == id);
        member.map(|member| member.name.as_str().to_owned()).unwrap_or_default()
    };
    let window = |(place, window): (usize, &ClassWindow)| Window {
        day: weekday(window.weekday, desk.locale),
        start: window.start.to_string(),
        staff: name(window.staff_id),
        from: window.valid_from,
        until: window.valid_until,
        place,
    };
    let at = |start: DateTime<Utc>| When::new(start, start, zone, desk.locale).short;
    let single = |(place, date): (usize, &SingleClass)| Single {
        when: at(date.start.to_utc()),
        staff: name(date.staff_id),
        takes_place: date.takes_place,
        place,
    };
    let chosen = fields.text("weekday").parse().ok();
    let days = WEEK.into_iter().enumerate().map(|(number, day)| Day {
        number,
        name: weekday(day, desk.locale),
        current: chosen == Some(number),
    });
    let performers = staff.iter().filter(|member| service.spec.staff_ids.contains(&member.id));
    let with = Uuid::try_parse(fields.text("staff")).ok();
    let facts = Facts {
        service: service.spec.text(desk.locale).name.as_str().to_owned(),
        id: service.id,
        rev: timetable.rev.0,
        windows: timetable.windows.iter().enumerate().map(window).collect(),
        dates: timetable.dates.iter().enumerate().map(single).collect(),
        days: days.collect(),
        people: performers.map(|member| Person::new(member, with)).collect(),
        fields,
    };
    desk.page(status, "desk/timetable.html.j2", "settings", notice, &facts)
}
