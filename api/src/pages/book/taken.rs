use poem::Response;
use punctual_core::{
    Alternative,
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
    let state = &visitor.visit.state;
    let site = Site::of(visitor).await?;
    let base = format!("{}book/{}/{}", visitor.visit.root(), service.id, who.step());
    let choice = |alternative: &Alternative| Choice {
        href: format!("{base}/{}{}", compact(alternative.start.to_utc()), visitor.carry()),
        label: format!(
            "{}, {}",
            long_day(alternative.start.date_naive(), visitor.locale),
            clock(alternative.start.time())
        ),
        token: form_token::new(&state.links, state.core.now()),
    };
    let kept = input.map(|input| {
        input.fields().map(|(name, value)| HiddenField { name, value: value.to_owned() }).collect()
    });
    let facts = Facts {
        alternatives: alternatives.iter().map(choice).collect(),
        kept,
        again: format!("{base}{}", visitor.carry()),
    };
    site.page(visitor, Code::SlotTaken.status(), "book/taken.html.j2", &facts)
}
