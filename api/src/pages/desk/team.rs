use poem::{Response, http::StatusCode};
use punctual_core::{
    Error,
    staff::{self, NewStaff, StaffMember, StaffPatch},
    types::{About, EmailAddress, ExpectedRev, PersonName, Rev},
};
use serde::Serialize;
use uuid::Uuid;

use super::{Desk, DeskPage, Notice, fields::Fields};
use crate::{
    contract::Operation,
    http::problem::Problem,
    pages::{form::Form, named},
};

/// `/desk/team`: members of staff.
pub struct Team;

#[derive(Serialize)]
struct List {
    people: Vec<One>,
}

#[derive(Serialize)]
struct One {
    id: Uuid,
    name: String,
    email: String,
    active: bool,
    /// Whether they can log in.
    account: bool,
    services: usize,
}

impl DeskPage for Team {
    const OPERATION: &'static Operation = &named("deskTeam");
    const PATTERN: &'static str = "/desk/team";

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        let own =
            |member: &StaffMember| desk.actor().manages_calendars() || member.user_id == Some(desk.user.id);
        let list = staff::list(desk.core(), None, desk.is_admin()).await?;
        let people = list.iter().filter(|member| own(member)).map(|member| One {
            id: member.id,
            name: member.name.as_str().to_owned(),
            email: member.email.as_ref().map(|email| email.as_str().to_owned()).unwrap_or_default(),
            active: member.active,
            account: member.user_id.is_some(),
            services: member.service_ids.len(),
        });
        let facts = List { people: people.collect() };
        desk.page(StatusCode::OK, "desk/team.html.j2", "settings", None, &facts)
    }
}

/// `/desk/team/{id}`: name, address and account of a member of staff; `new` adds one.
pub struct Member;

const NAMES: [&str; 4] = ["name", "email", "about", "active"];

#[derive(Serialize)]
struct Facts {
    #[serde(flatten)]
    fields: Fields,
    id: Option<Uuid>,
    rev: i32,
    token: String,
    /// Whether they can be invited by mail, and whether they were.
    can_invite: bool,
    account: bool,
}

impl DeskPage for Member {
    const OPERATION: &'static Operation = &named("deskMember");
    const PATTERN: &'static str = "/desk/team/{id}";
    const POSTS: bool = true;
    const ADMIN: bool = true;

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        let notice = match desk.visit.query_param("done") {
            Some("saved") => Some(("desk_saved", "status")),
            Some("invited") => Some(("desk_invited", "status")),
            _ => None,
        };
        match id(desk)? {
            None => {
                let values = NAMES.map(|name| (name, String::new()));
                render(desk, StatusCode::OK, None, Fields::with(values), None, 1)
            }
            Some(id) => {
                let member = staff::get(desk.core(), id).await?;
                let rev = member.rev.0;
                render(desk, StatusCode::OK, notice, of_member(&member), Some(&member), rev)
            }
        }
    }

    async fn submit(desk: &Desk, form: Form) -> Result<Response, Problem> {
        let id = id(desk)?;
        let member = match id {
            Some(id) => Some(staff::get(desk.core(), id).await?),
            None => None,
        };
        if let Some(id) = id.filter(|_| form.text("invite").is_some()) {
            staff::invite(desk.core(), id, None).await?;
            return Ok(desk.go(&format!("/team/{id}"), &[("done", "invited")]));
        }
        let rev = form.text("rev").and_then(|text| text.parse().ok()).unwrap_or(1);
        let mut fields = Fields::of(&form, &NAMES);
        let name = fields.parse("name", "fault_name", PersonName::parse);
        let email = fields.parse_optional("email", "fault_email", EmailAddress::parse);
        let about = About::parse(fields.text("about"));
        if about.is_err() {
            fields.fault("about", "fault_note");
        }
        let (Some(name), Some(email), Ok(about)) = (name, email, about) else {
            let (status, notice) = (StatusCode::UNPROCESSABLE_ENTITY, Some(("book_faults", "alert")));
            return render(desk, status, notice, fields, member.as_ref(), rev);
        };
        let Some(member) = member else { return add(desk, &form, name, email).await };
        let active = Some(!fields.text("active").is_empty());
        let patch = StaffPatch {
            name: Some(name),
            email: Some(email),
            user_id: None,
            role: None,
            about: Some(about),
            active,
        };
        let expected = ExpectedRev::Exactly(Rev(rev));
        match staff::update(desk.core(), member.id, expected, patch).await {
            Ok(changed) if changed.stranded.is_empty() => {
                Ok(desk.go(&format!("/team/{}", member.id), &[("done", "saved")]))
            }
            Ok(_) => Ok(desk.go("/stranded", &[])),
            Err(Error::RevMismatch { current }) => {
                let notice = Some(("desk_stale_form", "alert"));
                let status = StatusCode::PRECONDITION_FAILED;
                render(desk, status, notice, fields, Some(&member), current.0)
            }
            Err(error) => Err(error.into()),
        }
    }
}

async fn add(
    desk: &Desk,
    form: &Form,
    name: PersonName,
    email: Option<EmailAddress>,
) -> Result<Response, Problem> {
    let state = &desk.visit.state;
    let key = desk.submission_key(form)?;
    let new = NewStaff { name, email, user_id: None };
    let made = staff::create(&state.core, &desk.actor(), Some(&key), new).await?;
    Ok(desk.go(&format!("/hours/{}", made.value.id), &[]))
}

/// The member of staff in the path; none: a new one.
fn id(desk: &Desk) -> Result<Option<Uuid>, Problem> {
    match desk.visit.step(2) {
        Some("new") => Ok(None),
        step => {
            let id = step.and_then(|text| Uuid::try_parse(text).ok());
            Ok(Some(id.ok_or(Error::NotFound("staff"))?))
        }
    }
}

fn of_member(member: &StaffMember) -> Fields {
    let email = member.email.as_ref().map(|email| email.as_str().to_owned());
    Fields::with([
        ("name", member.name.as_str().to_owned()),
        ("email", email.unwrap_or_default()),
        ("about", member.about.as_str().to_owned()),
        ("active", if member.active { "1" } else { "" }.to_owned()),
    ])
}

fn render(
    desk: &Desk,
    status: StatusCode,
    notice: Notice,
    fields: Fields,
    member: Option<&StaffMember>,
    rev: i32,
) -> Result<Response, Problem> {
    let facts = Facts {
        fields,
        id: member.map(|member| member.id),
        rev,
        token: desk.submission_token(),
        can_invite: member.is_some_and(|member| member.active && member.email.is_some()),
        account: member.is_some_and(|member| member.user_id.is_some()),
    };
    desk.page(status, "desk/member.html.j2", "settings", notice, &facts)
}
