//! Making a booking.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::audit::{BookingChange, write_booking};
use super::insert::{InsertParams, insert};
use super::row::{self, Row};
use super::{Booker, Booking, BookingStatus, NewBooking, Wanted, WantedSlot, calendars, mails, place};
use crate::calendar::Limits;
use crate::customers::{self, Booked};
use crate::idempotency::{self, Answer, Claim, Guest, IdempotencyKey, Request};
use crate::pool::again_if_cut;
use crate::slots::{self, ServiceTerms};
use crate::transaction::{Outcome, Write, write};
use crate::types::{Actor, BookingAction, ChangeKind, EventDetails, Phone};
use crate::{Core, Error, Result, settings, staff};

/// Makes a booking: pending if the service requires confirmation and the actor is not staff, else confirmed.
///
/// Errors: [`Error::SlotTaken`] with three alternatives; the refusals of the calendar (`StartInPast` to `OffGrid`);
/// `HoldExpired`, and for a hold whose place was closed since the same refusals as for a slot; `NotFound` for service,
/// staff or customer; `LoginRequired` for a guest where guests are not allowed;
/// `Forbidden` and `StaffOnly`; `IdempotencyInProgress`, `IdempotencyKeyReused`; `Overloaded`.
pub async fn create(
    core: &Core,
    actor: &Actor,
    key: Option<&IdempotencyKey>,
    new: NewBooking,
) -> Result<Answer<Booking>> {
    authorize(actor, &new)?;
    let request = key.map(|key| request(actor, key, &new)).transpose()?;
    let key_turn = match &request {
        Some(request) => Some(request.lock(core).await?),
        None => None,
    };
    let performers = match &new.slot {
        Wanted::Slot(slot) => again_if_cut(|| place::performers(core, slot)).await?,
        Wanted::Hold(id) => again_if_cut(|| staff_of_hold(core, actor, *id)).await?.into_iter().collect(),
    };
    let turns = calendars::turns(core, &performers).await?;
    let work = Arc::new(Create { actor: *actor, request, new, performers });
    match write(core, Arc::clone(&work), (key_turn, turns)).await {
        Ok(answer) => Ok(answer),
        Err(error) => match &work.new.slot {
            Wanted::Slot(slot) => Err(place::with_alternatives(core, error, slot, None).await),
            Wanted::Hold(id) => Err(with_alternatives_to_hold(core, error, *id).await),
        },
    }
}

/// Whether the key was used before: then [`create`] replays its answer and makes nothing.
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

/// Refuses what the actor may not ask for, as far as the request alone tells.
///
/// # Errors
/// `Forbidden`, `StaffOnly`, `LoginRequired`.
fn authorize(actor: &Actor, new: &NewBooking) -> Result<()> {
    if matches!(actor, Actor::Link { .. } | Actor::StaffLink { .. }) {
        return Err(Error::Forbidden);
    }
    let on_file = matches!(new.booker, Booker::Customer(_));
    if !actor.is_staff() && (on_file || new.overriding || !new.staff_note.as_str().is_empty()) {
        return Err(Error::StaffOnly("customer_id, staff_note and override are for staff."));
    }
    if !actor.is_staff() && matches!(&new.booker, Booker::Person(contact) if contact.separate) {
        return Err(Error::StaffOnly("new_customer is for staff."));
    }
    match (&new.booker, actor.user_id()) {
        (Booker::Myself, None) => Err(Error::LoginRequired),
        (Booker::Person(_), Some(_)) if !actor.is_staff() => Err(Error::Forbidden),
        _ => Ok(()),
    }
}

/// Refuses guests unless the business allows booking without an account.
///
/// # Errors
/// `LoginRequired`.
pub(super) async fn require_guests_allowed(tx: &mut PgConnection, actor: &Actor) -> Result<()> {
    let allowed = !matches!(actor, Actor::Guest) || settings::get(tx).await?.guests_allowed;
    if allowed { Ok(()) } else { Err(Error::LoginRequired) }
}

/// The member of staff whose calendar has the hold; none for an unknown hold, which can still be a replay.
///
/// # Errors
/// `HoldExpired` for the hold of another account.
async fn staff_of_hold(core: &Core, actor: &Actor, hold_id: Uuid) -> Result<Option<Uuid>> {
    let hold = sqlx::query!("SELECT staff_id, held_by FROM bookings WHERE id = $1", hold_id)
        .fetch_optional(&core.pool)
        .await?;
    let holder = hold.as_ref().and_then(|hold| Uuid::try_parse(hold.held_by.as_deref()?).ok());
    if holder.is_some() && holder != actor.user_id() && !actor.is_staff() {
        return Err(Error::HoldExpired);
    }
    Ok(hold.map(|hold| hold.staff_id))
}

