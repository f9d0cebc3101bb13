//! Booking several services one after the other in one visit. Each is an ordinary booking, made by the same decision and the
//! same statement as a single one.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use punctual_queue::new_id;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::alternatives::looked_up;
use super::create::authorize;
use super::performers::performers;
use super::place::{Placement, staff_for};
use super::together::{NewPlace, book_together, customer};
use super::{Booker, Booking, NewBooking, RequestedSlot, SlotSource, calendars, mails, resources};
use crate::advisory_lock::lock_names;
use crate::calendar::{Limits, NoPlace, Placed, Refusal, local_date};
use crate::customers::{self, Contact};
use crate::idempotency::{self, Answer, Claim, Guest, IdempotencyKey, Request};
use crate::pool::again_if_cut;
use crate::slots::{self, ServiceTerms, VisitPlanner, VisitService};
use crate::transaction::{Outcome, Write, write};
use crate::types::{Actor, ParseError};
use crate::{BlockedBy, Core, Error, Result, VisitConflict, settings, staff};

/// A new visit. Repeated requests with one idempotency key are compared by its JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewVisit {
    /// The first service; what is not about its place holds for the others too.
    pub first: NewBooking,
    /// The other services, in order; at most four.
    pub then: Vec<VisitService>,
}

/// A visit that was booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// Its first booking, by which a stored answer is found when its customer is erased.
    pub id: Uuid,
    /// Its bookings, in order.
    pub bookings: Vec<Booking>,
}

/// Books all services of a visit in one transaction, or none. Each begins when the one before it ends, or as much later as
/// buffers demand. The limits are those of a booking, except that only the first service keeps the grid.
///
/// # Errors
/// [`Error::VisitConflict`] if a service has no place; `Invalid`, `NotFound` for a service, staff or customer;
/// `LoginRequired`, `Forbidden`, `StaffOnly`; those of an idempotency key; `Overloaded`.
pub async fn create_visit(
    core: &Core,
    actor: &Actor,
    key: &IdempotencyKey,
    new: NewVisit,
) -> Result<Answer<Visit>> {
    let request = request(actor, key, &new)?;
    create_once(core, actor, request, new).await
}

/// [`create_visit`] for the form of a page, which books one visit, whatever is changed in it before it is sent again:
/// then the answer is that visit. The key must be one that nobody can guess.
///
/// # Errors
/// As [`create_visit`], but not for a key that was used with another body.
pub async fn create_visit_of_form(
    core: &Core,
    actor: &Actor,
    key: &IdempotencyKey,
    new: NewVisit,
) -> Result<Answer<Visit>> {
    create_once(core, actor, request_of_form(key)?, new).await
}

/// The visit that was booked by the form with this key.
pub async fn visit_of_form(core: &Core, key: &IdempotencyKey) -> Result<Option<Visit>> {
    let request = request_of_form(key)?;
    again_if_cut(|| idempotency::answer(&core.pool, &request)).await
}

async fn create_once(core: &Core, actor: &Actor, request: Request, new: NewVisit) -> Result<Answer<Visit>> {
    authorize(actor, &new.first)?;
    let services = wanted(&new)?;
    let key_guard = request.lock(core).await?;
    let mut locked = BTreeSet::new();
    for slot in &services {
        locked.extend(performers(core, slot).await?);
    }
    let locked: Vec<Uuid> = locked.into_iter().collect();
    let guards = calendars::lock_in_process(core, &locked).await?;
    let work = CreateVisit { actor: *actor, request, new, services: services.clone(), locked };
    match write(core, Arc::new(work), (guards, key_guard)).await? {
        Decided::Made(answer) => Ok(answer),
        Decided::Refused(no_place) => Err(conflict(core, &services, no_place).await),
    }
}

/// Whether the key was used before: then [`create_visit`] replays its answer and books nothing.
pub async fn is_visit_repeated(
    core: &Core,
    actor: &Actor,
    key: &IdempotencyKey,
    new: &NewVisit,
) -> Result<bool> {
    idempotency::is_known(&core.pool, core.now(), &request(actor, key, new)?).await
}

