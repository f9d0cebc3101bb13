use std::{borrow::Cow, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use poem::{Response, http::StatusCode};
use punctual_core::{
    Error, VisitConflict, VisitSlot,
    bookings::{self, Booker, BookingStatus, NewVisit, RequestedSlot, SlotSource},
    idempotency::Answer,
    links::{Link, Purpose},
    services::Service,
    slots::{self, VisitService},
    types::Money,
    wording::{When, price},
};
use serde::Serialize;
use uuid::Uuid;

use super::{chain, who};
use crate::{
    http::problem::{Code, Problem},
    pages::{
        book::{
            Site, Visitor,
            details::{Details, Request},
            form_token,
            input::{Faults, Input, submitted},
            limits::count,
            staff_choice::StaffChoice,
            summary::ServiceFacts,
            taken,
        },
        chain::Chain,
        form::Form,
        html,
        signed_in::session,
        times::parse_compact,
    },
    throttle::{Allowance, Policy},
};

/// The start that was chosen for the services of the path.
struct Chosen<'f> {
    chain: Chain<'f>,
    who: StaffChoice,
    /// Whether the path's member of staff performs none of the services any more; then it is anyone.
    left: bool,
    start: DateTime<Utc>,
}

/// The visit, for `visit.html.j2`.
#[derive(Serialize)]
struct Summary {
    /// All services as one.
    service: ServiceFacts,
    when: When,
    /// None if the visitor's zone has the same time.
    when_for_customer: Option<When>,
    parts: Vec<Part>,
}

/// One of its services.
#[derive(Serialize)]
struct Part {
    /// `10:00–11:00`; none if the visit does not fit.
    hours: Option<String>,
    name: String,
    staff: Option<String>,
    price: Option<String>,
}

#[derive(Serialize)]
struct Facts {
    #[serde(flatten)]
    summary: Summary,
    #[serde(flatten)]
    details: Details,
    back: String,
    token: String,
    /// Who is shown for each service, which the form sends back; empty if the visit does not fit.
    staff: Vec<Uuid>,
    /// Whether somebody whom the form showed before no longer performs their service.
    staff_changed: bool,
}

/// The page after a booking within a frame, which the booking's page does not allow.
#[derive(Serialize)]
struct Done {
    #[serde(flatten)]
    summary: Summary,
    kind: &'static str,
    manage: String,
}

impl<'f> Chosen<'f> {
    fn of(visitor: &Visitor, site: &'f Site) -> Result<Self, Problem> {
        let chain = chain(visitor, &site.storefront.front)?;
        let who = who(visitor, &chain)?;
        Self::at(visitor, chain, who, false)
    }

    /// The same for a form, which is shown again if its staff have changed.
    fn of_form(visitor: &Visitor, site: &'f Site) -> Result<Self, Problem> {
        let chain = chain(visitor, &site.storefront.front)?;
        match who(visitor, &chain) {
            Ok(who) => Self::at(visitor, chain, who, false),
            Err(_) if visitor.visit.step(2).is_some_and(|step| Uuid::try_parse(step).is_ok()) => {
                Self::at(visitor, chain, StaffChoice::Anyone, true)
            }
            Err(problem) => Err(problem),
        }
    }

    fn at(visitor: &Visitor, chain: Chain<'f>, who: StaffChoice, left: bool) -> Result<Self, Problem> {
        let start = visitor.visit.step(3).and_then(parse_compact).ok_or(Error::NotFound("slot"))?;
        Ok(Self { chain, who, left, start })
    }

    /// URL of the times.
    fn times(&self, visitor: &Visitor) -> String {
        format!("{}book/{}/{}", visitor.visit.root(), self.chain.ids(), self.who.step())
    }

    /// The services, each by whom the form showed: their price and duration may be their own. By whom the path names if it
    /// showed nobody, because the visit did not fit then. None if one of them no longer performs their service.
    ///
    /// # Errors
    /// `not_found` unless the form has an id for each service, or none.
    fn shown(&self, form: &Form) -> Result<Option<Vec<VisitService>>, Problem> {
        let mut wanted = self.chain.wanted(self.who.id());
        let shown: Result<Vec<Uuid>, _> = form.all("staff").map(Uuid::try_parse).collect();
        let shown = shown.map_err(|_| Error::NotFound("staff"))?;
        if shown.is_empty() {
            return Ok(Some(wanted).filter(|_| !self.left));
        }
        if shown.len() != wanted.len() {
            return Err(Error::NotFound("staff").into());
        }
        for ((part, service), id) in wanted.iter_mut().zip(self.chain.services()).zip(shown) {
            if !service.spec.staff_ids.contains(&id) {
                return Ok(None);
            }
            part.staff_id = Some(id);
        }
        Ok(Some(wanted))
    }
}

