use chrono::{DateTime, Utc};
use poem::{Response, http::StatusCode};
use punctual_core::{
    Error,
    bookings::{self, Booking, ClassAt, ClassMove, ClassOf},
    wording::When,
};
use serde::Serialize;
use uuid::Uuid;

use super::{Desk, DeskPage, Notice, act::MessageForm, people::Person, reschedule::instant};
use crate::{
    contract::Operation,
    http::problem::Problem,
    pages::{
        form::Form,
        named,
        times::{compact, parse_compact},
    },
};

/// `/desk/class/{service}/{staff}/{start}`: the participants of a class. Forms cancel or move the whole class.
pub struct Class;

#[derive(Serialize)]
struct Facts {
    name: String,
    staff: String,
    when: When,
    back: String,
    participants: Vec<Participant>,
    taken: u32,
    seats: u32,
    /// Whether it starts in the future: then it can be moved and cancelled.
    to_come: bool,
    date: String,
    time: String,
    people: Vec<Person>,
    message: String,
    no_mail: bool,
    fault: Option<&'static str>,
    /// Whether the service is not offered at the new time.
    needs_override: bool,
}

#[derive(Serialize)]
struct Participant {
    href: String,
    name: String,
    phone: Option<String>,
    note: String,
    seats: i32,
    status: &'static str,
}

/// Fields and reason of a refused form.
#[derive(Default)]
struct Refused {
    notice: Notice,
    message_form: MessageForm,
    fault: Option<&'static str>,
    needs_override: bool,
    /// Date, time and member of staff.
    wanted: Option<(String, String, Option<Uuid>)>,
}

impl DeskPage for Class {
    const OPERATION: &'static Operation = &named("deskClass");
    const PATTERN: &'static str = "/desk/class/{service}/{staff}/{start}";
    const POSTS: bool = true;

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        let notice = match desk.visit.query_param("done") {
            Some("move") => Some(("desk_class_moved", "status")),
            _ => None,
        };
        let class = find(desk).await?;
        render(desk, &class, StatusCode::OK, Refused { notice, ..Refused::default() })
    }

    async fn submit(desk: &Desk, form: Form) -> Result<Response, Problem> {
        let class = find(desk).await?;
        let text = |name| form.text(name).unwrap_or_default().chars().take(40).collect::<String>();
        let staff_id = form.text("staff").and_then(|text| Uuid::try_parse(text).ok());
        let moves = form.text("do") == Some("move");
        let message_form = MessageForm::of(&form);
        let wanted = moves.then(|| (text("date"), text("time"), staff_id));
        let refuse = |status, refused| render(desk, &class, status, refused);
        let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
        let Some(message) = message_form.message() else {
            let fault = Some("notice_note_long");
            return refuse(unprocessable, Refused { message_form, fault, wanted, ..Refused::default() });
        };
        let (core, actor) = (desk.core(), desk.actor());
        if !moves {
            bookings::cancel_class(core, &actor, class.at(), message).await?;
            let date = class.start.date_naive().to_string();
            return Ok(desk.go("", &[("date", &date), ("done", "class")]));
        }
        let Some(start) = instant(desk.zone()?, &text("date"), &text("time")) else {
            let notice = Some(("desk_fault_time", "alert"));
            return refuse(unprocessable, Refused { notice, message_form, wanted, ..Refused::default() });
        };
        let overriding = form.text("override").is_some();
        let to = ClassMove { start, staff_id, overriding, message };
        let Err(error) = bookings::move_class(core, &actor, class.at(), to).await else {
            let staff_id = staff_id.unwrap_or(class.staff_id);
            return Ok(desk.go(&path(class.service_id, staff_id, start), &[("done", "move")]));
        };
        let words = match &error {
            Error::SlotTaken { .. } => "desk_taken",
            Error::StartInPast => "desk_past",
            Error::TooSoon | Error::TooFar | Error::OutsideHours | Error::OffGrid => "desk_needs_override",
            Error::InvalidTransition { .. } => "notice_not_possible",
            Error::NotFound("staff") => "desk_not_performed",
            _ => return Err(error.into()),
        };
        let status = Problem::from(error).code.status();
        let (notice, needs_override) = (Some((words, "alert")), words == "desk_needs_override");
        refuse(status, Refused { notice, message_form, needs_override, wanted, fault: None })
    }
}

/// Path of a class, after `/desk`.
fn path(service_id: Uuid, staff_id: Uuid, start: DateTime<Utc>) -> String {
    format!("/class/{service_id}/{staff_id}/{}", compact(start))
}

/// The class of the URL.
async fn find(desk: &Desk) -> Result<ClassOf, Problem> {
    let id = |step| desk.visit.step(step).and_then(|text| Uuid::try_parse(text).ok());
    let start = desk.visit.step(4).and_then(parse_compact);
    let (Some(service_id), Some(staff_id), Some(start)) = (id(2), id(3), start) else {
        return Err(Error::NotFound("class").into());
    };
    let class = ClassAt { service_id, staff_id, start };
    let date = desk.zone()?.at(start).date_naive();
    let classes = bookings::classes(desk.core(), &desk.actor(), (date, date), Some(staff_id)).await?;
    Ok(classes.into_iter().find(|known| known.at() == class).ok_or(Error::NotFound("class"))?)
}

fn render(desk: &Desk, class: &ClassOf, status: StatusCode, refused: Refused) -> Result<Response, Problem> {
    let zone = desk.zone()?;
    let front = &desk.front()?.front;
    let (start, end) = (class.start.to_utc(), class.end.to_utc());
    let Refused { notice, message_form, fault, needs_override, wanted } = refused;
    let (date, time, staff_id) = wanted.unwrap_or_else(|| {
        (class.start.date_naive().to_string(), class.start.format("%H:%M").to_string(), Some(class.staff_id))
    });
    let performs = |id: &Uuid| {
        let service = front.services.iter().find(|service| service.id == class.service_id);
        service.is_some_and(|service| service.spec.staff_ids.contains(id))
    };
    let performers = front.staff.iter().filter(|member| performs(&member.id));
    let facts = Facts {
        name: class.service_name.clone(),
        staff: class.staff_name.clone(),
        when: When::new(start, end, zone, desk.locale),
        back: desk.link("", &[("date", &class.start.date_naive().to_string())]),
        participants: class.participants.iter().map(|booking| participant(desk, booking)).collect(),
        taken: class.seats_taken,
        seats: class.capacity,
        to_come: start > desk.core().now(),
        date,
        time,
        people: performers.map(|member| Person::new(member, staff_id)).collect(),
        message: message_form.message,
        no_mail: message_form.no_mail,
        fault,
        needs_override,
    };
    desk.page(status, "desk/class.html.j2", "day", notice, &facts)
}

fn participant(desk: &Desk, booking: &Booking) -> Participant {
    let customer = booking.customer.as_ref();
    let name = customer.and_then(|customer| customer.name.as_ref());
    Participant {
        href: desk.link(&format!("/b/{}", booking.id), &[]),
        name: name.map(|name| name.as_str().to_owned()).unwrap_or_default(),
        phone: customer.and_then(|customer| Some(customer.phone.as_ref()?.as_str().to_owned())),
        note: booking.customer_note.as_str().trim().to_owned(),
        seats: booking.seats,
        status: booking.status.as_str(),
    }
}
