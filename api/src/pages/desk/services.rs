use poem::{Response, http::StatusCode};
use punctual_core::{
    Error,
    calendar::ReminderRule,
    services::{self, Service, ServiceDisplay, ServicePatch, ServiceSpec},
    staff,
    types::{Currency, ExpectedRev, Label, Money, Note, Rev},
    wording::{decimal, price},
};
use serde::Serialize;
use uuid::Uuid;

use super::{Desk, DeskPage, Notice, fields::Fields, people::Person};
use crate::{
    contract::Operation,
    http::problem::Problem,
    pages::{form::Form, named},
};

/// `/desk/services`: what customers can book.
pub struct Services;

#[derive(Serialize)]
struct List {
    services: Vec<One>,
    /// Whether the first service was just added: customers can book now.
    opened: bool,
    /// Whether there is a booking page.
    booking_page: bool,
}

#[derive(Serialize)]
struct One {
    id: Uuid,
    name: String,
    about: String,
    active: bool,
    people: usize,
}

impl DeskPage for Services {
    const OPERATION: &'static Operation = &named("deskServices");
    const PATTERN: &'static str = "/desk/services";
    const ADMIN: bool = true;

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        let list = services::list(desk.core(), true).await?;
        let services = list.iter().map(|service| {
            let money = Money { minor: service.spec.price_minor, currency: service.currency };
            One {
                id: service.id,
                name: service.spec.name.as_str().to_owned(),
                about: format!("{} min · {}", service.spec.duration_min, price(money, desk.locale)),
                active: service.spec.active,
                people: service.spec.staff_ids.len(),
            }
        });
        let notice = match desk.visit.query_param("done") {
            Some("saved") => Some(("desk_saved", "status")),
            _ => None,
        };
        let opened = desk.visit.query_param("done") == Some("opened") && !list.is_empty();
        let booking_page = desk.visit.state.config.booking_page;
        let facts = List { services: services.collect(), opened, booking_page };
        desk.page(StatusCode::OK, "desk/services.html.j2", "settings", notice, &facts)
    }
}

/// `/desk/services/{id}`: a service; `new` adds one.
pub struct OneService;

const NAMES: [&str; 15] = [
    "name",
    "description",
    "category",
    "duration",
    "price",
    "capacity",
    "step",
    "buffer_before",
    "buffer_after",
    "notice",
    "horizon",
    "cancel_notice",
    "confirm",
    "reminder",
    "active",
];

#[derive(Serialize)]
struct Facts {
    #[serde(flatten)]
    fields: Fields,
    id: Option<Uuid>,
    rev: i32,
    token: String,
    currency: String,
    people: Vec<Person>,
}