/// Adds alternatives to the error that the place of a hold can no longer be booked.
async fn with_alternatives_to_hold(core: &Core, error: Error, hold_id: Uuid) -> Error {
    if !matches!(error, Error::SlotTaken { .. }) {
        return error;
    }
    let hold =
        sqlx::query!(r#"SELECT service_id, lower(during) AS "start!" FROM bookings WHERE id = $1"#, hold_id);
    match hold.fetch_optional(&core.pool).await {
        Ok(Some(hold)) => {
            let slot = WantedSlot { service_id: hold.service_id, staff_id: None, start: hold.start };
            place::with_alternatives(core, error, &slot, Some(hold_id)).await
        }
        _ => error,
    }
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
        require_guests_allowed(tx, &self.actor).await?;
        let (row, change, terms) = match &self.new.slot {
            Wanted::Slot(slot) => self.book_slot(tx, now, slot).await?,
            Wanted::Hold(id) => self.book_hold(tx, now, *id).await?,
        };
        mails::plan(tx, now, &row, &change, &terms.reminders).await?;
        let value = row.seen_by(&self.actor);
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
    ) -> Result<(Row, BookingChange<'_>, ServiceTerms)> {
        let placement = place::find(tx, now, slot, &self.performers, self.limits()).await?;
        let customer = self.customer(tx, now).await?;
        let status = self.first_status(placement.terms.requires_confirmation);
        let params = InsertParams::of_booking(&self.new, status, customer);
        let change = BookingChange {
            kind: ChangeKind::Created,
            actor: &self.actor,
            overridden: self.new.overriding,
            details: EventDetails { to: Some(placement.position()), ..EventDetails::default() },
        };
        let row = insert(tx, now, &change, &placement, &params).await?;
        Ok((row, change, placement.terms))
    }

    /// Books the place of a hold, if the calendar would still take it.
    async fn book_hold(
        &self,
        tx: &mut PgConnection,
        now: DateTime<Utc>,
        hold_id: Uuid,
    ) -> Result<(Row, BookingChange<'_>, ServiceTerms)> {
        staff::lock(tx, &self.performers).await?;
        let hold = row::lock(tx, hold_id).await?.ok_or(Error::HoldExpired)?;
        let usable = hold.status_at().after(BookingAction::Book, now).is_some()
            && hold.booking.hold_expires_at.is_some_and(|end| end > now)
            && self.performers.contains(&hold.booking.staff.id);
        if !usable {
            return Err(Error::HoldExpired);
        }
        let hold = hold.booking;
        place::still_fits(tx, now, &hold, self.limits()).await?;
        let customer = self.customer(tx, now).await?;
        let terms = slots::terms(tx, hold.service.id, None).await?;
        let status = self.first_status(terms.requires_confirmation);
        let change = BookingChange {
            overridden: self.new.overriding,
            ..BookingChange::in_place(ChangeKind::Booked, &self.actor)
        };
        let row = write_booking!(
            "UPDATE bookings SET status = $9, customer_id = $10, customer_note = $11, staff_note = $12,
                                 hold_expires_at = NULL, held_by = NULL, contact_name = $13, contact_phone = $14,
                                 rev = rev + 1, updated_at = $6
             WHERE id = $7 AND rev = $8",
            now,
            change,
            hold.id,
            hold.rev.0,
            status as BookingStatus,
            customer.id,
            self.new.customer_note.as_str(),
            self.new.staff_note.as_str(),
            customer.contact.map(|contact| contact.name.as_str()),
            customer.contact.and_then(|contact| contact.phone.as_ref()).map(Phone::as_str),
        )
        .fetch_optional(tx)
        .await?
        .ok_or_else(|| Error::internal("booking a hold", "it changed under its lock"))?;
        Ok((row, change, terms))
    }

    /// The customer the booking is for, inserted if there is none yet. The row is locked against being erased.
    async fn customer(&self, tx: &mut PgConnection, now: DateTime<Utc>) -> Result<Booked<'_>> {
        match (&self.new.booker, self.actor.user_id()) {
            (Booker::Myself, Some(user_id)) => customers::of_account_holder(tx, now, user_id).await,
            (Booker::Myself, None) => Err(Error::LoginRequired),
            (Booker::Customer(id), _) => customers::on_file(tx, *id).await,
            (Booker::Person(contact), _) => customers::of_contact(tx, now, contact).await,
        }
    }

    fn limits(&self) -> Limits {
        if self.new.overriding { Limits::Overridden } else { Limits::Enforced }
    }

    fn first_status(&self, requires_confirmation: bool) -> BookingStatus {
        if requires_confirmation && !self.actor.is_staff() {
            BookingStatus::Pending
        } else {
            BookingStatus::Confirmed
        }
    }
}