/// `/book/{services}/{who}/{start}`: the visit and the form that books it.
pub async fn show(visitor: &Visitor) -> Result<Response, Problem> {
    let site = Site::of(visitor).await?;
    let chosen = Chosen::of(visitor, &site)?;
    let (keys, now) = (&visitor.visit.state.links, visitor.visit.state.core.now());
    // The token is in the URL, so that reloading the page creates no second key.
    let Some(token) = visitor.visit.query_param("k").filter(|token| form_token::is_good(keys, now, token))
    else {
        let query = visitor.carry_with(&[("k", &form_token::new(keys, now))]);
        let step = visitor.visit.step(3).unwrap_or_default();
        return Ok(html::see_other(&format!("{step}{query}")));
    };
    if let Some(visit) = booked_before(visitor, token).await? {
        return booked(visitor, &site, &chosen, &visit);
    }
    let session = session::of(&visitor.visit.state, &visitor.visit.headers).await?;
    if session.is_none() && !site.business().guests_allowed {
        return Err(Error::LoginRequired.into());
    }
    let empty = (&Input::default(), &Faults::new());
    render(visitor, &site, &chosen, StatusCode::OK, token, empty, false).await
}

/// The visit that this form has booked.
///
/// # Errors
/// `link_void` for an invalid or expired token.
async fn booked_before(visitor: &Visitor, token: &str) -> Result<Option<bookings::Visit>, Problem> {
    let state = &visitor.visit.state;
    let key = form_token::key(&state.links, state.core.now(), token)?;
    Ok(bookings::visit_of_form(&state.core, &key).await?)
}

/// Books the visit.
pub async fn submit(visitor: &Visitor, form: &Form) -> Result<Response, Problem> {
    let site = Site::of(visitor).await?;
    let chosen = Chosen::of_form(visitor, &site)?;
    let input = submitted(form).unwrap_or_default();
    let token = form.text("token").unwrap_or_default();
    if let Some(visit) = booked_before(visitor, token).await? {
        return booked(visitor, &site, &chosen, &visit);
    }
    // Another start was chosen in place of one that did not fit.
    if form.text("check").is_some() {
        let entered = (&input, &Faults::new());
        return render(visitor, &site, &chosen, StatusCode::OK, token, entered, false).await;
    }
    let services = chosen.shown(form)?;
    let request = match Request::of(visitor, &input).await? {
        Ok(request) => request,
        Err(faults) => {
            let (status, changed) = (StatusCode::UNPROCESSABLE_ENTITY, services.is_none());
            return render(visitor, &site, &chosen, status, token, (&input, &faults), changed).await;
        }
    };
    let Some(services) = services else {
        let (status, entered) = (Code::VisitConflict.status(), (&input, &Faults::new()));
        return render(visitor, &site, &chosen, status, token, entered, true).await;
    };
    match book(visitor, chosen.start, services, &request, token).await {
        Ok(visit) => booked(visitor, &site, &chosen, &visit),
        Err(Refusal::Core(Error::VisitConflict(conflict))) => {
            let VisitConflict { no, alternatives, .. } = *conflict;
            let unfit = chosen.chain.names(visitor.locale).into_iter().nth(no.saturating_sub(1));
            // Others than the form showed may be free.
            let (core, wanted) = (&visitor.visit.state.core, chosen.chain.wanted(chosen.who.id()));
            let near = slots::nearest_visits(core, &wanted, chosen.start).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "no alternatives with other staff for a visit that does not fit");
                alternatives
            });
            taken::of_visit(visitor, &chosen.times(visitor), unfit.unwrap_or_default(), &near, &input).await
        }
        Err(Refusal::Core(error)) => Err(error.into()),
        Err(Refusal::Problem(problem)) => Err(problem),
    }
}

enum Refusal {
    Core(Error),
    Problem(Problem),
}

/// Books the visit once per form, within the limits of `POST /v1/visits`.
async fn book(
    visitor: &Visitor,
    start: DateTime<Utc>,
    services: Vec<VisitService>,
    request: &Request,
    token: &str,
) -> Result<bookings::Visit, Refusal> {
    let state = &visitor.visit.state;
    let key = form_token::key(&state.links, state.core.now(), token).map_err(Refusal::Problem)?;
    let mut services = services.into_iter();
    let first = services.next().ok_or(Refusal::Core(Error::NotFound("service")))?;
    let slot = RequestedSlot { service_id: first.service_id, staff_id: first.staff_id, start, seats: 1 };
    let new = NewVisit { first: request.booking(SlotSource::Slot(slot)), then: services.collect() };
    let limits = &[Policy::BookingAddress, Policy::BookingAccount, Policy::BookingEmail];
    let allowance = Allowance::new(Arc::clone(state), limits, visitor.visit.address);
    let email = match &request.booker {
        Booker::Person(person) => person.email.as_ref(),
        Booker::Myself | Booker::Customer(_) => None,
    };
    let answer: Result<Answer<bookings::Visit>, Refusal> = async {
        count(visitor, &allowance, &request.actor, email).await.map_err(Refusal::Problem)?;
        bookings::create_visit_of_form(&state.core, &request.actor, &key, new).await.map_err(Refusal::Core)
    }
    .await;
    let (status, replayed) = match &answer {
        Ok(answer) => (StatusCode::CREATED, answer.replayed),
        Err(Refusal::Problem(problem)) => (problem.code.status(), false),
        Err(Refusal::Core(_)) => (Code::VisitConflict.status(), false),
    };
    allowance.settle(status.as_u16(), replayed).await;
    answer.map(|answer| answer.value)
}

