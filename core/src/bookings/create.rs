//! Making a booking.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::event::{Change, write_booking};
use super::insert::{Particulars, insert};
use super::mails::{self, News};
use super::row::{self, Row};
use super::transitions::Action;
use super::{Booker, Booking, BookingStatus, NewBooking, Wanted, WantedSlot, calendars, place};
use crate::calendar::Limits;
use crate::customers;
use crate::idempotency::{self, Answer, Claim, Guest, IdempotencyKey, Request};
use crate::pool::again_if_cut;
use crate::slots::{self, ServiceTerms};
use crate::transaction::{Outcome, Write, write};
use crate::types::Actor;
use crate::{Core, Error, Result, settings, staff};

/// Makes a booking: confirmed, or pending where the service wants confirmation and the actor is not staff.
///
/// Errors: [`Error::SlotTaken`] with three alternatives; the refusals of the calendar (`StartInPast` to `OffGrid`);
/// `HoldExpired`; `NotFound` for service, staff or customer; `LoginRequired` for a guest where guests are not allowed;
/// `Forbidden` for what only staff may ask; `IdempotencyInProgress`, `IdempotencyKeyReused`; `Overloaded`.
pub async fn create(
    core: &Core,
    actor: &Actor,
    key: Option<&IdempotencyKey>,
    new: NewBooking,
) -> Result<Answer<Booking>> {
    permit(actor, &new)?;
    let request = key.map(|key| request(actor, key, &new)).transpose()?;
    let key_turn = match &request {
        Some(request) => Some(request.turn(core).await?),
        None => None,
    };
    let performers = match &new.slot {
        Wanted::Slot(slot) => again_if_cut(|| place::performers(core, slot)).await?,
        Wanted::Hold(id) => again_if_cut(|| keeper_of(core, *id)).await?.into_iter().collect(),
    };
    let turns = calendars::turns(core, &performers).await?;
    let work = Arc::new(Create { actor: *actor, request, new, performers });
    match write(core, Arc::clone(&work), (key_turn, turns)).await {
        Ok(answer) => Ok(answer),
        Err(error) => match &work.new.slot {
            Wanted::Slot(slot) => Err(place::with_alternatives(core, error, slot, None).await),
            Wanted::Hold(_) => Err(error),
        },
    }
}

/// Whether the key was used before: then [`create`] makes nothing new.
pub async fn is_repeated(core: &Core, actor: &Actor, key: &IdempotencyKey, new: &NewBooking) -> Result<bool> {
    idempotency::is_known(&core.pool, core.now(), &request(actor, key, new)?).await
}

fn request(actor: &Actor, key: &IdempotencyKey, new: &NewBooking) -> Result<Request> {
    let guest = match (&new.booker, actor) {
        (Booker::Person(contact), Actor::Guest) => Guest::Email(&contact.email),
        _ => Guest::Unknown,
    };
    Request::new("bookings.create", actor, guest, key, new)
}

/// Who may ask for what, as far as that is plain without looking.
fn permit(actor: &Actor, new: &NewBooking) -> Result<()> {
    if matches!(actor, Actor::Link { .. } | Actor::StaffLink { .. }) {
        return Err(Error::Forbidden);
    }
    match &new.booker {
        Booker::Myself if actor.user_id().is_none() => return Err(Error::LoginRequired),
        Booker::Customer(_) | Booker::Person(_) if actor.user_id().is_some() && !actor.is_staff() => {
            return Err(Error::Forbidden);
        }
        Booker::Customer(_) if !actor.is_staff() => return Err(Error::Forbidden),
        _ => {}
    }
    let for_staff = new.overriding || !new.staff_note.as_str().is_empty();
    if for_staff && !actor.is_staff() { Err(Error::Forbidden) } else { Ok(()) }
}

/// Guests book only where the business allows it.
pub(super) async fn admit(tx: &mut PgConnection, actor: &Actor) -> Result<()> {
    let admitted = !matches!(actor, Actor::Guest) || settings::get(tx).await?.guests_allowed;
    if admitted { Ok(()) } else { Err(Error::LoginRequired) }
}

