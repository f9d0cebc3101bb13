use chrono::{DateTime, Days, NaiveDate, Utc};
use poem::{Response, http::StatusCode};
use punctual_core::{
    Alternative, Error, Occurrence,
    bookings::{self, NewBooking, RequestedSlot, SlotSource},
    services::Service,
    slots::{self, SlotQuery},
    types::Note,
    wording::{When, price, with_seats},
};
use serde::Serialize;
use uuid::Uuid;

use super::{
    Desk, DeskPage, Notice, board,
    customer_input::{Faults, Input},
    found::{self, Found},
    people::Person,
    repeat::{Line, Repeat, lines},
    reschedule::instant,
};
use crate::{
    contract::Operation,
    http::problem::Problem,
    pages::{
        book::form_token,
        form::Form,
        named,
        times::{self, compact, parse_compact},
    },
};

/// `/desk/new`: a booking taken by phone. Service, time and customer are chosen one after the other; the address keeps
/// what is chosen, and the last form books it once.
pub struct New;

/// How many dates are shown at once.
const DAYS: u64 = 7;

#[derive(Serialize)]
struct Offers {
    services: Vec<Offer>,
    time: Option<String>,
    with: Option<String>,
}

#[derive(Serialize)]
struct Offer {
    href: String,
    name: String,
    about: String,
}

#[derive(Serialize)]
struct Times {
    service: String,
    back: String,
    staff: Vec<board::View>,
    days: Vec<times::Day>,
    earlier: Option<String>,
    later: String,
    /// Link to a time, without the time.
    base: String,
    hidden: Vec<Hidden>,
    people: Vec<Person>,
    date: NaiveDate,
    fault: Option<&'static str>,
    /// The number of seats wanted; none for a one-to-one service.
    seats: Option<Seats>,
}

/// The form that asks how many seats are wanted.
#[derive(Serialize)]
struct Seats {
    wanted: u32,
    most: u32,
    hidden: Vec<Hidden>,
}

#[derive(Serialize)]
struct Hidden {
    name: &'static str,
    value: String,
}

#[derive(Serialize)]
struct Who {
    service: String,
    with: String,
    when: When,
    back: String,
    start: String,
    staff: String,
    service_id: Uuid,
    seats: u32,
    odd: bool,
    overriding: bool,
    query: String,
    hidden: Vec<Hidden>,
    found: Option<Vec<Found>>,
    input: Input,
    faults: Faults,
    token: String,
    alternatives: Vec<Instead>,
    repeat: Repeat,
    /// The occurrences that were asked for, if not all are free.
    wanted: Vec<Line>,
}

/// A time in place of one that is taken.
#[derive(Serialize)]
struct Instead {
    value: String,
    label: String,
}

/// What the last step shows beside the time.
#[derive(Default)]
struct Entered {
    notice: Notice,
    input: Input,
    repeat: Repeat,
    alternatives: Vec<Alternative>,
    occurrences: Vec<Occurrence>,
}

/// The time that was chosen.
#[derive(Clone, Copy)]
struct Wish {
    start: DateTime<Utc>,
    staff_id: Option<Uuid>,
    odd: bool,
    overriding: bool,
    seats: u32,
}

