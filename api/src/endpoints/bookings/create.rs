use std::sync::Arc;

use chrono::{DateTime, FixedOffset};
use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Header};
use punctual_core::{
    bookings::{self, Booker, NewBooking, RequestedSlot, SlotSource},
    customers::Contact,
    idempotency,
    types::{Actor, Note},
};
use uuid::Uuid;

use super::limit;
use crate::{
    auth::Caller,
    contract::{Access, Operation, SuccessHeader},
    endpoints::Tag,
    http::{
        body::Body,
        problem::{Code, Fault, Place, Problem},
        reply::Created,
        values::{Email, IdempotencyKey, LanguageTag, Name, NoteText, PhoneNumber, TimeZone},
    },
    state::State,
    throttle::{Allowance, Policy},
    views::Booking,
};

/// A booking to be made: of a slot (`service_id` and `start`) or of a hold (`hold_id`).
#[derive(Debug, Object)]
pub struct BookingRequest {
    /// The service.
    service_id: Option<Uuid>,
    /// Who performs it; anyone who can when absent.
    staff_id: Option<Uuid>,
    /// When it starts, as `GET /v1/slots` lists it: RFC 3339 with an offset.
    start: Option<DateTime<FixedOffset>>,
    /// How many seats of a class, at most its capacity; 1 when absent. The price is that of the service for each seat.
    #[oai(validator(minimum(value = "1"), maximum(value = "500")))]
    seats: Option<u32>,
    /// The hold that keeps the slot, in place of the four above.
    hold_id: Option<Uuid>,
    /// For staff: the customer on file it is for.
    customer_id: Option<Uuid>,
    /// Who comes: a guest's own details, or, for staff, those of a new customer. Customers book for themselves and
    /// leave it out.
    contact: Option<ContactRequest>,
    /// Who comes in the customer's place, such as a child or partner; absent: the customer.
    for_whom: Option<Name>,
    /// What the customer writes.
    customer_note: Option<NoteText>,
    /// For staff: a note that customers never see.
    staff_note: Option<NoteText>,
    /// Whether the customer gets reminders of it; true when absent.
    reminders: Option<bool>,
    /// For staff: pass grid, hours, notice and horizon on purpose; never another booking. The start may be earlier today,
    /// for a walk-in customer.
    #[oai(rename = "override")]
    overriding: Option<bool>,
    /// For staff: whether the customer gets a mail that it was made; true when absent. Reminders stay.
    notify: Option<bool>,
}

