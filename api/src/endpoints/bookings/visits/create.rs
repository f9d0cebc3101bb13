use std::sync::Arc;

use chrono::{DateTime, FixedOffset};
use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Header};
use punctual_core::{
    bookings::{self, Booker, NewBooking, NewVisit, RequestedSlot, SlotSource},
    slots::VisitService,
    types::{Actor, Note},
};
use uuid::Uuid;

use crate::{
    auth::Caller,
    contract::{Access, Operation, SuccessHeader},
    endpoints::{
        Tag,
        bookings::{
            create::{ContactRequest, booker},
            limit,
        },
    },
    http::{
        body::Body,
        problem::{Code, Place, Problem},
        reply::Created,
        values::{IdempotencyKey, Name, NoteText},
    },
    state::State,
    throttle::{Allowance, Policy},
    views::Visit,
};

/// A visit to be booked.
#[derive(Debug, Object)]
pub struct VisitRequest {
    /// When its first service starts, as `GET /v1/visit-slots` lists it: RFC 3339 with an offset.
    start: DateTime<FixedOffset>,
    /// Its services, in order.
    #[oai(validator(min_items = 1, max_items = 5))]
    services: Vec<VisitServiceRequest>,
    /// For staff: the customer on file it is for.
    customer_id: Option<Uuid>,
    /// Who comes: a guest's own details, or, for staff, those of a new customer. Customers book for themselves and
    /// leave it out.
    contact: Option<ContactRequest>,
    /// Who comes in the customer's place, such as a child or partner; absent: the customer.
    for_whom: Option<Name>,
    /// What the customer writes; each booking has it.
    customer_note: Option<NoteText>,
    /// For staff: a note that customers never see; each booking has it.
    staff_note: Option<NoteText>,
    /// Whether the customer gets reminders; true when absent.
    reminders: Option<bool>,
    /// For staff: pass grid, hours, notice and horizon on purpose; never another booking.
    #[oai(rename = "override")]
    overriding: Option<bool>,
    /// For staff: whether the customer gets a mail that it was made; true when absent. Reminders stay.
    notify: Option<bool>,
}

/// A service of a visit.
#[derive(Debug, Object)]
#[oai(rename = "VisitService")]
pub struct VisitServiceRequest {
    /// The service.
    service_id: Uuid,
    /// Who performs it; absent: who performs the one before, if possible, else anyone who can.
    staff_id: Option<Uuid>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("createVisit", Access::Guests)
    .problems(&[
        Code::Unauthenticated,
        Code::Forbidden,
        Code::NotFound,
        Code::VisitConflict,
        Code::IdempotencyInProgress,
        Code::IdempotencyKeyReused,
        Code::Unprocessable,
        Code::Overloaded,
    ])
    .headers(&[SuccessHeader::IdempotencyReplayed])
    .limits(&[Policy::BookingAddress, Policy::BookingAccount, Policy::BookingEmail]);

#[derive(Default)]
pub struct CreateVisit;

#[OpenApi]
impl CreateVisit {
    /// Book several services in one visit
    ///
    /// Books up to five services one after the other, all or nothing, and sends one confirmation of all. Each is a booking
    /// of its own, which is moved and cancelled by itself. One reminder shows all that are left on its day. A service begins when the one before it ends, or,
    /// where buffers stand in the way, as much later as both buffers say. Only the first one keeps to the grid of starts. The
    /// member of staff of one service performs the next too, if possible and nobody else is asked for. A visit counts as one
    /// booking against limits.
    #[oai(path = "/v1/visits", method = "post", operation_id = "createVisit", tag = "Tag::Bookings")]
    async fn create_visit(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        allowance: Allowance,
        /// A key of your choice, new for each visit.
        #[oai(name = "Idempotency-Key")]
        key: Header<IdempotencyKey>,
        body: Body<VisitRequest>,
    ) -> Result<Created<Visit>, Problem> {
        let actor = caller.actor();
        let key = key.0.parsed()?;
        let new = body.0.into_core(&actor)?;
        let contact = match &new.first.booker {
            Booker::Person(contact) => contact.email.as_ref(),
            Booker::Myself | Booker::Customer(_) => None,
        };
        let repeated = bookings::is_visit_repeated(&state.core, &actor, &key, &new);
        limit::count_unless_repeated(state, &allowance, &caller, contact, repeated).await?;
        let answer = bookings::create_visit(&state.core, &actor, &key, new).await?;
        Ok(Created::new(answer.value.into()).replayed(answer.replayed))
    }
}

impl VisitRequest {
    fn into_core(self, actor: &Actor) -> Result<NewVisit, Problem> {
        let mut services = self.services.into_iter();
        let first = services.next().ok_or_else(|| {
            Problem::invalid_at(Place::Body, "/services", "too_few", "has at least one service")
        })?;
        let note = |text: Option<NoteText>| text.map_or_else(Note::empty, |text| text.0);
        let slot = RequestedSlot {
            service_id: first.service_id,
            staff_id: first.staff_id,
            start: self.start.to_utc(),
            seats: 1,
        };
        let first = NewBooking {
            slot: SlotSource::Slot(slot),
            booker: booker(actor, self.customer_id, self.contact)?,
            for_whom: self.for_whom.map(|name| name.0),
            customer_note: note(self.customer_note),
            staff_note: note(self.staff_note),
            reminders: self.reminders.unwrap_or(true),
            overriding: self.overriding.unwrap_or(false),
            no_mail: !self.notify.unwrap_or(true),
        };
        let then = services
            .map(|service| VisitService { service_id: service.service_id, staff_id: service.staff_id });
        Ok(NewVisit { first, then: then.collect() })
    }
}
