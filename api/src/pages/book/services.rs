use poem::{
    Response,
    http::{StatusCode, header},
};
use punctual_core::services::{self, Service};
use serde::Serialize;

use super::{BookPage, Visitor, linked_data, site::Site, summary::ServiceFacts};
use crate::{
    contract::Operation,
    http::problem::Problem,
    pages::{Page, form::Form, html, named, signed_in::session, visit::Visit},
};

/// `/`: where the booking page is.
pub struct Front;

impl Page for Front {
    const OPERATION: &'static Operation = &named("pageFront");
    const PATTERN: &'static str = "/";
    const POSTS: bool = false;

    async fn show(visit: Visit) -> Result<Response, Problem> {
        let visitor = Visitor::of(visit)?;
        Ok(Response::builder()
            .status(StatusCode::FOUND)
            .header(header::LOCATION, format!("book{}", visitor.carry()))
            .finish())
    }
}

/// `/book`: the services.
pub struct Services;

#[derive(Serialize)]
struct Facts {
    login_needed: bool,
    groups: Vec<Group>,
}

#[derive(Serialize)]
struct Group {
    name: Option<String>,
    services: Vec<ServiceFacts>,
}

impl BookPage for Services {
    const OPERATION: &'static Operation = &named("pageServices");
    const PATTERN: &'static str = "/book";
    const POSTS: bool = false;

    async fn show(visitor: &Visitor) -> Result<Response, Problem> {
        let mut services = services::list(&visitor.visit.state.core, false).await?;
        // What nobody performs cannot be booked.
        services.retain(|service| !service.spec.staff_ids.is_empty());
        let site = Site::of(visitor).await?;
        let signed_in = session::of(&visitor.visit.state, &visitor.visit.headers).await?.is_some();
        let facts = Facts {
            login_needed: !site.business.guests_allowed && !signed_in,
            groups: groups(visitor, &services),
        };
        let share = site.share(visitor, "book", title(visitor, &site), description(visitor, &services));
        let linked_data = linked_data::business(&site, visitor, &services);
        let text = site.public_text(visitor, "book/services.html.j2", &facts, share, Some(linked_data))?;
        Ok(html::respond(StatusCode::OK, text, visitor.locale, &site.shown(visitor.is_plain(), None)))
    }

    async fn submit(_: &Visitor, _: Form) -> Result<Response, Problem> {
        Err(Problem::method_not_allowed("GET, HEAD, OPTIONS".to_owned()))
    }
}

/// The services by category, in the order of their first one.
fn groups(visitor: &Visitor, services: &[Service]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for service in services {
        let name = service.spec.text(visitor.locale).category.map(|label| label.as_str().to_owned());
        let facts = ServiceFacts::new(service, visitor.locale);
        match groups.iter_mut().find(|group| group.name == name) {
            Some(group) => group.services.push(facts),
            None => groups.push(Group { name, services: vec![facts] }),
        }
    }
    groups
}

fn title(visitor: &Visitor, site: &Site) -> String {
    use punctual_core::types::Locale;
    match visitor.locale {
        Locale::En => format!("Book an appointment – {}", site.business.name),
        Locale::De => format!("Termin buchen – {}", site.business.name),
    }
}

/// What can be booked, in one line.
fn description(visitor: &Visitor, services: &[Service]) -> String {
    let names = services.iter().map(|service| service.spec.text(visitor.locale).name.as_str().to_owned());
    let mut line = names.collect::<Vec<_>>().join(" · ");
    if let Some((end, _)) = line.char_indices().nth(155) {
        line.truncate(end);
        line.push('…');
    }
    line
}
