use poem::{
    Response,
    http::{StatusCode, header},
};
use punctual_core::{services::Service, types::Locale};
use serde::Serialize;

use super::{BookPage, Visitor, linked_data, site::Site, span_cache, summary::ServiceFacts};
use crate::{
    contract::Operation,
    http::{compress::CachedGzip, problem::Problem},
    pages::{Page, form::Form, html, named, signed_in::session, visit::Visit},
    views::ListPage,
};

/// `/`: redirects to the booking page.
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
pub struct Group {
    name: Option<String>,
    services: Vec<ServiceFacts>,
}

impl BookPage for Services {
    const OPERATION: &'static Operation = &named("pageServices");
    const PATTERN: &'static str = "/book";
    const POSTS: bool = false;

    async fn show(visitor: &Visitor) -> Result<Response, Problem> {
        let storefront = visitor.storefront().await?;
        let state = &visitor.visit.state;
        let login_needed = !storefront.front.business.guests_allowed
            && session::of(state, &visitor.visit.headers).await?.is_none();
        let way = way(visitor, login_needed);
        if let Some(page) = way.and_then(|way| storefront.page(way)) {
            return Ok(span_cache::respond(visitor, page));
        }
        let site = Site::with(visitor, storefront);
        let services = offered(&site);
        let facts = Facts { login_needed, groups: groups(visitor, &services) };
        let share = site.share(visitor, "book", title(visitor, &site), description(visitor, &services));
        let linked_data = linked_data::business(&site, visitor, &services);
        let text = site.public_text(visitor, "book/services.html.j2", &facts, share, Some(linked_data))?;
        let shown = site.shown(visitor.is_plain(), None);
        if let Some(way) = way {
            let page = ListPage {
                body: text.clone().into(),
                packed: CachedGzip::default(),
                accent: shown.accent,
                public: shown.public,
            };
            site.storefront.keep(way, page);
        }
        Ok(html::respond(StatusCode::OK, text, visitor.locale, &shown))
    }

    async fn submit(_: &Visitor, _: Form) -> Result<Response, Problem> {
        Err(Problem::method_not_allowed("GET, HEAD, OPTIONS".to_owned()))
    }
}

/// The variant of the page in the cache; none for a page that only this visitor sees.
fn way(visitor: &Visitor, login_needed: bool) -> Option<usize> {
    let bits = [visitor.locale == Locale::De, visitor.requested_locale().is_some(), login_needed];
    let way = bits.into_iter().fold(0, |way, bit| way * 2 + usize::from(bit));
    visitor.is_plain().then_some(way)
}

/// The services that can be booked: somebody performs them.
pub fn offered(site: &Site) -> Vec<&Service> {
    let services = site.storefront.front.services.iter();
    services.filter(|service| !service.spec.staff_ids.is_empty()).collect()
}

/// The services by category, in the order of their first one.
pub fn groups(visitor: &Visitor, services: &[&Service]) -> Vec<Group> {
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
    match visitor.locale {
        Locale::En => format!("Book an appointment – {}", site.business().name),
        Locale::De => format!("Termin buchen – {}", site.business().name),
    }
}

/// A one-line summary of the services.
fn description(visitor: &Visitor, services: &[&Service]) -> String {
    let names = services.iter().map(|service| service.spec.text(visitor.locale).name.as_str().to_owned());
    let mut line = names.collect::<Vec<_>>().join(" · ");
    if let Some((end, _)) = line.char_indices().nth(155) {
        line.truncate(end);
        line.push('…');
    }
    line
}
