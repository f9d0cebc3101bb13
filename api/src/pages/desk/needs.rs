use std::collections::BTreeMap;

use poem::{Response, http::StatusCode};
use punctual_core::{
    Error,
    resources::{self, ServiceNeeds},
    services,
    types::{ExpectedRev, Label, Rev},
};
use serde::Serialize;
use uuid::Uuid;

use super::{Desk, DeskPage, Notice};
use crate::{contract::Operation, http::problem::Problem, pages::form::Form, pages::named};

/// `/desk/services/{id}/resources`: the rooms and equipment that a service needs.
pub struct Needs;

#[derive(Serialize)]
struct Facts {
    name: String,
    rev: i32,
    kinds: Vec<Kind>,
}

/// A kind and its resources.
#[derive(Serialize)]
struct Kind {
    name: String,
    any: bool,
    resources: Vec<One>,
}

#[derive(Serialize)]
struct One {
    id: Uuid,
    name: String,
    current: bool,
}

impl DeskPage for Needs {
    const OPERATION: &'static Operation = &named("deskServiceResources");
    const PATTERN: &'static str = "/desk/services/{id}/resources";
    const POSTS: bool = true;
    const ADMIN: bool = true;

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        let id = id(desk)?;
        let needs = resources::needs(desk.core(), id).await?;
        render(desk, id, StatusCode::OK, None, needs).await
    }

    async fn submit(desk: &Desk, form: Form) -> Result<Response, Problem> {
        let id = id(desk)?;
        let rev = form.value("rev", |text| text.parse().ok().map(Rev))?;
        let needs = ServiceNeeds {
            all: form.all("all").filter_map(|text| Uuid::try_parse(text).ok()).collect(),
            any: form.all("any").filter_map(|text| Label::parse(text).ok()).collect(),
            rev: Some(rev),
        };
        let done = resources::put_needs(desk.core(), id, ExpectedRev::Exactly(rev), needs.clone()).await;
        let Err(error) = done else { return Ok(desk.go("/services", &[("done", "saved")])) };
        let words = match &error {
            Error::RevMismatch { .. } => "desk_stale_form",
            Error::Invalid { .. } => "desk_fault_needs",
            _ => return Err(error.into()),
        };
        let needs = match &error {
            Error::RevMismatch { current } => ServiceNeeds { rev: Some(*current), ..needs },
            _ => needs,
        };
        let status = Problem::from(error).code.status();
        render(desk, id, status, Some((words, "alert")), needs).await
    }
}

fn id(desk: &Desk) -> Result<Uuid, Problem> {
    let id = desk.visit.step(2).and_then(|text| Uuid::try_parse(text).ok());
    Ok(id.ok_or(Error::NotFound("service"))?)
}

async fn render(
    desk: &Desk,
    id: Uuid,
    status: StatusCode,
    notice: Notice,
    needs: ServiceNeeds,
) -> Result<Response, Problem> {
    let service = services::get(desk.core(), id).await?;
    let mut kinds: BTreeMap<String, Vec<One>> = BTreeMap::new();
    for resource in resources::list(desk.core()).await? {
        let current = needs.all.contains(&resource.id);
        if resource.active || current {
            let one = One { id: resource.id, name: resource.name.as_str().to_owned(), current };
            kinds.entry(resource.kind.as_str().to_owned()).or_default().push(one);
        }
    }
    let kinds = kinds.into_iter().map(|(name, resources)| Kind {
        any: needs.any.iter().any(|kind| kind.as_str() == name),
        name,
        resources,
    });
    let facts = Facts {
        name: service.spec.text(desk.locale).name.as_str().to_owned(),
        rev: needs.rev.unwrap_or(service.rev).0,
        kinds: kinds.collect(),
    };
    desk.page(status, "desk/needs.html.j2", "settings", notice, &facts)
}
