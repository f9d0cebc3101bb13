use std::borrow::Cow;

use chrono::Days;
use poem::{Response, http::StatusCode};
use punctual_core::{
    services::Service,
    slots::DaySlots,
    wording::{clock, long_day},
};

use super::{chain, who};
use crate::{
    http::problem::Problem,
    pages::{
        book::{
            Site, Visitor,
            span_cache::{self, DAYS, Span},
            summary::ServiceFacts,
            times_page::{Facts, Link, after, hidden, people},
            zones,
        },
        chain::{Chain, day_of_starts},
        times::{TimesOptions, compact, days},
    },
};

/// `/book/{services}/{who}`: the starts of a week at which all services fit.
pub async fn show(visitor: &Visitor) -> Result<Response, Problem> {
    let site = Site::of(visitor).await?;
    let front = &site.storefront.front;
    let chain = chain(visitor, front)?;
    let who = who(visitor, &chain)?;
    let core = &visitor.visit.state.core;
    let zone = front.business.zone;
    let horizons = chain.services().iter().map(|service| service.spec.horizon_days);
    let (from, to, horizon) = Span { zone, horizon_days: horizons.min().unwrap_or_default() }.dates(visitor);
    let today = zone.at(core.now()).date_naive();
    let list: Vec<DaySlots> =
        chain.visits(core, who.id(), (from, to)).await?.into_iter().map(day_of_starts).collect();
    let first = list.iter().flat_map(|day| &day.slots).next().map(|slot| slot.start);
    let following = after(from, DAYS);
    let step = who.step();
    let on =
        |date: chrono::NaiveDate| format!("{step}{}", visitor.carry_with(&[("from", &date.to_string())]));
    let next = first.filter(|_| from == today).map(|start| Link {
        href: format!("{step}/{}{}", compact(start.to_utc()), visitor.carry()),
        label: format!("{}, {}", long_day(start.date_naive(), visitor.locale), clock(start.time())),
    });
    let later_free = match first {
        None if following <= horizon => {
            let range = (following, after(following, DAYS - 1).min(horizon));
            let found = chain.visits(core, who.id(), range).await?;
            found
                .into_iter()
                .find(|day| !day.slots.is_empty())
                .map(|day| Link { href: on(day.date), label: long_day(day.date, visitor.locale) })
        }
        _ => None,
    };
    let services: Vec<Cow<'_, Service>> =
        chain.services().iter().map(|service| service.performed_by(who.id())).collect();
    let from_date = ("from", span_cache::requested_date(visitor).map(|date| date.to_string()));
    let back = from.checked_sub_days(Days::new(DAYS)).unwrap_or(today).max(today);
    let shown = TimesOptions {
        locale: visitor.locale,
        zone: visitor.zone.filter(|other| *other != zone),
        preferred: None,
        seats: false,
    };
    let facts = Facts {
        service: ServiceFacts::of_visit(&services, visitor.locale),
        chain: left_out(visitor, &chain, who.id()),
        add: chain.may_grow().then(|| format!("{step}/add{}", visitor.carry())),
        people: people(visitor, &site, |member| chain.is_performed_by(member.id), who),
        next,
        days: days(list, shown),
        later_free,
        earlier: (from > today).then(|| on(back)),
        later: (following <= horizon).then(|| on(following)),
        zone: zone.name(),
        zones: zones::choices(zone, visitor.zone, core.now()),
        hidden: hidden(visitor, [from_date, ("seats", None)]),
        seats: None,
        who: step,
    };
    site.page(visitor, StatusCode::OK, "book/times.html.j2", &facts)
}

/// Each service with the page without it.
fn left_out(visitor: &Visitor, chain: &Chain<'_>, staff_id: Option<uuid::Uuid>) -> Vec<Link> {
    let names = chain.names(visitor.locale).into_iter().enumerate();
    let link = |(at, label): (usize, String)| {
        let left = chain.without(at)?;
        let who = staff_id.filter(|id| left.is_performed_by(*id));
        let who = who.map_or_else(|| "anyone".to_owned(), |id| id.to_string());
        Some(Link {
            href: format!("{}book/{}/{who}{}", visitor.visit.root(), left.ids(), visitor.carry()),
            label,
        })
    };
    names.filter_map(link).collect()
}
