use std::sync::Arc;

use poem::{Response, http::StatusCode};
use punctual_core::{
    Error,
    bookings::{self, Booker, Booking, BookingStatus, NewBooking, RequestedSlot, SlotSource},
    links::{Link, Purpose},
    services::{self, Service},
    types::Actor,
    wording::clock,
};
use serde::Serialize;

use super::{
    BookPage, Visitor,
    details::{Details, Request},
    error_page, form_token,
    input::{Faults, Input, submitted},
    limits::count,
    site::Site,
    staff_choice::StaffChoice,
    summary::Summary,
    taken,
};
use crate::{
    contract::Operation,
    http::problem::{Code, Problem},
    pages::{form::Form, html, named},
    throttle::{Allowance, Policy},
};

/// `/h/{token}`: contact details. Its form books the hold.
pub struct Contact;

#[derive(Serialize)]
struct Facts {
    #[serde(flatten)]
    summary: Summary,
    /// Relative URL of the page.
    token: String,
    kept_until: String,
    can_renew: bool,
    #[serde(flatten)]
    details: Details,
}

impl BookPage for Contact {
    const OPERATION: &'static Operation = &named("pageContact");
    const PATTERN: &'static str = "/h/{token}";
    const POSTS: bool = true;

    async fn show(visitor: &Visitor) -> Result<Response, Problem> {
        let hold = held(visitor).await?;
        let token = format!("./{}", visitor.visit.token);
        match HoldState::of(visitor, &hold) {
            HoldState::Active => {
                render(visitor, &hold, StatusCode::OK, &token, &Input::default(), Faults::new()).await
            }
            HoldState::Booked => booked(visitor, &hold).await,
            HoldState::Expired => over(visitor, &hold).await,
        }
    }

    async fn submit(visitor: &Visitor, form: Form) -> Result<Response, Problem> {
        let hold = held(visitor).await?;
        let input = submitted(&form).unwrap_or_default();
        if HoldState::of(visitor, &hold) == HoldState::Booked {
            return Ok(to_booking(visitor, &hold));
        }
        let wanted = match Request::of(visitor, &input).await? {
            Ok(wanted) => wanted,
            Err(faults) => {
                let token = format!("./{}", visitor.visit.token);
                return render(visitor, &hold, StatusCode::UNPROCESSABLE_ENTITY, &token, &input, faults)
                    .await;
            }
        };
        match book(visitor, &hold, &wanted).await {
            Ok(booking) => Ok(to_booking(visitor, &booking)),
            Err(Refusal::Taken(alternatives)) => {
                let service = services::get(&visitor.visit.state.core, hold.service.id).await?;
                taken::page(visitor, &service, StaffChoice::Anyone, &alternatives, Some(input)).await
            }
            Err(Refusal::Problem(problem)) => Err(problem),
        }
    }
}

/// State of a hold for its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HoldState {
    Active,
    Booked,
    Expired,
}

impl HoldState {
    fn of(visitor: &Visitor, hold: &Booking) -> Self {
        let now = visitor.visit.state.core.now();
        match hold.status {
            BookingStatus::Held if hold.hold_expires_at.is_some_and(|end| end > now) => Self::Active,
            BookingStatus::Held => Self::Expired,
            BookingStatus::Expired if hold.customer.is_none() => Self::Expired,
            _ => Self::Booked,
        }
    }
}

/// The hold of the URL.
///
/// # Errors
/// `not_found`.
pub async fn held(visitor: &Visitor) -> Result<Booking, Problem> {
    let link = visitor.visit.link(Purpose::Hold)?;
    let actor = Actor::Link { booking_id: link.id };
    Ok(bookings::get(&visitor.visit.state.core, &actor, link.id).await?)
}

/// The form of a hold that replaces another, with the fields that were filled in for that one.
pub async fn again(visitor: &Visitor, hold: &Booking, path: &str, input: Input) -> Result<Response, Problem> {
    render(visitor, hold, StatusCode::OK, path, &input, Faults::new()).await
}

async fn render(
    visitor: &Visitor,
    hold: &Booking,
    status: StatusCode,
    token: &str,
    input: &Input,
    faults: Faults,
) -> Result<Response, Problem> {
    let core = &visitor.visit.state.core;
    let service = services::get(core, hold.service.id).await?;
    let site = Site::of(visitor).await?;
    let until = hold.hold_expires_at.map(|end| clock(hold.zone.at(end).time())).unwrap_or_default();
    let has_reminders = !service.spec.reminders.is_empty();
    let facts = Facts {
        summary: summary(visitor, &service, hold),
        token: token.to_owned(),
        kept_until: until,
        can_renew: bookings::can_renew(hold, core.now()),
        details: Details::of(visitor, input, &faults, has_reminders).await?,
    };
    site.page(visitor, status, "book/contact.html.j2", &facts)
}

