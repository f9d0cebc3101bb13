use poem::{Response, http::StatusCode};
use punctual_core::{
    Error,
    services::{self, Service, StaffTerms},
    types::{ExpectedRev, Money, Rev},
    wording::decimal,
};
use serde::Serialize;
use uuid::Uuid;

use super::{Desk, DeskPage, Notice, services::minor};
use crate::{contract::Operation, http::problem::Problem, pages::form::Form, pages::named};

/// `/desk/services/{id}/staff-terms`: duration and price with single members of staff.
pub struct StaffTermsPage;

#[derive(Serialize)]
struct Facts {
    name: String,
    rev: i32,
    currency: String,
    /// Those of the service.
    minutes: u32,
    price: String,
    people: Vec<Own>,
}

#[derive(Serialize)]
struct Own {
    id: Uuid,
    name: String,
    /// Empty: as the service.
    minutes: String,
    price: String,
    fault: Option<&'static str>,
}

impl DeskPage for StaffTermsPage {
    const OPERATION: &'static Operation = &named("deskStaffTerms");
    const PATTERN: &'static str = "/desk/services/{id}/staff-terms";
    const POSTS: bool = true;
    const ADMIN: bool = true;

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        let service = find(desk).await?;
        let own = people(desk, &service, |id| stored(&service, id))?;
        render(desk, StatusCode::OK, None, &service, service.rev, own)
    }

    async fn submit(desk: &Desk, form: Form) -> Result<Response, Problem> {
        let service = find(desk).await?;
        let rev = form.value("rev", |text| text.parse().ok().map(Rev))?;
        let text = |name: &str, id: Uuid| {
            let text = form.text(&format!("{name}-{id}")).unwrap_or_default();
            text.trim().chars().take(20).collect::<String>()
        };
        let mut own = people(desk, &service, |id| (text("minutes", id), text("price", id)))?;
        let mut terms = Vec::with_capacity(own.len());
        for person in &mut own {
            match parsed(&service, person) {
                Ok(found) => terms.extend(found),
                Err(fault) => person.fault = Some(fault),
            }
        }
        if own.iter().any(|person| person.fault.is_some()) {
            let notice = Some(("book_faults", "alert"));
            return render(desk, StatusCode::UNPROCESSABLE_ENTITY, notice, &service, rev, own);
        }
        match services::put_staff_terms(desk.core(), service.id, ExpectedRev::Exactly(rev), terms).await {
            Ok(_) => Ok(desk.go("/services", &[("done", "saved")])),
            Err(error @ Error::RevMismatch { .. }) => {
                let status = Problem::from(error).code.status();
                let notice = Some(("desk_stale_form", "alert"));
                render(desk, status, notice, &service, service.rev, own)
            }
            Err(error) => Err(error.into()),
        }
    }
}

async fn find(desk: &Desk) -> Result<Service, Problem> {
    let id = desk.visit.step(2).and_then(|text| Uuid::try_parse(text).ok());
    Ok(services::get(desk.core(), id.ok_or(Error::NotFound("service"))?).await?)
}

/// Minutes and price as the form shows them.
fn stored(service: &Service, id: Uuid) -> (String, String) {
    let own = service.staff_terms.iter().find(|terms| terms.staff_id == id);
    let minutes = own.and_then(|own| own.duration_min).map(|minutes| minutes.to_string());
    let price = own.and_then(|own| own.price_minor);
    let price = price.map(|minor| decimal(Money { minor, currency: service.currency }));
    (minutes.unwrap_or_default(), price.unwrap_or_default())
}

fn people(
    desk: &Desk,
    service: &Service,
    values: impl Fn(Uuid) -> (String, String),
) -> Result<Vec<Own>, Problem> {
    let staff = desk.front()?.front.staff.iter();
    let performers = staff.filter(|member| service.spec.staff_ids.contains(&member.id));
    let own = performers.map(|member| {
        let (minutes, price) = values(member.id);
        Own { id: member.id, name: member.name.as_str().to_owned(), minutes, price, fault: None }
    });
    Ok(own.collect())
}

/// The terms of a person; none: those of the service.
fn parsed(service: &Service, person: &Own) -> Result<Option<StaffTerms>, &'static str> {
    let given = |text: &str| !text.is_empty();
    let minutes = match person.minutes.as_str() {
        "" => None,
        text => Some(text.parse().ok().filter(|n| (5..=1440).contains(n)).ok_or("desk_fault_number")?),
    };
    let price = match person.price.as_str() {
        "" => None,
        text => Some(minor(text, service.currency).ok_or("desk_fault_price")?),
    };
    let any = given(&person.minutes) || given(&person.price);
    Ok(any.then_some(StaffTerms { staff_id: person.id, duration_min: minutes, price_minor: price }))
}

fn render(
    desk: &Desk,
    status: StatusCode,
    notice: Notice,
    service: &Service,
    rev: Rev,
    people: Vec<Own>,
) -> Result<Response, Problem> {
    let facts = Facts {
        name: service.spec.text(desk.locale).name.as_str().to_owned(),
        rev: rev.0,
        currency: service.currency.as_str().to_owned(),
        minutes: service.spec.duration_min,
        price: decimal(Money { minor: service.spec.price_minor, currency: service.currency }),
        people,
    };
    desk.page(status, "desk/staff-terms.html.j2", "settings", notice, &facts)
}