impl DeskPage for New {
    const OPERATION: &'static Operation = &named("deskNew");
    const PATTERN: &'static str = "/desk/new";
    const POSTS: bool = true;

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        let id = |name| desk.visit.query_param(name).and_then(|text| Uuid::try_parse(text).ok());
        let Some(service) = id("service") else { return choose_service(desk) };
        let service = desk.front()?.front.service(service)?;
        let staff_id = id("staff").filter(|staff| service.spec.staff_ids.contains(staff));
        let seats = seats(service, desk.visit.query_param("seats"));
        let chosen = desk.visit.query_param("start").and_then(parse_compact);
        if let Some(start) = chosen {
            let wish = Wish { start, staff_id, odd: false, overriding: false, seats };
            return who(desk, service, wish, StatusCode::OK, Entered::default()).await;
        }
        let time = desk.visit.query_param("time").filter(|text| !text.is_empty());
        let typed = time.and_then(|time| instant(desk.zone().ok()?, desk.visit.query_param("date")?, time));
        let Some(start) = typed else {
            return choose_time(desk, service, staff_id, seats, time.map(|_| "desk_fault_time")).await;
        };
        let odd = !is_offered(desk, service, staff_id, start).await?;
        let wish = Wish { start, staff_id, odd, overriding: false, seats };
        who(desk, service, wish, StatusCode::OK, Entered::default()).await
    }

    async fn submit(desk: &Desk, form: Form) -> Result<Response, Problem> {
        let state = &desk.visit.state;
        let service_id = form.value("service", |text| Uuid::try_parse(text).ok())?;
        let service = desk.front()?.front.service(service_id)?;
        let mut wish = Wish {
            start: form.value("start", parse_compact)?,
            staff_id: form.text("staff").and_then(|text| Uuid::try_parse(text).ok()),
            odd: form.text("odd").is_some(),
            overriding: form.text("override").is_some(),
            seats: seats(service, form.text("seats")),
        };
        // The button of another time, beside the form for the one that was taken.
        if let Some((start, staff)) = form.text("instead").and_then(|text| text.split_once('~')) {
            wish.start = parse_compact(start).unwrap_or(wish.start);
            wish.staff_id = Uuid::try_parse(staff).ok();
        }
        let (input, mut repeat) = (Input::of(&form), Repeat::of(&form));
        let (parsed, repeated) = (input.parsed(), repeat.parsed());
        repeat.fault = repeated.err();
        let (Ok((booker, note)), Ok(repeated)) = (&parsed, repeated) else {
            let input = Input { faults: parsed.err().unwrap_or_default(), ..input };
            let notice = Some(("book_faults", "alert"));
            let entered = Entered { notice, input, repeat, ..Entered::default() };
            return who(desk, service, wish, StatusCode::UNPROCESSABLE_ENTITY, entered).await;
        };
        let key = form_token::key(&state.links, state.core.now(), &input.token)?;
        let slot =
            RequestedSlot { service_id, staff_id: wish.staff_id, start: wish.start, seats: wish.seats };
        let new = NewBooking {
            slot: SlotSource::Slot(slot),
            booker: booker.clone(),
            for_whom: None,
            customer_note: Note::empty(),
            staff_note: note.clone(),
            reminders: true,
            silent: false,
            overriding: wish.overriding,
        };
        let (core, actor) = (&state.core, desk.actor());
        let answer = match repeated {
            Some((every, count)) => {
                let series = repeat.series(new, every, count);
                let made = bookings::create_series(core, &actor, &key, series).await;
                made.map(|made| (made.value.occurrences.iter().find_map(|one| one.booking_id), "series"))
            }
            None => {
                bookings::create(core, &actor, Some(&key), new).await.map(|made| (Some(made.value.id), "new"))
            }
        };
        let error = match answer {
            Ok((Some(id), done)) => return Ok(desk.go(&format!("/b/{id}"), &[("done", done)])),
            Ok((None, _)) => return Ok(desk.go("", &[])),
            Err(error) => error,
        };
        let words = match &error {
            Error::SlotTaken { .. } => "desk_taken",
            Error::SeriesConflict(_) => "desk_series_conflict",
            Error::StartInPast => "desk_past",
            Error::TooSoon | Error::TooFar | Error::OutsideHours | Error::OffGrid => "desk_odd",
            Error::NotFound("staff") => "desk_not_performed",
            _ => return Err(error.into()),
        };
        wish.odd |= words == "desk_odd";
        let mut entered = Entered { notice: Some((words, "alert")), input, repeat, ..Entered::default() };
        match &error {
            Error::SlotTaken { alternatives, .. } => entered.alternatives.clone_from(alternatives),
            Error::SeriesConflict(occurrences) => entered.occurrences.clone_from(occurrences),
            _ => {}
        }
        let status = Problem::from(error).code.status();
        who(desk, service, wish, status, entered).await
    }
}