fn request(actor: &Actor, key: &IdempotencyKey, new: &NewVisit) -> Result<Request> {
    let guest = match (&new.first.booker, actor) {
        (Booker::Person(Contact { email: Some(email), .. }), Actor::Guest) => Guest::Email(email),
        _ => Guest::Unknown,
    };
    Request::new("visits.create", actor, guest, key, new)
}

/// Neither the body nor who sends it distinguishes the requests of a form: a guest may correct the e-mail address, or log
/// in meanwhile.
fn request_of_form(key: &IdempotencyKey) -> Result<Request> {
    Request::new("visits.form", &Actor::Guest, Guest::Unknown, key, &())
}

/// The services in order, each as a slot of one seat with the start of the visit.
///
/// # Errors
/// `Invalid`.
fn wanted(new: &NewVisit) -> Result<Vec<RequestedSlot>> {
    let SlotSource::Slot(first) = &new.first.slot else {
        let error = ParseError::new("conflict", "a visit is booked without a hold");
        return Err(Error::Invalid { pointer: "/hold_id", error });
    };
    slots::require_services(new.then.len() + 1)?;
    let first = RequestedSlot { seats: 1, ..first.clone() };
    let then = new.then.iter().map(|service| RequestedSlot {
        service_id: service.service_id,
        staff_id: service.staff_id,
        ..first.clone()
    });
    Ok(std::iter::once(first.clone()).chain(then).collect())
}

struct CreateVisit {
    actor: Actor,
    request: Request,
    new: NewVisit,
    services: Vec<RequestedSlot>,
    /// The members of staff whose calendars are locked, by id.
    locked: Vec<Uuid>,
}

enum Decided {
    Made(Answer<Visit>),
    Refused(NoPlace),
}

impl Write for CreateVisit {
    type Output = Decided;

    async fn run(&self, tx: &mut PgConnection, now: DateTime<Utc>) -> Result<Outcome<Decided>> {
        if let Claim::Answered(value) = idempotency::claim(tx, now, &self.request).await? {
            return Ok(Outcome::Unchanged(Decided::Made(Answer { value, replayed: true })));
        }
        if matches!(self.actor, Actor::Guest) && !settings::get(&mut *tx).await?.guests_allowed {
            return Err(Error::LoginRequired);
        }
        staff::lock(tx, &self.locked).await?;
        let first = &self.new.first;
        if let Booker::Person(contact) = &first.booker {
            lock_names(tx, &[customers::contact_lock_name(contact)], true).await?;
        }
        let service_ids: BTreeSet<Uuid> = self.services.iter().map(|slot| slot.service_id).collect();
        let service_ids: Vec<Uuid> = service_ids.into_iter().collect();
        let needed = resources::ResourceChange { services: &service_ids, bookings: &[], staff: &self.locked };
        resources::lock(tx, now, needed, true).await?;
        calendars::expire_dead_holds(tx, now, &self.locked).await?;
        let customer = customer(tx, now, &self.actor, &first.booker).await?;
        let terms = slots::terms_of(tx, &service_ids, &self.locked).await?;
        let mut performed: Vec<(&ServiceTerms, Vec<Uuid>)> = Vec::with_capacity(self.services.len());
        for (at, slot) in self.services.iter().enumerate() {
            let found = staff_for(terms.get(&slot.service_id), slot, &self.locked);
            performed.push(found.map_err(|error| of_service(error, at))?);
        }
        let placed = match self.place(tx, now, &performed).await? {
            Ok(placed) => placed,
            Err(no_place) => return Ok(Outcome::Unchanged(Decided::Refused(no_place))),
        };
        let new = placed.into_iter().zip(&performed).map(|(placed, (terms, _))| NewPlace {
            id: new_id(now),
            placement: Placement { terms, staff_id: placed.staff_id, place: placed.place, seats: 1 },
            // No two services of a visit are of one class: they begin one after the other.
            seats_before: 0,
        });
        let made = book_together(tx, now, &self.actor, first, new.collect(), &customer).await?;
        let mut bookings: Vec<Booking> = made.into_iter().map(|row| row.seen_by(&self.actor)).collect();
        let id = bookings.first().map(|booking| booking.id);
        let id = id.ok_or_else(|| Error::internal("booking a visit", "it has no bookings"))?;
        if bookings.len() > 1 {
            join(tx, id, &bookings).await?;
            for booking in &mut bookings {
                booking.visit_id = Some(id);
            }
        }
        let value = Visit { id, bookings };
        idempotency::store(tx, &self.request, &value).await?;
        Ok(Outcome::Changed(Decided::Made(Answer { value, replayed: false }), mails::QUEUES))
    }
}

