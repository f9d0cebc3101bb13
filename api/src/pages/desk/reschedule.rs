use chrono::{DateTime, Days, NaiveDate, Utc};
use poem::{Response, http::StatusCode};
use punctual_core::{
    Alternative, Error,
    bookings::{self, Booking},
    calendar::{CivilTime, Limits, local_to_instants, out_of_reach},
    slots::{self, SlotQuery},
    types::{ExpectedRev, Position, Rev, Zone},
    wording::When,
};
use serde::Serialize;
use uuid::Uuid;

use super::{
    Desk, DeskPage, Notice,
    act::MessageForm,
    booking::{self, BookingView},
    people::Person,
};
use crate::{
    contract::Operation,
    http::problem::Problem,
    pages::{
        form::Form,
        named,
        times::{self, compact, parse_compact},
    },
};

/// `/desk/b/{id}/move`: to a free time, or to any other on purpose.
pub struct Move;

/// How many dates are shown at once.
const DAYS: u64 = 7;

#[derive(Serialize)]
struct Facts {
    #[serde(flatten)]
    booking: BookingView,
    chosen: Option<Chosen>,
    message: String,
    no_mail: bool,
    fault: Option<&'static str>,
    date: NaiveDate,
    time: String,
    staff_id: Uuid,
    anyone: bool,
    earlier: Option<NaiveDate>,
    later: NaiveDate,
    days: Vec<times::Day>,
    people: Vec<Person>,
    alternatives: Vec<Link>,
    lang: Option<String>,
}

#[derive(Serialize)]
struct Chosen {
    when: When,
    /// None: unknown or former staff.
    with: Option<String>,
    start: String,
    staff_id: Uuid,
    /// Whether it is outside of the hours or usual starts, or earlier today: such a time needs an explicit override.
    needs_override: bool,
    passed: bool,
    overriding: bool,
}

#[derive(Serialize)]
struct Link {
    href: String,
    label: String,
}

/// The time of the URL or of a form.
struct RequestedTime {
    start: DateTime<Utc>,
    staff_id: Uuid,
    needs_override: bool,
    overriding: bool,
}

/// Why the page is shown again.
#[derive(Default)]
struct Refused {
    notice: Notice,
    seen: Option<Rev>,
    fault: Option<&'static str>,
    alternatives: Vec<Alternative>,
}

impl Refused {
    fn of(words: &'static str, error: &Error) -> Self {
        let alternatives = match error {
            Error::SlotTaken { alternatives, .. } => alternatives.clone(),
            _ => Vec::new(),
        };
        Self { notice: Some((words, "alert")), alternatives, ..Self::default() }
    }
}

/// The words for a refusal of this start that the form shows.
fn refusal(desk: &Desk, start: DateTime<Utc>, error: &Error) -> Result<Option<&'static str>, Problem> {
    let earlier_today = out_of_reach(desk.zone()?, start, desk.core().now(), Limits::Overridden).is_none();
    Ok(match error {
        Error::RevMismatch { .. } => Some("desk_stale"),
        Error::SlotTaken { .. } => Some("desk_taken"),
        Error::StartInPast if earlier_today => Some("desk_past_today"),
        Error::StartInPast => Some("desk_past"),
        Error::TooSoon | Error::TooFar | Error::OutsideHours | Error::OffGrid => Some("desk_needs_override"),
        Error::NotFound(_) | Error::Invalid { .. } => Some("desk_not_performed"),
        _ => None,
    })
}