/// What the address says, with more or other values.
fn link(desk: &Desk, set: &[(&str, Option<&str>)]) -> String {
    let mut query: Vec<(&str, &str)> = Vec::new();
    for name in ["service", "staff", "seats", "date", "time", "start", "customer"] {
        let value = match set.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => *value,
            None => desk.visit.query_param(name),
        };
        query.extend(value.map(|value| (name, value)));
    }
    desk.link("/new", &query)
}

fn choose_service(desk: &Desk) -> Result<Response, Problem> {
    let front = &desk.front()?.front;
    let staff = desk.visit.query_param("staff").and_then(|text| Uuid::try_parse(text).ok());
    let services = front.services.iter();
    let services = services.filter(|service| staff.is_none_or(|id| service.spec.staff_ids.contains(&id)));
    let offers = services.map(|service| Offer {
        href: link(desk, &[("service", Some(&service.id.to_string()))]),
        name: service.spec.text(desk.locale).name.as_str().to_owned(),
        about: about(desk, service),
    });
    let facts = Offers {
        services: offers.collect(),
        time: desk.visit.query_param("time").map(str::to_owned),
        with: front
            .staff
            .iter()
            .find(|member| Some(member.id) == staff)
            .map(|member| member.name.as_str().to_owned()),
    };
    desk.page(StatusCode::OK, "desk/new-service.html.j2", "new", None, &facts)
}

fn about(desk: &Desk, service: &Service) -> String {
    let money = punctual_core::types::Money { minor: service.spec.price_minor, currency: service.currency };
    let minutes = service.spec.duration_min;
    match service.spec.price_minor {
        0 => format!("{minutes} min"),
        _ => format!("{minutes} min · {}", price(money, desk.locale)),
    }
}

async fn choose_time(
    desk: &Desk,
    service: &Service,
    staff_id: Option<Uuid>,
    wanted: u32,
    fault: Option<&'static str>,
) -> Result<Response, Problem> {
    let (zone, now) = (desk.zone()?, desk.core().now());
    let today = zone.at(now).date_naive();
    let date = board::requested_date(desk, zone, now).max(today);
    let query = SlotQuery {
        service_id: service.id,
        staff_id,
        from: date,
        to: date + Days::new(DAYS - 1),
        seats: wanted,
        exclude_booking: None,
    };
    let list = slots::list(desk.core(), &query).await?.days;
    let seats = service.spec.capacity > 1;
    let shown = times::TimesOptions { locale: desk.locale, zone: None, preferred: staff_id, seats };
    let front = &desk.front()?.front;
    let performs = |id: &Uuid| service.spec.staff_ids.contains(id);
    let performers = front.staff.iter().filter(|member| performs(&member.id));
    let mut staff = vec![board::View {
        href: link(desk, &[("staff", None), ("time", None)]),
        name: String::new(),
        current: staff_id.is_none(),
    }];
    staff.extend(performers.clone().map(|member| board::View {
        href: link(desk, &[("staff", Some(&member.id.to_string())), ("time", None)]),
        name: member.name.as_str().to_owned(),
        current: staff_id == Some(member.id),
    }));
    let at = |date: NaiveDate| link(desk, &[("date", Some(&date.to_string())), ("time", None)]);
    let facts = Times {
        service: service.spec.text(desk.locale).name.as_str().to_owned(),
        seats: seats.then(|| Seats {
            wanted,
            most: service.spec.capacity,
            hidden: hidden(desk, &in_address(desk, &["service", "staff", "date", "customer"])),
        }),
        back: link(desk, &[("service", None), ("seats", None), ("time", None)]),
        staff,
        days: times::days(list, shown),
        earlier: (date > today).then(|| at((date - Days::new(DAYS)).max(today))),
        later: at(date + Days::new(DAYS)),
        base: link(desk, &[("staff", None), ("date", None), ("time", None), ("start", None)]),
        hidden: hidden(desk, &in_address(desk, &["service", "seats"])),
        people: performers.map(|member| Person::new(member, staff_id)).collect(),
        date,
        fault,
    };
    let notice = fault.map(|fault| (fault, "alert"));
    desk.page(StatusCode::OK, "desk/new-time.html.j2", "new", notice, &facts)
}

/// How many seats of the service are wanted, at most those of one class.
fn seats(service: &Service, asked: Option<&str>) -> u32 {
    asked.and_then(|text| text.parse().ok()).unwrap_or(1).clamp(1, service.spec.capacity)
}