/// A person by their details.
#[derive(Debug, Object)]
#[oai(rename = "Contact")]
pub struct ContactRequest {
    /// E-mail address for the confirmation. Staff may leave it out and give a phone number: then no mails are sent.
    email: Option<Email>,
    /// Name.
    name: Name,
    /// Phone number.
    phone: Option<PhoneNumber>,
    /// Language of mails; the business's when absent.
    locale: Option<LanguageTag>,
    /// Time zone that mails name beside the business's.
    zone: Option<TimeZone>,
    /// For staff: another person who shares the address or number, and a customer of their own. Else one address is one
    /// customer, and without an address one name and phone number.
    new_customer: Option<bool>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("createBooking", Access::Guests)
    .problems(&[
        Code::Unauthenticated,
        Code::Forbidden,
        Code::NotFound,
        Code::SlotTaken,
        Code::IdempotencyInProgress,
        Code::HoldExpired,
        Code::StartInPast,
        Code::TooSoon,
        Code::TooFar,
        Code::OutsideHours,
        Code::OffGrid,
        Code::IdempotencyKeyReused,
        Code::Unprocessable,
        Code::Overloaded,
    ])
    .headers(&[SuccessHeader::ETag, SuccessHeader::Location, SuccessHeader::IdempotencyReplayed])
    .limits(&[Policy::BookingAddress, Policy::BookingAccount, Policy::BookingEmail]);

#[derive(Default)]
pub struct CreateBooking;

#[OpenApi]
impl CreateBooking {
    /// Book a slot
    ///
    /// Books a slot and sends the confirmation. The `Idempotency-Key` makes repeating the request safe: the answer is
    /// stored for 24 hours and repeated, with `Idempotency-Replayed: true`. For an e-mail address that is not verified there
    /// are only a few new bookings a day.
    #[oai(path = "/v1/bookings", method = "post", operation_id = "createBooking", tag = "Tag::Bookings")]
    async fn create_booking(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        allowance: Allowance,
        /// A key of your choice, new for each booking.
        #[oai(name = "Idempotency-Key")]
        key: Header<IdempotencyKey>,
        body: Body<BookingRequest>,
    ) -> Result<Created<Booking>, Problem> {
        let actor = caller.actor();
        let key = key.0.parsed()?;
        let new = body.0.into_core(&actor)?;
        // The hold was counted when it was made.
        let counted_as_hold = match (actor.user_id(), &new.slot) {
            (Some(user_id), SlotSource::Hold(id)) => bookings::is_held_by(&state.core, *id, user_id).await?,
            _ => false,
        };
        if !counted_as_hold {
            let contact = match &new.booker {
                Booker::Person(contact) => contact.email.as_ref(),
                Booker::Myself | Booker::Customer(_) => None,
            };
            let repeated = bookings::is_repeated(&state.core, &actor, &key, &new);
            limit::count_unless_repeated(state, &allowance, &caller, contact, repeated).await?;
        }
        let answer = bookings::create(&state.core, &actor, Some(&key), new).await?;
        Ok(created(answer))
    }
}

/// The answer to a booking or a hold that was made, now or before.
pub(super) fn created(answer: idempotency::Answer<bookings::Booking>) -> Created<Booking> {
    let (rev, path) = (answer.value.rev, format!("/v1/bookings/{}", answer.value.id));
    Created::new(Booking::from(answer.value)).rev(rev).location(&path).replayed(answer.replayed)
}

impl ContactRequest {
    fn into_core(self) -> Contact {
        Contact {
            email: self.email.map(|email| email.0),
            name: self.name.0,
            phone: self.phone.map(|phone| phone.0),
            locale: self.locale.and_then(|tag| tag.0.locale()),
            zone: self.zone.map(|zone| zone.0),
            separate: self.new_customer.unwrap_or(false),
        }
    }
}

impl BookingRequest {
    fn into_core(self, actor: &Actor) -> Result<NewBooking, Problem> {
        let slot = slot_source(self.hold_id, self.service_id, self.staff_id, self.start, self.seats)?;
        let booker = booker(actor, self.customer_id, self.contact)?;
        let note = |text: Option<NoteText>| text.map_or_else(Note::empty, |text| text.0);
        Ok(NewBooking {
            slot,
            booker,
            for_whom: self.for_whom.map(|name| name.0),
            customer_note: note(self.customer_note),
            staff_note: note(self.staff_note),
            reminders: self.reminders.unwrap_or(true),
            overriding: self.overriding.unwrap_or(false),
            no_mail: !self.notify.unwrap_or(true),
        })
    }
}

/// The hold, or the slot, of the request.
fn slot_source(
    hold_id: Option<Uuid>,
    service_id: Option<Uuid>,
    staff_id: Option<Uuid>,
    start: Option<DateTime<FixedOffset>>,
    seats: Option<u32>,
) -> Result<SlotSource, Problem> {
    match (hold_id, service_id, start) {
        (Some(hold), None, None) if staff_id.is_none() && seats.is_none() => Ok(SlotSource::Hold(hold)),
        (None, Some(service_id), Some(start)) => {
            let seats = seats.unwrap_or(1);
            Ok(SlotSource::Slot(RequestedSlot { service_id, staff_id, start: start.to_utc(), seats }))
        }
        (Some(_), ..) => {
            Err(conflict("/hold_id", "a hold has its slot: leave service_id, staff_id, start and seats out"))
        }
        (None, service_id, start) => {
            let missing = [("/service_id", service_id.is_none()), ("/start", start.is_none())];
            let fault = |pointer: &str| Fault {
                place: Place::Body,
                pointer: pointer.to_owned(),
                code: "required",
                detail: "is required unless hold_id is given".into(),
            };
            Err(Problem::invalid(missing.iter().filter(|(_, is)| *is).map(|(p, _)| fault(p)).collect()))
        }
    }
}

/// The person whom the actor books for.
///
/// # Errors
/// A fault at `/contact` where it does not suit the actor; `unauthenticated` for a guest without contact.
pub(super) fn booker(
    actor: &Actor,
    customer_id: Option<Uuid>,
    contact: Option<ContactRequest>,
) -> Result<Booker, Problem> {
    match (actor, customer_id, contact) {
        (_, Some(_), Some(_)) => Err(conflict("/contact", "give either customer_id or contact")),
        (_, Some(id), None) => Ok(Booker::Customer(id)),
        (Actor::Guest, None, Some(contact)) if contact.email.is_none() => {
            Err(Problem::invalid_at(Place::Body, "/contact/email", "required", "is required"))
        }
        (Actor::Guest, None, Some(contact)) => Ok(Booker::Person(contact.into_core())),
        (Actor::Guest, None, None) => Err(Problem::new(Code::Unauthenticated)
            .detail("Log in, or give your contact where the business takes guests.")),
        (actor, None, Some(contact)) if actor.is_staff() => Ok(Booker::Person(contact.into_core())),
        (_, None, Some(_)) => Err(conflict("/contact", "customers book for themselves: leave it out")),
        (_, None, None) => Ok(Booker::Myself),
    }
}

fn conflict(pointer: &'static str, detail: &'static str) -> Problem {
    Problem::invalid_at(Place::Body, pointer, "conflict", detail)
}