impl DeskPage for Move {
    const OPERATION: &'static Operation = &named("deskMove");
    const PATTERN: &'static str = "/desk/b/{id}/move";
    const POSTS: bool = true;

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        let booking = bookings::get(desk.core(), &desk.actor(), booking::id(desk)?).await?;
        let asked = |name| desk.visit.query_param(name);
        let staff_id = asked("staff").and_then(|text| Uuid::try_parse(text).ok());
        let start = asked("start").and_then(parse_compact);
        let typed = asked("time").and_then(|time| typed(&booking, asked("date")?, time));
        // Of the calendar that it was dragged in.
        let seen = asked("rev").and_then(|text| text.parse().ok().map(Rev));
        let mut refused = Refused { seen, ..Refused::default() };
        if asked("time").is_some_and(|text| !text.is_empty()) && typed.is_none() {
            refused.fault = Some("desk_fault_time");
        }
        let staff_id = staff_id.unwrap_or(booking.staff.id);
        let mut requested = start.or(typed).map(|start| RequestedTime {
            start,
            staff_id,
            needs_override: false,
            overriding: false,
        });
        if let Some(typed) = requested.as_mut().filter(|_| start.is_none()) {
            let to = Position { start: typed.start, staff_id };
            if let Err(error) = bookings::check_place(desk.core(), &booking, to).await {
                match refusal(desk, typed.start, &error)? {
                    Some("desk_needs_override" | "desk_past_today") => typed.needs_override = true,
                    Some(words) => refused = Refused { seen, ..Refused::of(words, &error) },
                    None => return Err(error.into()),
                }
            }
        }
        render(desk, &booking, StatusCode::OK, requested, &MessageForm::default(), refused).await
    }

    async fn submit(desk: &Desk, form: Form) -> Result<Response, Problem> {
        let (core, actor, id) = (desk.core(), desk.actor(), booking::id(desk)?);
        let rev = form.value("rev", |text| text.parse().ok().map(Rev))?;
        let requested = RequestedTime {
            start: form.value("start", parse_compact)?,
            staff_id: form.value("staff", |text| Uuid::try_parse(text).ok())?,
            needs_override: form.text("needs_override").is_some(),
            overriding: form.text("override").is_some(),
        };
        let message_form = MessageForm::of(&form);
        let booking = bookings::get(core, &actor, id).await?;
        let Some(message) = message_form.message() else {
            let refused = Refused { fault: Some("notice_note_long"), ..Refused::default() };
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return render(desk, &booking, status, Some(requested), &message_form, refused).await;
        };
        let to = bookings::Move {
            overriding: requested.overriding,
            message,
            ..bookings::Move::to(requested.start, Some(requested.staff_id))
        };
        let Err(error) = bookings::reschedule(core, &actor, id, ExpectedRev::Exactly(rev), to).await else {
            return Ok(desk.go(&format!("/b/{id}"), &[("done", "move")]));
        };
        if let Error::InvalidTransition { .. } = error {
            let notice = Some(("notice_not_possible", "alert"));
            let status = Problem::from(error).code.status();
            return booking::render(desk, id, status, notice, Some(rev)).await;
        }
        let Some(words) = refusal(desk, requested.start, &error)? else { return Err(error.into()) };
        let needs_override = match words {
            "desk_needs_override" | "desk_past_today" => true,
            // An override does not help.
            "desk_taken" | "desk_past" => false,
            _ => requested.needs_override,
        };
        let refused = Refused { seen: Some(rev), ..Refused::of(words, &error) };
        let status = Problem::from(error).code.status();
        let booking = bookings::get(core, &actor, id).await?;
        render(
            desk,
            &booking,
            status,
            Some(RequestedTime { needs_override, ..requested }),
            &message_form,
            refused,
        )
        .await
    }
}

/// The instant of a wall-clock time; the first one in a repeated hour.
pub(super) fn instant(zone: Zone, date: &str, time: &str) -> Option<DateTime<Utc>> {
    let date = date.parse::<NaiveDate>().ok()?;
    let time = time.parse::<CivilTime>().ok()?;
    Some(local_to_instants(zone, time.on(date)).first)
}

/// The instant of a wall-clock time; the booking's own start if that is its reading of the clock, also in a repeated hour.
fn typed(booking: &Booking, date: &str, time: &str) -> Option<DateTime<Utc>> {
    let (own, start) = (booking.start.to_utc(), instant(booking.zone, date, time)?);
    Some(if booking.zone.wall(start) == booking.zone.wall(own) { own } else { start })
}