/// What the address says under these names.
fn in_address(desk: &Desk, names: &[&'static str]) -> Vec<(&'static str, String)> {
    names.iter().filter_map(|name| Some((*name, desk.visit.query_param(name)?.to_owned()))).collect()
}

/// Fields that a form by GET carries on.
fn hidden(desk: &Desk, more: &[(&'static str, String)]) -> Vec<Hidden> {
    let lang = desk.visit.query_param("lang").map(|lang| Hidden { name: "lang", value: lang.to_owned() });
    let more = more.iter().map(|(name, value)| Hidden { name, value: value.clone() });
    lang.into_iter().chain(more).collect()
}

/// Whether the time is one of the list.
async fn is_offered(
    desk: &Desk,
    service: &Service,
    staff_id: Option<Uuid>,
    start: DateTime<Utc>,
) -> Result<bool, Problem> {
    let date = desk.zone()?.at(start).date_naive();
    let query =
        SlotQuery { service_id: service.id, staff_id, from: date, to: date, seats: 1, exclude_booking: None };
    let list = slots::list(desk.core(), &query).await?;
    Ok(list.days.iter().flat_map(|day| &day.slots).any(|slot| slot.start.to_utc() == start))
}

/// Asks who comes; the form books.
async fn who(
    desk: &Desk,
    service: &Service,
    wish: Wish,
    status: StatusCode,
    entered: Entered,
) -> Result<Response, Problem> {
    let Entered { notice, input, repeat, alternatives, occurrences } = entered;
    let api = &desk.visit.state;
    let zone = desk.zone()?;
    let query = desk.visit.query_param("q").unwrap_or_default().trim().to_owned();
    let chosen =
        input.customer.or(desk.visit.query_param("customer").and_then(|text| Uuid::try_parse(text).ok()));
    let found = found::found(desk, &query, chosen).await?;
    let front = &desk.front()?.front;
    let performer = front.staff.iter().find(|member| Some(member.id) == wish.staff_id);
    let minutes = service.performed_by(wish.staff_id).spec.duration_min;
    let end = wish.start + chrono::TimeDelta::minutes(i64::from(minutes));
    let start = compact(wish.start);
    let staff = wish.staff_id.map(|id| id.to_string()).unwrap_or_default();
    let instead = alternatives.iter().filter_map(|slot| {
        let (start, end) = (slot.start.to_utc(), slot.end.to_utc());
        let staff = slot.staff_ids.iter().find(|id| Some(**id) == wish.staff_id).or(slot.staff_ids.first());
        Some(Instead {
            value: format!("{}~{}", compact(start), staff?),
            label: When::new(start, end, zone, desk.locale).short,
        })
    });
    let mut kept = vec![
        ("service", service.id.to_string()),
        ("staff", staff.clone()),
        ("seats", wish.seats.to_string()),
    ];
    if wish.odd {
        let at = zone.at(wish.start);
        kept.push(("date", at.format("%Y-%m-%d").to_string()));
        kept.push(("time", at.format("%H:%M").to_string()));
    } else {
        kept.push(("start", start.clone()));
    }
    let known = form_token::is_good(&api.links, api.core.now(), &input.token);
    let token = if known { input.token.clone() } else { form_token::new(&api.links, api.core.now()) };
    let facts = Who {
        service: with_seats(service.spec.text(desk.locale).name.as_str(), wish.seats.cast_signed()),
        seats: wish.seats,
        with: performer.map(|member| member.name.as_str().to_owned()).unwrap_or_default(),
        when: When::new(wish.start, end, zone, desk.locale),
        back: link(desk, &[("start", None), ("time", None)]),
        alternatives: instead.collect(),
        repeat,
        wanted: lines(&occurrences, zone, desk.locale),
        start,
        staff,
        service_id: service.id,
        odd: wish.odd,
        overriding: wish.overriding,
        hidden: hidden(desk, &kept),
        query,
        found,
        faults: input.faults.clone(),
        input,
        token,
    };
    desk.page(status, "desk/new-who.html.j2", "new", notice, &facts)
}
