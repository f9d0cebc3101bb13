use std::sync::Arc;

use poem::{Response, http::StatusCode};
use punctual_core::{
    Error,
    bookings::{self, Booker, Booking, BookingStatus, NewBooking, RequestedSlot, SlotSource},
    links::{Link, Purpose},
    services::{self, Service},
    types::{Actor, Note, PersonName},
    wording::clock,
};
use serde::Serialize;
use std::collections::BTreeMap;

use super::{
    BookPage, Visitor, error_page, form_token,
    input::{Input, submitted},
    limits::count,
    site::Site,
    staff_choice::StaffChoice,
    summary::Summary,
    taken,
};
use crate::{
    contract::Operation,
    http::problem::{Code, Problem},
    pages::{form::Form, html, named, signed_in::session},
    throttle::{Allowance, Policy},
};

/// `/h/{token}`: contact details. Its form books the hold.
pub struct Contact;

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Facts {
    #[serde(flatten)]
    summary: Summary,
    /// Relative URL of the page.
    token: String,
    kept_until: String,
    can_renew: bool,
    fields: Vec<Field>,
    /// Whether to offer the choice of reminders: the service has some.
    has_reminders: bool,
    no_reminder: bool,
    faulty: bool,
}

#[derive(Serialize)]
struct Field {
    name: &'static str,
    kind: &'static str,
    autocomplete: &'static str,
    longest: u16,
    required: bool,
    value: String,
    /// Key of the message about what is wrong with it.
    fault: Option<&'static str>,
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
                render(visitor, &hold, StatusCode::OK, &token, &Input::default(), BTreeMap::new()).await
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
        let who = session::of(&visitor.visit.state, &visitor.visit.headers).await?;
        let parsed = match &who {
            Some(who) => input
                .parsed_of_account()
                .map(|(note, for_whom)| (who.actor(), Booker::Myself, note, for_whom)),
            None => {
                input.parsed(visitor).map(|(person, note)| (Actor::Guest, Booker::Person(person), note, None))
            }
        };
        let wanted = match parsed {
            Ok((actor, booker, note, for_whom)) => {
                Request { actor, booker, for_whom, note, reminders: !input.no_reminder }
            }
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
    render(visitor, hold, StatusCode::OK, path, &input, BTreeMap::new()).await
}

async fn render(
    visitor: &Visitor,
    hold: &Booking,
    status: StatusCode,
    token: &str,
    input: &Input,
    faults: BTreeMap<&'static str, &'static str>,
) -> Result<Response, Problem> {
    let core = &visitor.visit.state.core;
    let service = services::get(core, hold.service.id).await?;
    let site = Site::of(visitor).await?;
    let until = hold.hold_expires_at.map(|end| clock(hold.zone.at(end).time())).unwrap_or_default();
    let field = |name: &'static str, kind, autocomplete, longest, required, value: &str| Field {
        name,
        kind,
        autocomplete,
        longest,
        required,
        value: value.to_owned(),
        fault: faults.get(name).copied(),
    };
    let mut fields = vec![
        field("name", "text", "name", 200, true, &input.name),
        field("email", "email", "email", 254, true, &input.email),
        field("phone", "tel", "tel", 40, false, &input.phone),
        field("for_whom", "text", "off", 200, false, &input.for_whom),
        field("note", "text", "off", 2000, false, &input.note),
    ];
    let has_account = session::of(&visitor.visit.state, &visitor.visit.headers).await?.is_some();
    fields.retain(|field| match field.name {
        "note" => true,
        "for_whom" => has_account,
        _ => !has_account,
    });
    let facts = Facts {
        summary: summary(visitor, &service, hold),
        token: token.to_owned(),
        kept_until: until,
        can_renew: bookings::can_renew(hold, core.now()),
        fields,
        has_reminders: !service.spec.reminders.is_empty(),
        no_reminder: input.no_reminder,
        faulty: !faults.is_empty(),
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

/// Booker, attendee and note.
struct Request {
    actor: Actor,
    booker: Booker,
    for_whom: Option<PersonName>,
    note: Note,
    reminders: bool,
}

impl Request {
    fn booking(&self, slot: SlotSource) -> NewBooking {
        NewBooking {
            slot,
            booker: self.booker.clone(),
            for_whom: self.for_whom.clone(),
            customer_note: self.note.clone(),
            staff_note: Note::empty(),
            reminders: self.reminders,
            overriding: false,
            silent: false,
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
    let kind = if booking.status == BookingStatus::Pending { "book_asked" } else { "book_booked" };
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