async fn render(
    desk: &Desk,
    booking: &Booking,
    status: StatusCode,
    requested: Option<RequestedTime>,
    message_form: &MessageForm,
    refused: Refused,
) -> Result<Response, Problem> {
    let core = desk.core();
    let events = bookings::events(core, &desk.actor(), booking.id).await?;
    let today = booking.zone.at(core.now()).date_naive();
    let asked = desk.visit.query_param("date").and_then(|text| text.parse::<NaiveDate>().ok());
    let far = |date: &NaiveDate| (*date - today).num_days() < 40_000;
    let date = asked.filter(far).unwrap_or_else(|| booking.start.date_naive()).max(today);
    let anyone = desk.visit.query_param("with") == Some("anyone");
    let staff = &desk.front()?.front.staff;
    let people = staff.iter().filter(|member| member.service_ids.contains(&booking.service.id));
    let staff_id = requested.as_ref().map_or(booking.staff.id, |requested| requested.staff_id);
    let days = if requested.is_some() { Vec::new() } else { free(desk, booking, date, anyone).await? };
    let path = format!("/b/{}/move", booking.id);
    let alternatives = refused.alternatives.iter().filter_map(|slot| {
        let (start, id) = (compact(slot.start.to_utc()), slot.staff_ids.first()?.to_string());
        Some(Link {
            href: desk.link(&path, &[("start", &start), ("staff", &id)]),
            label: When::new(slot.start.to_utc(), slot.end.to_utc(), booking.zone, desk.locale).short,
        })
    });
    let chosen = requested.map(|requested| Chosen {
        when: When::new(
            requested.start,
            requested.start + (booking.end - booking.start),
            booking.zone,
            desk.locale,
        ),
        with: staff
            .iter()
            .find(|member| member.id == requested.staff_id)
            .map(|member| member.name.as_str().to_owned())
            .or_else(|| (requested.staff_id == booking.staff.id).then(|| booking.staff.name.clone())),
        start: compact(requested.start),
        staff_id: requested.staff_id,
        needs_override: requested.needs_override,
        passed: requested.start < core.now(),
        overriding: requested.overriding,
    });
    let facts = Facts {
        alternatives: alternatives.collect(),
        booking: BookingView::new(desk, booking, &events, refused.seen),
        chosen,
        message: message_form.message.clone(),
        no_mail: message_form.no_mail,
        fault: refused.fault,
        date,
        time: booking.start.format("%H:%M").to_string(),
        staff_id,
        anyone,
        earlier: (date > today).then(|| (date - Days::new(DAYS)).max(today)),
        later: date + Days::new(DAYS),
        days,
        people: people.map(|member| Person::new(member, Some(staff_id))).collect(),
        lang: desk.visit.query_param("lang").map(str::to_owned),
    };
    desk.page(status, "desk/move.html.j2", "day", refused.notice, &facts)
}

/// The free times of a week, without the booking's own.
async fn free(
    desk: &Desk,
    booking: &Booking,
    date: NaiveDate,
    anyone: bool,
) -> Result<Vec<times::Day>, Problem> {
    let query = SlotQuery {
        seats: booking.seats.unsigned_abs(),
        service_id: booking.service.id,
        staff_id: (!anyone).then_some(booking.staff.id),
        from: date,
        to: date + Days::new(DAYS - 1),
        exclude_booking: Some(booking.id),
    };
    let mut list = match slots::list(desk.core(), &query).await {
        Ok(list) => list.days,
        // The member of staff no longer performs it: offers others.
        Err(Error::NotFound(_)) if !anyone => {
            slots::list(desk.core(), &SlotQuery { staff_id: None, ..query }).await?.days
        }
        Err(error) => return Err(error.into()),
    };
    for day in &mut list {
        day.slots.retain(|slot| slot.start != booking.start || !slot.staff_ids.contains(&booking.staff.id));
    }
    let shown = times::TimesOptions {
        locale: desk.locale,
        zone: None,
        preferred: Some(booking.staff.id),
        seats: false,
    };
    Ok(times::days(list, shown))
}
