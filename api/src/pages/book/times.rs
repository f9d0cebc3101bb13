use chrono::{Days, NaiveDate};
use poem::{Response, http::StatusCode};
use punctual_core::{
    Error,
    services::Service,
    slots::{self, DaySlots, SlotQuery},
    types::Zone,
    wording::{clock, long_day},
};
use uuid::Uuid;

use super::{
    BookPage, Visitor, linked_data, service,
    site::Site,
    span_cache::{self, DAYS, Span},
    staff_choice::StaffChoice,
    summary::ServiceFacts,
    times_page::{Facts, Link, Seats, after, hidden, people},
    visit, zones,
};
use crate::{
    contract::Operation,
    http::problem::Problem,
    pages::{
        form::Form,
        html, named,
        times::{TimesOptions, days},
    },
};

/// Most times on a page; further dates go to the next page.
const MAX_TIMES: usize = 240;
/// Dates that a page without times searches for the next time.
const SEARCH_DAYS: u64 = 30;

/// `/book/{service}`: free times with any member of staff.
pub struct Anyone;

impl BookPage for Anyone {
    const OPERATION: &'static Operation = &named("pageService");
    const PATTERN: &'static str = "/book/{service}";
    const POSTS: bool = false;

    async fn show(visitor: &Visitor) -> Result<Response, Problem> {
        let services = if visit::is_asked_for(visitor) {
            visit::chain(visitor, &visitor.storefront().await?.front)?.ids()
        } else {
            service(visitor).await?.id.to_string()
        };
        Ok(html::see_other(&format!("{services}/anyone{}", visitor.carry())))
    }

    async fn submit(_: &Visitor, _: Form) -> Result<Response, Problem> {
        Err(Problem::method_not_allowed("GET, HEAD, OPTIONS".to_owned()))
    }
}

/// `/book/{service}/{who}`: the free times of a week.
pub struct Times;

impl BookPage for Times {
    const OPERATION: &'static Operation = &named("pageTimes");
    const PATTERN: &'static str = "/book/{service}/{who}";
    const POSTS: bool = false;

    async fn show(visitor: &Visitor) -> Result<Response, Problem> {
        if visit::is_asked_for(visitor) {
            return visit::times::show(visitor).await;
        }
        let step = |number| visitor.visit.step(number).and_then(|text| Uuid::try_parse(text).ok());
        let id = step(1).ok_or(Error::NotFound("service"))?;
        let asked_who = if visitor.visit.step(2) == Some("anyone") {
            StaffChoice::Anyone
        } else {
            StaffChoice::Staff(step(2).ok_or(Error::NotFound("staff"))?)
        };
        if let Some(response) = span_cache::find(visitor, id, asked_who).await {
            return Ok(response);
        }
        let state = &visitor.visit.state;
        let before = visitor.storefront().await?;
        let service = before.front.service(id)?;
        let who = StaffChoice::of(visitor, service)?;
        let span = Span { zone: before.front.business.zone, horizon_days: service.spec.horizon_days };
        let (from, to, _) = span.dates(visitor);
        let seats = visitor.seats(service);
        let query = SlotQuery { service_id: id, staff_id: who.id(), from, to, seats, exclude_booking: None };
        let list = state.slots.read(&state.core, &query).await?;
        // Read after the list, so that the cached page is not older than the list's revision.
        let site = Site::of(visitor).await?;
        let service = site.storefront.front.service(id)?;
        let facts = facts(visitor, &site, service, who, list.list().days.clone()).await?;
        let text = service.spec.text(visitor.locale);
        let path = format!("book/{}/{}", service.id, who.step());
        let title = format!("{} – {}", text.name.as_str(), site.business().name);
        let about = match text.description.as_str() {
            "" => format!("{} · {}", facts.service.duration, facts.service.price.as_deref().unwrap_or("")),
            description => description.to_owned(),
        };
        let is_first = visitor.visit.query_param("from").is_none() && who == StaffChoice::Anyone;
        let share = if is_first { site.share(visitor, &path, title, about) } else { None };
        let linked_data = linked_data::service(&site, visitor, service);
        let public = share.is_some();
        let text = site.public_text(visitor, "book/times.html.j2", &facts, share, Some(linked_data))?;
        let shown = site.shown(public, None);
        let same = span == Span { zone: site.business().zone, horizon_days: service.spec.horizon_days };
        // A page without times also shows the next free time, read from another list.
        if same && !facts.days.is_empty() {
            span_cache::keep(visitor, &query, &list, text.clone(), &shown);
            span_cache::remember(id, who, span);
        }
        Ok(html::respond(StatusCode::OK, text, visitor.locale, &shown))
    }

