use chrono::NaiveDate;
use poem::{Response, http::StatusCode};
use punctual_core::{
    Error,
    calendar::Span,
    hours::{Changed, StrandedBooking},
    resources::{self, NewOutage, NewResource, Outage, Resource, ResourcePatch},
    types::{ExpectedRev, Label, Reason, Rev},
    wording::When,
};
use serde::Serialize;
use uuid::Uuid;

use super::{Desk, DeskPage, Notice, fields::Fields, reschedule::instant};
use crate::{
    contract::Operation,
    http::problem::Problem,
    pages::{form::Form, named},
};

/// `/desk/resources`: rooms and equipment, and a form to add one.
pub struct Resources;

#[derive(Serialize)]
struct List {
    #[serde(flatten)]
    fields: Fields,
    resources: Vec<One>,
    token: String,
}

#[derive(Serialize)]
struct One {
    href: String,
    name: String,
    kind: String,
    active: bool,
}

impl DeskPage for Resources {
    const OPERATION: &'static Operation = &named("deskResources");
    const PATTERN: &'static str = "/desk/resources";
    const POSTS: bool = true;
    const ADMIN: bool = true;

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        let notice = saved(desk);
        let fields = Fields::with([("name", String::new()), ("kind", String::new())]);
        list(desk, StatusCode::OK, notice, fields).await
    }

    async fn submit(desk: &Desk, form: Form) -> Result<Response, Problem> {
        let mut fields = Fields::of(&form, &["name", "kind"]);
        let name = fields.parse("name", "fault_name", Label::parse);
        let kind = fields.parse("kind", "fault_name", Label::parse);
        let (Some(name), Some(kind)) = (name, kind) else {
            let (status, notice) = (StatusCode::UNPROCESSABLE_ENTITY, Some(("book_faults", "alert")));
            return list(desk, status, notice, fields).await;
        };
        let key = desk.submission_key(&form)?;
        resources::create(desk.core(), &desk.actor(), Some(&key), NewResource { name, kind }).await?;
        Ok(desk.go("/resources", &[("done", "saved")]))
    }
}

fn saved(desk: &Desk) -> Notice {
    match desk.visit.query_param("done") {
        Some("saved") => Some(("desk_saved", "status")),
        _ => None,
    }
}

async fn list(desk: &Desk, status: StatusCode, notice: Notice, fields: Fields) -> Result<Response, Problem> {
    let resources = resources::list(desk.core()).await?.into_iter().map(|resource| One {
        href: desk.link(&format!("/resources/{}", resource.id), &[]),
        name: resource.name.as_str().to_owned(),
        kind: resource.kind.as_str().to_owned(),
        active: resource.active,
    });
    let facts = List { fields, resources: resources.collect(), token: desk.submission_token() };
    desk.page(status, "desk/resources.html.j2", "settings", notice, &facts)
}

/// `/desk/resources/{id}`: one of them, and when it is out of service.
pub struct OneResource;

const OUTAGE: [&str; 5] = ["date", "time", "until_date", "until_time", "reason"];

#[derive(Serialize)]
struct Facts {
    #[serde(flatten)]
    fields: Fields,
    name: String,
    kind: String,
    active: bool,
    rev: i32,
    outages: Vec<OutageLine>,
    token: String,
}

#[derive(Serialize)]
struct OutageLine {
    id: Uuid,
    when: String,
    reason: String,
}