impl CreateVisit {
    async fn place(
        &self,
        tx: &mut PgConnection,
        now: DateTime<Utc>,
        performed: &[(&ServiceTerms, Vec<Uuid>)],
    ) -> Result<Result<Vec<Placed>, NoPlace>> {
        let Some((start, (terms, _))) = self.services.first().map(|slot| slot.start).zip(performed.first())
        else {
            return Err(Error::internal("booking a visit", "it has no services"));
        };
        let limits = if self.new.first.overriding { Limits::Overridden } else { Limits::Enforced };
        // Before arithmetic with the start.
        if let Some(refusal) = crate::calendar::out_of_reach(terms.zone, start, now, limits) {
            return Ok(Err(NoPlace { at: 0, refusal }));
        }
        let date = local_date(terms.zone, start);
        let services: Vec<(&ServiceTerms, &[Uuid])> =
            performed.iter().map(|(terms, staff_ids)| (*terms, staff_ids.as_slice())).collect();
        let loaded = VisitPlanner::load(tx, now, &services, (date, date)).await?;
        Ok(VisitPlanner::new(&loaded, &services, (date, date)).plan(start, now, limits))
    }
}

/// Stores which bookings are one visit.
async fn join(tx: &mut PgConnection, id: Uuid, bookings: &[Booking]) -> Result<()> {
    let ids: Vec<Uuid> = bookings.iter().map(|booking| booking.id).collect();
    let joined =
        sqlx::query!("UPDATE bookings SET visit_id = $1 WHERE id = ANY($2)", id, &ids).execute(tx).await?;
    if usize::try_from(joined.rows_affected()).ok() == Some(ids.len()) {
        return Ok(());
    }
    Err(Error::internal("joining a visit", "a booking is missing"))
}

/// The error of one of the services, with its place in the request.
fn of_service(error: Error, at: usize) -> Error {
    const POINTERS: [&str; slots::MAX_SERVICES] = [
        "/services/0/service_id",
        "/services/1/service_id",
        "/services/2/service_id",
        "/services/3/service_id",
        "/services/4/service_id",
    ];
    match (error, POINTERS.get(at)) {
        (Error::Invalid { error, .. }, Some(pointer)) => Error::Invalid { pointer, error },
        (error, _) => error,
    }
}

/// What the caller is told of a service without a place. Runs after the transaction, so that no lock is held meanwhile.
async fn conflict(core: &Core, services: &[RequestedSlot], no_place: NoPlace) -> Error {
    let NoPlace { at, refusal } = no_place;
    let blocked_by = match refusal {
        Refusal::ResourceTaken(blocker) => Some(BlockedBy::new(blocker.resource_id, blocker.any)),
        _ => None,
    };
    let asked = |slot: &RequestedSlot| VisitService { service_id: slot.service_id, staff_id: slot.staff_id };
    let asked: Vec<VisitService> = services.iter().map(asked).collect();
    let start = services.first().map(|slot| slot.start);
    let near = match start {
        Some(start) => slots::nearest_visits(core, &asked, start).await,
        None => Ok(Vec::new()),
    };
    let alternatives = near.unwrap_or_else(|error| {
        tracing::warn!(%error, "no alternatives for a visit that does not fit");
        Vec::new()
    });
    Error::VisitConflict(Box::new(VisitConflict {
        no: at + 1,
        service_id: services.get(at).map_or(Uuid::nil(), |slot| slot.service_id),
        code: refusal.code(),
        blocked_by: looked_up(core, blocked_by).await,
        alternatives,
    }))
}