/// Redirects to the page of the first booking; within a frame, which that page does not allow, shows the visit.
fn booked(
    visitor: &Visitor,
    site: &Site,
    chosen: &Chosen<'_>,
    visit: &bookings::Visit,
) -> Result<Response, Problem> {
    let state = &visitor.visit.state;
    let manage = Link { purpose: Purpose::Manage, id: visit.id, epoch: 0 };
    if visitor.embed.is_none() {
        let token = manage.token(&state.links);
        return Ok(html::see_other(&format!("{}m/{token}?done=visit", visitor.visit.root())));
    }
    let is_pending = |booking: &bookings::Booking| booking.status == BookingStatus::Pending;
    let kind = if visit.bookings.iter().any(is_pending) { "book_requested" } else { "book_booked" };
    let times = visit.bookings.iter().map(|booking| Placed {
        start: booking.start.to_utc(),
        end: booking.end.to_utc(),
        staff_id: booking.staff.id,
    });
    let facts = Done {
        summary: summary(visitor, site, chosen, &times.collect::<Vec<_>>()),
        kind,
        manage: manage.url(&state.links, &state.public_url),
    };
    site.page(visitor, StatusCode::OK, "book/done.html.j2", &facts)
}

async fn render(
    visitor: &Visitor,
    site: &Site,
    chosen: &Chosen<'_>,
    status: StatusCode,
    token: &str,
    (input, faults): (&Input, &Faults),
    staff_changed: bool,
) -> Result<Response, Problem> {
    let (core, zone) = (&visitor.visit.state.core, site.business().zone);
    let planned = chosen.chain.planned(core, zone, chosen.who.id(), chosen.start).await?;
    let has_reminders = chosen.chain.services().iter().any(|service| !service.spec.reminders.is_empty());
    let places = planned.map(Placed::of).unwrap_or_default();
    let facts = Facts {
        summary: summary(visitor, site, chosen, &places),
        details: Details::of(visitor, input, faults, has_reminders).await?,
        back: format!("{}{}", chosen.times(visitor), visitor.carry()),
        token: token.to_owned(),
        staff: places.iter().map(|placed| placed.staff_id).collect(),
        staff_changed,
    };
    site.page(visitor, status, "book/visit.html.j2", &facts)
}

/// The place of a service.
struct Placed {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    staff_id: Uuid,
}

impl Placed {
    fn of(slot: VisitSlot) -> Vec<Self> {
        let parts = slot.services.into_iter();
        let placed = parts.map(|part| Self {
            start: part.start.to_utc(),
            end: part.end.to_utc(),
            staff_id: part.staff_id,
        });
        placed.collect()
    }
}

/// The visit in words; `places` is empty if it does not fit.
fn summary(visitor: &Visitor, site: &Site, chosen: &Chosen<'_>, places: &[Placed]) -> Summary {
    let (zone, locale) = (site.business().zone, visitor.locale);
    let by = |at: usize| places.get(at).map(|placed| placed.staff_id).or(chosen.who.id());
    let services: Vec<Cow<'_, Service>> =
        (0..).zip(chosen.chain.services()).map(|(at, service)| service.performed_by(by(at))).collect();
    let minutes: u32 = services.iter().map(|service| service.spec.duration_min).sum();
    let end = chosen.start + TimeDelta::minutes(i64::from(minutes));
    let end = places.last().map_or(end, |last| last.end);
    let elsewhere =
        visitor.zone.filter(|other| other.at(chosen.start).offset() != zone.at(chosen.start).offset());
    let when = |zone| When::new(chosen.start, end, zone, locale);
    let parts = services.iter().enumerate().map(|(at, service)| {
        let place = places.get(at);
        let money = Money { minor: service.spec.price_minor, currency: service.currency };
        let staff = site.storefront.front.staff.iter();
        let name = |placed: &Placed| staff.clone().find(|member| member.id == placed.staff_id);
        Part {
            hours: place.map(|placed| When::new(placed.start, placed.end, zone, locale).hours),
            name: service.spec.text(locale).name.as_str().to_owned(),
            staff: place.and_then(name).map(|member| member.name.as_str().to_owned()),
            price: (money.minor > 0).then(|| price(money, locale)),
        }
    });
    Summary {
        parts: parts.collect(),
        service: ServiceFacts::of_visit(&services, locale),
        when: when(zone),
        when_for_customer: elsewhere.map(when),
    }
}