impl DeskPage for OneResource {
    const OPERATION: &'static Operation = &named("deskResource");
    const PATTERN: &'static str = "/desk/resources/{id}";
    const POSTS: bool = true;
    const ADMIN: bool = true;

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        let resource = find(desk).await?;
        one(
            desk,
            StatusCode::OK,
            saved(desk),
            Fields::with(OUTAGE.map(|name| (name, String::new()))),
            resource,
        )
        .await
    }

    async fn submit(desk: &Desk, form: Form) -> Result<Response, Problem> {
        let resource = find(desk).await?;
        let path = format!("/resources/{}", resource.id);
        if let Some(id) = form.text("remove").and_then(|text| Uuid::try_parse(text).ok()) {
            return match resources::remove_outage(desk.core(), resource.id, id).await {
                // Somebody else was faster.
                Ok(()) | Err(Error::NotFound(_)) => Ok(desk.go(&path, &[("done", "saved")])),
                Err(error) => Err(error.into()),
            };
        }
        let mut fields = Fields::of(&form, &OUTAGE);
        let refused = StatusCode::UNPROCESSABLE_ENTITY;
        if form.text("do") == Some("outage") {
            let Some(new) = outage(desk, &mut fields)? else {
                return one(desk, refused, Some(("book_faults", "alert")), fields, resource).await;
            };
            let added = add_outage(desk, &form, resource.id, new).await?;
            return Ok(after(desk, &path, &added.stranded));
        }
        let expected = ExpectedRev::Exactly(form.value("rev", |text| text.parse().ok().map(Rev))?);
        let mut details = Fields::of(&form, &["name", "kind"]);
        let name = details.parse("name", "fault_name", Label::parse);
        let kind = details.parse("kind", "fault_name", Label::parse);
        let (Some(name), Some(kind)) = (name, kind) else {
            return one(desk, refused, Some(("book_faults", "alert")), fields, resource).await;
        };
        let active = Some(form.text("active").is_some());
        let change = ResourcePatch { name: Some(name), kind: Some(kind), active };
        match resources::update(desk.core(), resource.id, expected, change).await {
            Ok(changed) => Ok(after(desk, &path, &changed.stranded)),
            Err(error @ Error::RevMismatch { .. }) => {
                let status = Problem::from(error).code.status();
                one(desk, status, Some(("desk_stale_form", "alert")), fields, find(desk).await?).await
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Stores the outage once, however often its form is sent. Another one sent from the same form, as after the back button, is
/// stored too.
async fn add_outage(
    desk: &Desk,
    form: &Form,
    resource_id: Uuid,
    new: NewOutage,
) -> Result<Changed<Outage>, Problem> {
    let (actor, key) = (desk.actor(), desk.submission_key(form)?);
    match resources::add_outage(desk.core(), &actor, Some(&key), resource_id, new.clone()).await {
        Err(Error::IdempotencyKeyReused) => {
            Ok(resources::add_outage(desk.core(), &actor, None, resource_id, new).await?.value)
        }
        added => Ok(added?.value),
    }
}

fn after(desk: &Desk, path: &str, stranded: &[StrandedBooking]) -> Response {
    if stranded.is_empty() { desk.go(path, &[("done", "saved")]) } else { desk.go("/stranded", &[]) }
}

async fn find(desk: &Desk) -> Result<Resource, Problem> {
    let id = desk.visit.step(2).and_then(|text| Uuid::try_parse(text).ok());
    Ok(resources::get(desk.core(), id.ok_or(Error::NotFound("resource"))?).await?)
}

/// The outage of the form; none: a field is wrong.
fn outage(desk: &Desk, fields: &mut Fields) -> Result<Option<NewOutage>, Problem> {
    let zone = desk.zone()?;
    let from = instant(zone, fields.text("date"), fields.text("time"));
    let until = instant(zone, fields.text("until_date"), fields.text("until_time"));
    let during = from.zip(until).and_then(|(from, until)| Span::new(from, until));
    let during = during.filter(|span| (span.end() - span.start()).num_days() <= 366);
    if during.is_none() {
        fields.fault("until_date", "desk_fault_span");
    }
    let reason = Reason::parse(fields.text("reason")).ok();
    if reason.is_none() {
        fields.fault("reason", "desk_fault_reason");
    }
    Ok(during.zip(reason).map(|(during, reason)| NewOutage { during, reason }))
}

async fn one(
    desk: &Desk,
    status: StatusCode,
    notice: Notice,
    mut fields: Fields,
    resource: Resource,
) -> Result<Response, Problem> {
    let zone = desk.zone()?;
    let today: NaiveDate = zone.at(desk.core().now()).date_naive();
    if fields.text("date").is_empty() {
        fields = Fields::with([
            ("date", today.to_string()),
            ("time", "00:00".to_owned()),
            ("until_date", (today + chrono::Days::new(1)).to_string()),
            ("until_time", "00:00".to_owned()),
            ("reason", String::new()),
        ]);
    }
    let outages = resources::outages(desk.core(), resource.id).await?.into_iter().map(|outage| OutageLine {
        id: outage.id,
        when: When::new(outage.start.to_utc(), outage.end.to_utc(), zone, desk.locale).full,
        reason: outage.reason.as_str().to_owned(),
    });
    let facts = Facts {
        fields,
        name: resource.name.as_str().to_owned(),
        kind: resource.kind.as_str().to_owned(),
        active: resource.active,
        rev: resource.rev.0,
        outages: outages.collect(),
        token: desk.submission_token(),
    };
    desk.page(status, "desk/resource.html.j2", "settings", notice, &facts)
}