    async fn submit(_: &Visitor, _: Form) -> Result<Response, Problem> {
        Err(Problem::method_not_allowed("GET, HEAD, OPTIONS".to_owned()))
    }
}

async fn facts(
    visitor: &Visitor,
    site: &Site,
    service: &Service,
    who: StaffChoice,
    mut list: Vec<DaySlots>,
) -> Result<Facts, Problem> {
    let core = &visitor.visit.state.core;
    let zone = site.business().zone;
    let today = zone.at(core.now()).date_naive();
    let span = Span { zone, horizon_days: service.spec.horizon_days };
    let (from, _, horizon) = span.dates(visitor);
    let following = cut(&mut list).unwrap_or_else(|| after(from, DAYS));
    let first = list.iter().flat_map(|day| &day.slots).next().map(|slot| slot.start);
    let later_free = match first {
        None if following <= horizon => {
            let range = (following, after(following, SEARCH_DAYS - 1).min(horizon));
            let found = dates(visitor, service, who, range).await?;
            found.into_iter().find(|day| !day.slots.is_empty()).map(|day| Link {
                href: format!("{}{}", who.step(), visitor.carry_with(&[("from", &day.date.to_string())])),
                label: long_day(day.date, visitor.locale),
            })
        }
        _ => None,
    };
    let next = first.filter(|_| from == today).map(|start| Link {
        href: format!("{}/{}{}", who.step(), crate::pages::times::compact(start.to_utc()), visitor.carry()),
        label: format!("{}, {}", long_day(start.date_naive(), visitor.locale), clock(start.time())),
    });
    let people = people(visitor, site, |member| member.service_ids.contains(&service.id), who);
    let from_date = ("from", span_cache::requested_date(visitor).map(|date| date.to_string()));
    let wanted = visitor.seats(service);
    let seats = ("seats", (wanted > 1).then(|| wanted.to_string()));
    let to =
        |date: NaiveDate| format!("{}{}", who.step(), visitor.carry_with(&[("from", &date.to_string())]));
    let back = from.checked_sub_days(Days::new(DAYS)).unwrap_or(today).max(today);
    Ok(Facts {
        service: ServiceFacts::new(&service.performed_by(who.id()), visitor.locale),
        chain: Vec::new(),
        // A visit takes one seat of each service.
        add: (wanted == 1).then(|| format!("{}/add{}", who.step(), visitor.carry())),
        who: who.step(),
        people,
        next,
        days: days(list, shown(visitor, service, zone)),
        later_free,
        earlier: (from > today).then(|| to(back)),
        later: (following <= horizon).then(|| to(following)),
        zone: zone.name(),
        zones: zones::choices(zone, visitor.zone, core.now()),
        hidden: hidden(visitor, [from_date.clone(), seats.clone()]),
        seats: (service.spec.capacity > 1).then(|| Seats {
            wanted: visitor.seats(service),
            most: service.spec.capacity,
            hidden: hidden(visitor, [from_date, ("tz", visitor.zone.map(|zone| zone.name().to_owned()))]),
        }),
    })
}

fn shown(visitor: &Visitor, service: &Service, zone: Zone) -> TimesOptions {
    TimesOptions {
        locale: visitor.locale,
        zone: visitor.zone.filter(|other| *other != zone),
        preferred: None,
        seats: service.spec.capacity > 1,
    }
}

/// The free times of these dates.
async fn dates(
    visitor: &Visitor,
    service: &Service,
    who: StaffChoice,
    (from, to): (NaiveDate, NaiveDate),
) -> Result<Vec<DaySlots>, Problem> {
    let seats = visitor.seats(service);
    let query =
        SlotQuery { service_id: service.id, staff_id: who.id(), from, to, seats, exclude_booking: None };
    Ok(slots::list(&visitor.visit.state.core, &query).await?.days)
}

/// Removes the dates beyond [`MAX_TIMES`]; returns the first removed one.
fn cut(list: &mut Vec<DaySlots>) -> Option<NaiveDate> {
    let mut times = 0;
    let full = list.iter().position(|day| {
        times += day.slots.len();
        times > MAX_TIMES
    })?;
    let rest = list.split_off(full.max(1));
    rest.first().map(|day| day.date)
}
