//! Which service, or which one next.

use poem::{Response, http::StatusCode};
use punctual_core::{services::Service, types::Money, wording::price};
use serde::Serialize;
use uuid::Uuid;

use super::{Chain, Desk, link, name_of};
use crate::http::problem::Problem;

#[derive(Serialize)]
struct Offers {
    services: Vec<Offer>,
    time: Option<String>,
    with: Option<String>,
    /// Names of the services that are chosen already.
    before: Vec<String>,
    back: Option<String>,
}

#[derive(Serialize)]
struct Offer {
    href: String,
    name: String,
    about: String,
}

/// Asks for a service; with a chain, for the one that follows.
pub(super) fn choose(desk: &Desk, chain: Option<&Chain<'_>>) -> Result<Response, Problem> {
    let front = &desk.front()?.front;
    let staff = desk.visit.query_param("staff").and_then(|text| Uuid::try_parse(text).ok());
    let services = front.services.iter();
    let services = services
        .filter(|service| chain.is_some() || staff.is_none_or(|id| service.spec.staff_ids.contains(&id)));
    let offers = services.map(|service| {
        let id = service.id.to_string();
        let href = match chain {
            Some(chain) => {
                let then = chain.then_with(service.id);
                let set = [("then", Some(then.as_str())), ("add", None), ("seats", None), ("start", None)];
                link(desk, &set)
            }
            None => link(desk, &[("service", Some(&id))]),
        };
        Offer { href, name: name_of(desk, service), about: about(desk, service) }
    });
    let facts = Offers {
        services: offers.collect(),
        time: desk.visit.query_param("time").map(str::to_owned),
        with: front
            .staff
            .iter()
            .find(|member| Some(member.id) == staff)
            .map(|member| member.name.as_str().to_owned()),
        before: chain.map(|chain| chain.names(desk.locale)).unwrap_or_default(),
        back: chain.map(|_| link(desk, &[("add", None)])),
    };
    desk.page(StatusCode::OK, "desk/new-service.html.j2", "new", None, &facts)
}

fn about(desk: &Desk, service: &Service) -> String {
    let money = Money { minor: service.spec.price_minor, currency: service.currency };
    let minutes = service.spec.duration_min;
    match service.spec.price_minor {
        0 => format!("{minutes} min"),
        _ => format!("{minutes} min · {}", price(money, desk.locale)),
    }
}