/// Whose calendar a hold keeps. Without a hold there is no calendar to wait for, but the key may have an answer.
async fn keeper_of(core: &Core, hold_id: Uuid) -> Result<Option<Uuid>> {
    let staff_id = sqlx::query_scalar!("SELECT staff_id FROM bookings WHERE id = $1", hold_id)
        .fetch_optional(&core.pool)
        .await?;
    Ok(staff_id)
}

struct Create {
    actor: Actor,
    request: Option<Request>,
    new: NewBooking,
    performers: Vec<Uuid>,
}

impl Write for Create {
    type Output = Answer<Booking>;

    async fn run(&self, tx: &mut PgConnection, now: DateTime<Utc>) -> Result<Outcome<Self::Output>> {
        if let Some(request) = &self.request
            && let Claim::Answered(value) = idempotency::claim(tx, now, request).await?
        {
            return Ok(Outcome::Unchanged(Answer { value, replayed: true }));
        }
        admit(tx, &self.actor).await?;
        let (row, terms) = match &self.new.slot {
            Wanted::Slot(slot) => self.book_slot(tx, now, slot).await?,
            Wanted::Hold(id) => self.book_hold(tx, now, *id).await?,
        };
        mails::plan(tx, now, &row, News::Made, &terms.reminders).await?;
        let value = row.seen_by(&self.actor)?;
        if let Some(request) = &self.request {
            idempotency::store(tx, request, &value).await?;
        }
        Ok(Outcome::Changed(Answer { value, replayed: false }, mails::QUEUES))
    }
}

impl Create {
    async fn book_slot(
        &self,
        tx: &mut PgConnection,
        now: DateTime<Utc>,
        slot: &WantedSlot,
    ) -> Result<(Row, ServiceTerms)> {
        let limits = if self.new.overriding { Limits::Overridden } else { Limits::Enforced };
        let found = place::find(tx, now, slot, &self.performers, limits).await?;
        let customer_id = customers::of_booker(tx, now, &self.actor, &self.new.booker).await?;
        let status = self.first_status(found.terms.requires_confirmation);
        let particulars = Particulars::of(&self.new, status, customer_id);
        let row = insert(tx, now, &self.actor, &found, &particulars).await?;
        Ok((row, found.terms))
    }

    /// The hold has passed all limits when it was made.
    async fn book_hold(
        &self,
        tx: &mut PgConnection,
        now: DateTime<Utc>,
        hold_id: Uuid,
    ) -> Result<(Row, ServiceTerms)> {
        staff::lock(tx, &self.performers).await?;
        let hold = row::lock(tx, hold_id).await?.ok_or(Error::HoldExpired)?;
        let stands = hold.standing().after(Action::Book, now).is_some()
            && hold.hold_expires_at.is_some_and(|end| end > now)
            && self.performers.contains(&hold.staff_id);
        if !stands {
            return Err(Error::HoldExpired);
        }
        let customer_id = customers::of_booker(tx, now, &self.actor, &self.new.booker).await?;
        let terms = slots::terms(tx, hold.service_id, None).await?;
        let status = self.first_status(terms.requires_confirmation);
        let change = Change { overridden: self.new.overriding, ..Change::in_place("booked", &self.actor) };
        let row = write_booking!(
            "UPDATE bookings SET status = $9, customer_id = $10, customer_note = $11, staff_note = $12,
                                 hold_expires_at = NULL, rev = rev + 1, updated_at = $6
             WHERE id = $7 AND rev = $8",
            now,
            change,
            hold.id,
            hold.rev.0,
            status as BookingStatus,
            customer_id,
            self.new.customer_note.as_str(),
            self.new.staff_note.as_str(),
        )
        .fetch_optional(tx)
        .await?
        .ok_or_else(|| Error::internal("booking a hold", "it changed under its lock"))?;
        Ok((row, terms))
    }

    fn first_status(&self, requires_confirmation: bool) -> BookingStatus {
        if requires_confirmation && !self.actor.is_staff() {
            BookingStatus::Pending
        } else {
            BookingStatus::Confirmed
        }
    }
}