fn summary(visitor: &Visitor, service: &Service, booking: &Booking) -> Summary {
    let staff = Some(booking.staff.name.clone());
    let service = service.performed_by(Some(booking.staff.id));
    let seats = booking.seats.unsigned_abs();
    Summary::new(visitor, (&service, seats), staff, booking.start.to_utc(), booking.zone)
}

enum Refusal {
    Taken(Vec<punctual_core::Alternative>),
    Problem(Problem),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::SlotTaken { alternatives, .. } => Self::Taken(alternatives),
            error => Self::Problem(error.into()),
        }
    }
}

/// Books the hold. An expired hold is booked too if the slot is still free.
async fn book(visitor: &Visitor, hold: &Booking, request: &Request) -> Result<Booking, Refusal> {
    let state = &visitor.visit.state;
    // The limits of the API's bookings.
    let limits = &[Policy::BookingAddress, Policy::BookingEmail];
    let allowance = Allowance::new(Arc::clone(state), limits, visitor.visit.address);
    let by_hold = request.booking(SlotSource::Hold(hold.id));
    let answer = async {
        // The hold of an account was counted when it was made.
        if let Booker::Person(person) = &request.booker
            && let Err(refusal) = count(visitor, &allowance, &request.actor, person.email.as_ref()).await
        {
            let key = form_token::named("hold", hold.id).map_err(Refusal::Problem)?;
            if !bookings::is_repeated(&state.core, &request.actor, &key, &by_hold).await? {
                return Err(Refusal::Problem(refusal));
            }
        }
        let slot = RequestedSlot {
            service_id: hold.service.id,
            staff_id: Some(hold.staff.id),
            start: hold.start.to_utc(),
            seats: hold.seats.unsigned_abs(),
        };
        match create(visitor, hold, "hold", &request.actor, by_hold.clone()).await {
            Err(Error::HoldExpired) => {
                let new = request.booking(SlotSource::Slot(slot));
                Ok(create(visitor, hold, "late", &request.actor, new).await?)
            }
            answer => Ok(answer?),
        }
    };
    let answer = answer.await;
    let (status, replayed) = match &answer {
        Ok(answer) => (StatusCode::CREATED, answer.replayed),
        Err(Refusal::Taken(_)) => (Code::SlotTaken.status(), false),
        Err(Refusal::Problem(problem)) => (problem.code.status(), false),
    };
    allowance.settle(status.as_u16(), replayed).await;
    answer.map(|answer| answer.value)
}

async fn create(
    visitor: &Visitor,
    hold: &Booking,
    what: &str,
    actor: &Actor,
    new: NewBooking,
) -> Result<punctual_core::idempotency::Answer<Booking>, Error> {
    let key = form_token::named(what, hold.id)
        .map_err(|problem| Error::internal("a page's key", format!("{:?}", problem.code)))?;
    bookings::create(&visitor.visit.state.core, actor, Some(&key), new).await
}

/// Redirects to the booking's page; within a frame, which that page does not allow, to a page that links to it.
fn to_booking(visitor: &Visitor, booking: &Booking) -> Response {
    let keys = &visitor.visit.state.links;
    let root = visitor.visit.root();
    let token = |purpose| Link { purpose, id: booking.id, epoch: 0 }.token(keys);
    html::see_other(&if visitor.embed.is_some() {
        format!("{root}h/{}{}", token(Purpose::Hold), visitor.carry())
    } else {
        format!("{root}m/{}?done=booked", token(Purpose::Manage))
    })
}

#[derive(Serialize)]
struct Done {
    #[serde(flatten)]
    summary: Summary,
    kind: &'static str,
    manage: String,
}

async fn booked(visitor: &Visitor, booking: &Booking) -> Result<Response, Problem> {
    if visitor.embed.is_none() {
        return Ok(to_booking(visitor, booking));
    }
    let state = &visitor.visit.state;
    let service = services::get(&state.core, booking.service.id).await?;
    let site = Site::of(visitor).await?;
    let kind = if booking.status == BookingStatus::Pending { "book_requested" } else { "book_booked" };
    let manage = Link { purpose: Purpose::Manage, id: booking.id, epoch: 0 };
    let facts = Done {
        summary: summary(visitor, &service, booking),
        kind,
        manage: manage.url(&state.links, &state.public_url),
    };
    site.page(visitor, StatusCode::OK, "book/done.html.j2", &facts)
}

async fn over(visitor: &Visitor, hold: &Booking) -> Result<Response, Problem> {
    let start = crate::pages::times::compact(hold.start.to_utc());
    let again = format!(
        "{}book/{}/{}/{start}{}",
        visitor.visit.root(),
        hold.service.id,
        hold.staff.id,
        visitor.carry()
    );
    error_page::message(
        visitor,
        Code::HoldExpired.status(),
        "book_hold_expired",
        None,
        (again, "book_check_again"),
    )
    .await
}
