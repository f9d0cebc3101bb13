use chrono::{DateTime, FixedOffset};
use poem::Response;
use punctual_core::{
    Alternative, VisitSlot,
    services::Service,
    wording::{clock, long_day},
};
use serde::Serialize;

use super::{Visitor, form_token, input::Input, site::Site, staff_choice::StaffChoice};
use crate::{
    http::problem::{Code, Problem},
    pages::times::compact,
};

#[derive(Serialize)]
struct Facts {
    kind: &'static str,
    /// The service of a visit that has no place.
    unfit: Option<String>,
    alternatives: Vec<Choice>,
    /// Form fields to keep.
    kept: Option<Vec<HiddenField>>,
    again: String,
}

#[derive(Serialize)]
struct Choice {
    href: String,
    label: String,
    token: String,
}

#[derive(Serialize)]
struct HiddenField {
    name: &'static str,
    value: String,
}

/// The slot was taken: shows up to three alternatives and keeps the form's fields.
pub async fn page(
    visitor: &Visitor,
    service: &Service,
    who: StaffChoice,
    alternatives: &[Alternative],
    input: Option<Input>,
) -> Result<Response, Problem> {
    let base = format!("{}book/{}/{}", visitor.visit.root(), service.id, who.step());
    let starts = alternatives.iter().map(|alternative| alternative.start);
    let kept = input.as_ref().map(kept);
    show(visitor, Code::SlotTaken, ("book_taken", None), &base, starts.collect(), kept).await
}

/// A visit does not fit: as [`page`], with the service that has no place. The form for another start is shown before that
/// one is booked.
pub async fn of_visit(
    visitor: &Visitor,
    base: &str,
    unfit: String,
    alternatives: &[VisitSlot],
    input: &Input,
) -> Result<Response, Problem> {
    let starts = alternatives.iter().map(|slot| slot.start);
    let mut kept = kept(input);
    kept.push(HiddenField { name: "check", value: "yes".to_owned() });
    show(visitor, Code::VisitConflict, ("book_unfit", Some(unfit)), base, starts.collect(), Some(kept)).await
}

fn kept(input: &Input) -> Vec<HiddenField> {
    input.fields().map(|(name, value)| HiddenField { name, value: value.to_owned() }).collect()
}

async fn show(
    visitor: &Visitor,
    code: Code,
    (kind, unfit): (&'static str, Option<String>),
    base: &str,
    starts: Vec<DateTime<FixedOffset>>,
    kept: Option<Vec<HiddenField>>,
) -> Result<Response, Problem> {
    let state = &visitor.visit.state;
    let site = Site::of(visitor).await?;
    let choice = |start: DateTime<FixedOffset>| Choice {
        href: format!("{base}/{}{}", compact(start.to_utc()), visitor.carry()),
        label: format!("{}, {}", long_day(start.date_naive(), visitor.locale), clock(start.time())),
        token: form_token::new(&state.links, state.core.now()),
    };
    let facts = Facts {
        kind,
        unfit,
        alternatives: starts.into_iter().map(choice).collect(),
        kept,
        again: format!("{base}{}", visitor.carry()),
    };
    site.page(visitor, code.status(), "book/taken.html.j2", &facts)
}
