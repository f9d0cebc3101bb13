use chrono::{DateTime, Utc};
use poem::{Response, http::StatusCode};
use punctual_core::{
    Error,
    bookings::{self, Booking, NewHold, RequestedSlot},
    idempotency::Answer,
    links::{Link, Purpose},
    services::Service,
    staff,
    types::Actor,
};
use serde::Serialize;
use std::sync::Arc;

use super::{
    BookPage, Visitor, contact, form_token, input, limits::count, service, site::Site,
    staff_choice::StaffChoice, summary::Summary, taken, visit,
};
use crate::{
    contract::Operation,
    http::problem::{Code, Problem},
    pages::{
        form::Form,
        html, named,
        signed_in::session::{self, SignedIn},
        times::parse_compact,
    },
    throttle::{Allowance, Policy},
};

/// `/book/{service}/{who}/{start}`: the chosen time. Its form holds it for the visitor; that of a visit books it.
pub struct Choice;

/// How long a hold lasts.
const MINUTES: u32 = 10;

#[derive(Serialize)]
struct Facts {
    #[serde(flatten)]
    summary: Summary,
    back: String,
    token: String,
}

impl BookPage for Choice {
    const OPERATION: &'static Operation = &named("pageChoice");
    const PATTERN: &'static str = "/book/{service}/{who}/{start}";
    const POSTS: bool = true;

    async fn show(visitor: &Visitor) -> Result<Response, Problem> {
        if visit::is_asked_for(visitor) {
            return visit::form::show(visitor).await;
        }
        let chosen = Chosen::of(visitor).await?;
        let (keys, now) = (&visitor.visit.state.links, visitor.visit.state.core.now());
        // The token is in the URL, so that reloading the page creates no second key.
        let token = visitor.visit.query_param("k").filter(|token| form_token::is_good(keys, now, token));
        let Some(token) = token else {
            let token = form_token::new(keys, now);
            let query = visitor.carry_with(&[("k", &token)]);
            return Ok(html::see_other(&format!("{}{query}", chosen.step)));
        };
        let site = Site::of(visitor).await?;
        let staff = match chosen.who {
            StaffChoice::Anyone => None,
            StaffChoice::Staff(id) => {
                Some(staff::get(&visitor.visit.state.core, id).await?.name.as_str().to_owned())
            }
        };
        let seats = visitor.seats(&chosen.service);
        let service = chosen.service.performed_by(chosen.who.id());
        let summary = Summary::new(visitor, (&service, seats), staff, chosen.start, site.business().zone);
        let back = format!("../{}{}", chosen.who.step(), visitor.carry());
        let facts = Facts { summary, back, token: token.to_owned() };
        site.page(visitor, StatusCode::OK, "book/choice.html.j2", &facts)
    }

    async fn submit(visitor: &Visitor, form: Form) -> Result<Response, Problem> {
        if visit::is_asked_for(visitor) {
            return visit::form::submit(visitor, &form).await;
        }
        let chosen = Chosen::of(visitor).await?;
        let slot = RequestedSlot {
            service_id: chosen.service.id,
            staff_id: chosen.who.id(),
            start: chosen.start,
            seats: visitor.seats(&chosen.service),
        };
        match hold(visitor, &form, slot).await {
            Ok(answer) => held(visitor, &form, &answer.value).await,
            Err(Refusal::Core(Error::SlotTaken { alternatives, .. })) => {
                taken::page(visitor, &chosen.service, chosen.who, &alternatives, input::submitted(&form))
                    .await
            }
            Err(Refusal::Core(error)) => Err(error.into()),
            Err(Refusal::Problem(problem)) => Err(problem),
        }
    }
}

struct Chosen {
    service: Service,
    who: StaffChoice,
    start: DateTime<Utc>,
    /// The last step of the path.
    step: String,
}

impl Chosen {
    async fn of(visitor: &Visitor) -> Result<Self, Problem> {
        let service = service(visitor).await?;
        let who = StaffChoice::of(visitor, &service)?;
        let step = visitor.visit.step(3).unwrap_or_default().to_owned();
        let start = parse_compact(&step).ok_or(Error::NotFound("slot"))?;
        Ok(Self { service, who, start, step })
    }
}

enum Refusal {
    Core(Error),
    Problem(Problem),
}

/// Holds the slot, once per form.
async fn hold(visitor: &Visitor, form: &Form, slot: RequestedSlot) -> Result<Answer<Booking>, Refusal> {
    let state = &visitor.visit.state;
    let key = form_token::key(&state.links, state.core.now(), form.text("token").unwrap_or_default());
    let key = key.map_err(Refusal::Problem)?;
    let new = NewHold { slot, minutes: MINUTES };
    let guest = state.throttle.name_of(visitor.visit.address);
    let who = session::of(state, &visitor.visit.headers).await.map_err(Refusal::Problem)?;
    let actor = who.as_ref().map_or(Actor::Guest, SignedIn::actor);
    // The limits of the API's holds.
    let limits = &[Policy::BookingAddress, Policy::HoldAddress, Policy::HoldAccount, Policy::BookingEmail];
    let allowance = Allowance::new(Arc::clone(state), limits, visitor.visit.address);
    let answer = async {
        if let Err(refusal) = count(visitor, &allowance, &actor, None).await {
            let repeated = bookings::is_hold_repeated(&state.core, &actor, &guest, &key, &new).await;
            if !repeated.map_err(Refusal::Core)? {
                return Err(Refusal::Problem(refusal));
            }
        }
        bookings::hold(&state.core, &actor, &guest, Some(&key), new).await.map_err(Refusal::Core)
    };
    let answer = answer.await;
    let (status, replayed) = match &answer {
        Ok(answer) => (StatusCode::CREATED, answer.replayed),
        Err(Refusal::Problem(problem)) => (problem.code.status(), false),
        Err(Refusal::Core(_)) => (Code::SlotTaken.status(), false),
    };
    allowance.settle(status.as_u16(), replayed).await;
    answer
}

/// Redirects to the form of the hold, or renders it with the fields that were already filled in.
async fn held(visitor: &Visitor, form: &Form, hold: &Booking) -> Result<Response, Problem> {
    let token = Link { purpose: Purpose::Hold, id: hold.id, epoch: 0 }.token(&visitor.visit.state.links);
    let path = format!("{}h/{token}", visitor.visit.root());
    match input::submitted(form) {
        Some(input) => contact::again(visitor, hold, &path, input).await,
        None => Ok(html::see_other(&format!("{path}{}", visitor.carry()))),
    }
}