impl DeskPage for OneService {
    const OPERATION: &'static Operation = &named("deskService");
    const PATTERN: &'static str = "/desk/services/{id}";
    const POSTS: bool = true;
    const ADMIN: bool = true;

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        if let Some(service) = find(desk).await? {
            let (fields, rev) = (of_service(&service), service.rev.0);
            let chosen = service.spec.staff_ids.clone();
            render(desk, StatusCode::OK, None, fields, Some(service.id), rev, &chosen).await
        } else {
            let all = staff::list(desk.core(), None, false).await?;
            let all: Vec<Uuid> = all.iter().map(|member| member.id).collect();
            render(desk, StatusCode::OK, None, first(), None, 1, &all).await
        }
    }

    async fn submit(desk: &Desk, form: Form) -> Result<Response, Problem> {
        let state = &desk.visit.state;
        let service = find(desk).await?;
        let rev = form.text("rev").and_then(|text| text.parse().ok()).unwrap_or(1);
        let chosen: Vec<Uuid> = form.all("staff").filter_map(|text| Uuid::try_parse(text).ok()).collect();
        let mut fields = Fields::of(&form, &NAMES);
        let id = service.as_ref().map(|service| service.id);
        let currency = desk.business()?.currency;
        let refused = StatusCode::UNPROCESSABLE_ENTITY;
        let Some(spec) = parse(&mut fields, currency, service.as_ref(), chosen.clone()) else {
            return render(desk, refused, Some(("book_faults", "alert")), fields, id, rev, &chosen).await;
        };
        let is_first = service.is_none() && services::list(desk.core(), true).await?.is_empty();
        let done = match &service {
            None => {
                let key = desk.submission_key(&form)?;
                services::create(&state.core, &desk.actor(), Some(&key), spec).await.map(|_| Vec::new())
            }
            Some(service) => {
                let expected = ExpectedRev::Exactly(Rev(rev));
                let patch = patch(spec);
                let changed = services::update(&state.core, service.id, expected, patch).await;
                changed.map(|changed| changed.stranded)
            }
        };
        match done {
            Ok(_) if is_first => Ok(desk.go("/services", &[("done", "opened")])),
            Ok(stranded) if stranded.is_empty() => Ok(desk.go("/services", &[("done", "saved")])),
            Ok(_) => Ok(desk.go("/stranded", &[])),
            Err(Error::RevMismatch { current }) => {
                let notice = Some(("desk_stale_form", "alert"));
                let status = StatusCode::PRECONDITION_FAILED;
                render(desk, status, notice, fields, id, current.0, &chosen).await
            }
            Err(Error::Invalid { pointer, .. }) => {
                fields.fault(field_of(pointer), "desk_fault_number");
                render(desk, refused, Some(("book_faults", "alert")), fields, id, rev, &chosen).await
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// The service of the path; none: a new one.
async fn find(desk: &Desk) -> Result<Option<Service>, Problem> {
    match desk.visit.step(2) {
        Some("new") => Ok(None),
        step => {
            let id = step.and_then(|text| Uuid::try_parse(text).ok()).ok_or(Error::NotFound("service"))?;
            Ok(Some(services::get(desk.core(), id).await?))
        }
    }
}

/// The field of the form for a value of the use case.
fn field_of(pointer: &str) -> &'static str {
    match pointer {
        "/duration_min" => "duration",
        "/slot_step_min" => "step",
        "/buffer_before_min" => "buffer_before",
        "/buffer_after_min" => "buffer_after",
        "/capacity" => "capacity",
        "/min_notice_min" => "notice",
        "/horizon_days" => "horizon",
        "/cancel_notice_min" | "/reschedule_notice_min" => "cancel_notice",
        "/price_minor" => "price",
        _ => "name",
    }
}

fn of_service(service: &Service) -> Fields {
    let spec = &service.spec;
    let flag = |on: bool| if on { "1" } else { "" }.to_owned();
    let money = Money { minor: spec.price_minor, currency: service.currency };
    Fields::with([
        ("name", spec.name.as_str().to_owned()),
        ("description", spec.description.as_str().to_owned()),
        (
            "category",
            spec.display.category.as_ref().map(|label| label.as_str().to_owned()).unwrap_or_default(),
        ),
        ("duration", spec.duration_min.to_string()),
        ("price", decimal(money)),
        ("capacity", spec.capacity.to_string()),
        ("step", spec.slot_step_min.to_string()),
        ("buffer_before", spec.buffer_before_min.to_string()),
        ("buffer_after", spec.buffer_after_min.to_string()),
        ("notice", (spec.min_notice_min / 60).to_string()),
        ("horizon", spec.horizon_days.to_string()),
        ("cancel_notice", (spec.cancel_notice_min / 60).to_string()),
        ("confirm", flag(spec.requires_confirmation)),
        ("reminder", flag(!spec.reminders.is_empty())),
        ("active", flag(spec.active)),
    ])
}

/// Default values.
fn first() -> Fields {
    let values = [
        ("duration", "45"),
        ("capacity", "1"),
        ("step", "15"),
        ("buffer_before", "0"),
        ("buffer_after", "0"),
        ("notice", "1"),
        ("horizon", "60"),
        ("cancel_notice", "24"),
        ("reminder", "1"),
        ("active", "1"),
    ];
    let value = |name| values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| *value);
    Fields::with(NAMES.map(|name| (name, value(name).to_owned())))
}

fn parse(
    fields: &mut Fields,
    currency: Currency,
    service: Option<&Service>,
    staff_ids: Vec<Uuid>,
) -> Option<ServiceSpec> {
    let name = fields.parse("name", "fault_name", Label::parse);
    let description = Note::parse(fields.text("description"));
    if description.is_err() {
        fields.fault("description", "fault_note");
    }
    let category = fields.parse_optional("category", "fault_name", Label::parse);
    let price_minor = fields.parse("price", "desk_fault_price", |text| minor(text, currency).ok_or(()));
    let mut number = |name| fields.parse(name, "desk_fault_number", str::parse::<u32>);
    let duration_min = number("duration");
    let capacity = number("capacity");
    let slot_step_min = number("step");
    let buffer_before_min = number("buffer_before");
    let buffer_after_min = number("buffer_after");
    let hours = |hours: u32| hours.checked_mul(60);
    let notice = number("notice").and_then(hours);
    let horizon_days = number("horizon");
    let cancel = number("cancel_notice").and_then(hours);
    let on = |name: &str| !fields.text(name).is_empty();
    let old = service.map(|service| &service.spec);
    // Rules set over the API are not changed.
    let kept = old.map(|spec| spec.reminders.clone()).filter(|rules| !rules.is_empty());
    let reminders = if on("reminder") {
        kept.unwrap_or_else(|| vec![ReminderRule::Offset { minutes: 24 * 60 }])
    } else {
        Vec::new()
    };
    // A notice that is not whole hours is not changed either, unless the form's value changed.
    let exact = |hours: u32, old: Option<u32>| old.filter(|old| old / 60 * 60 == hours).unwrap_or(hours);
    let notice = exact(notice?, old.map(|spec| spec.min_notice_min));
    let cancel_notice = exact(cancel?, old.map(|spec| spec.cancel_notice_min));
    Some(ServiceSpec {
        name: name?,
        description: description.ok()?,
        duration_min: duration_min?,
        slot_step_min: slot_step_min?,
        buffer_before_min: buffer_before_min?,
        buffer_after_min: buffer_after_min?,
        capacity: capacity?,
        min_notice_min: notice,
        horizon_days: horizon_days?,
        cancel_notice_min: cancel_notice,
        reschedule_notice_min: old
            .filter(|spec| spec.cancel_notice_min == cancel_notice)
            .map_or(cancel_notice, |spec| spec.reschedule_notice_min),
        requires_confirmation: on("confirm"),
        price_minor: price_minor?,
        active: on("active"),
        reminders,
        staff_ids,
        display: ServiceDisplay {
            category: category?,
            ..old.map(|spec| spec.display.clone()).unwrap_or_default()
        },
    })
}

fn patch(spec: ServiceSpec) -> ServicePatch {
    ServicePatch {
        name: Some(spec.name),
        description: Some(spec.description),
        duration_min: Some(spec.duration_min),
        slot_step_min: Some(spec.slot_step_min),
        buffer_before_min: Some(spec.buffer_before_min),
        buffer_after_min: Some(spec.buffer_after_min),
        capacity: Some(spec.capacity),
        min_notice_min: Some(spec.min_notice_min),
        horizon_days: Some(spec.horizon_days),
        cancel_notice_min: Some(spec.cancel_notice_min),
        reschedule_notice_min: Some(spec.reschedule_notice_min),
        requires_confirmation: Some(spec.requires_confirmation),
        price_minor: Some(spec.price_minor),
        active: Some(spec.active),
        reminders: Some(spec.reminders),
        staff_ids: Some(spec.staff_ids),
        category: Some(spec.display.category),
        ..ServicePatch::default()
    }
}

/// An amount such as `45`, `45.00` or `45,00` in the currency's minor unit.
/// An amount as it is written, in minor units.
pub(super) fn minor(text: &str, currency: Currency) -> Option<i64> {
    let zero = decimal(Money { minor: 0, currency });
    let digits = zero.split_once('.').map_or(0, |(_, rest)| rest.len());
    let (whole, rest) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(rest) || rest.len() > digits || whole.len() > 12 {
        return None;
    }
    format!("{whole}{rest:0<digits$}").parse().ok()
}

async fn render(
    desk: &Desk,
    status: StatusCode,
    notice: Notice,
    fields: Fields,
    id: Option<Uuid>,
    rev: i32,
    chosen: &[Uuid],
) -> Result<Response, Problem> {
    let list = staff::list(desk.core(), None, false).await?;
    let people = list.iter().map(|member| {
        let current = chosen.contains(&member.id).then_some(member.id);
        Person::new(member, current)
    });
    let facts = Facts {
        fields,
        id,
        rev,
        token: desk.submission_token(),
        currency: desk.business()?.currency.to_string(),
        people: people.collect(),
    };
    desk.page(status, "desk/service.html.j2", "settings", notice, &facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_as_people_write_them() {
        let read = |text, code| minor(text, Currency::parse(code).unwrap());
        assert_eq!(
            [read("45", "EUR"), read("45.5", "EUR"), read("45,05", "EUR")],
            [Some(4500), Some(4550), Some(4505)]
        );
        assert_eq!(
            [read("4500", "JPY"), read("4,5", "JPY"), read("1.234", "KWD")],
            [Some(4500), None, Some(1234)]
        );
        for bad in ["", "x", "-1", "1.234", "1 000", ".5", "9999999999999"] {
            assert_eq!(read(bad, "EUR"), None, "{bad}");
        }
    }
}
