//! Creating a booking.

use uuid::Uuid;

use super::alternatives::{with_alternatives, with_alternatives_to_hold};
use super::batch::{self, NewEntry, RequestKind};
use super::performers::performers;
use super::{Booker, Booking, NewBooking, SlotSource};
use crate::customers::Contact;
use crate::idempotency::{self, Answer, Guest, IdempotencyKey, Request};
use crate::pool::again_if_cut;
use crate::types::{Actor, ParseError};
use crate::{Core, Error, Result};

/// Creates a booking: pending if the service requires confirmation and the actor is not staff, else confirmed.
///
/// Errors: [`Error::SlotTaken`] with up to three alternatives; the refusals of the calendar (`StartInPast` to `OffGrid`),
/// also for a hold whose time was closed meanwhile; `Invalid` for a person without address and phone number; `HoldExpired`;
/// `NotFound` for service, staff or customer; `LoginRequired` if guests are not allowed; `Forbidden` and `StaffOnly`;
/// `IdempotencyInProgress`, `IdempotencyKeyReused`; `Overloaded`.
pub async fn create(
    core: &Core,
    actor: &Actor,
    key: Option<&IdempotencyKey>,
    new: NewBooking,
) -> Result<Answer<Booking>> {
    authorize(actor, &new)?;
    let request = key.map(|key| request(actor, key, &new)).transpose()?;
    let key_guard = match &request {
        Some(request) => Some(request.lock(core).await?),
        None => None,
    };
    let performers = match &new.slot {
        SlotSource::Slot(slot) => performers(core, slot).await?,
        SlotSource::Hold(id) => again_if_cut(|| staff_of_hold(core, actor, *id)).await?.into_iter().collect(),
    };
    let wanted = new.slot.clone();
    let entry = NewEntry { actor: *actor, request, what: RequestKind::Booking(new), performers };
    match batch::submit(core, key_guard, entry).await {
        Ok(answer) => Ok(answer),
        Err(error) => match wanted {
            SlotSource::Slot(slot) => Err(with_alternatives(core, error, &slot, None).await),
            SlotSource::Hold(id) => Err(with_alternatives_to_hold(core, error, id).await),
        },
    }
}

/// Whether the key was used before: then [`create`] returns the stored answer and books nothing.
pub async fn is_repeated(core: &Core, actor: &Actor, key: &IdempotencyKey, new: &NewBooking) -> Result<bool> {
    idempotency::is_known(&core.pool, core.now(), &request(actor, key, new)?).await
}

fn request(actor: &Actor, key: &IdempotencyKey, new: &NewBooking) -> Result<Request> {
    let guest = match (&new.booker, actor) {
        (Booker::Person(Contact { email: Some(email), .. }), Actor::Guest) => Guest::Email(email),
        _ => Guest::Unknown,
    };
    Request::new("bookings.create", actor, guest, key, new)
}

/// Refuses fields that the actor may not use. Reads only the request, not the database.
///
/// # Errors
/// `Forbidden`, `StaffOnly`, `LoginRequired`.
pub(super) fn authorize(actor: &Actor, new: &NewBooking) -> Result<()> {
    if matches!(actor, Actor::Link { .. } | Actor::StaffLink { .. }) {
        return Err(Error::Forbidden);
    }
    let on_file = matches!(new.booker, Booker::Customer(_));
    let staff_note = !new.staff_note.as_str().is_empty();
    if !actor.is_staff() && (on_file || new.overriding || new.no_mail || staff_note) {
        return Err(Error::StaffOnly("customer_id, staff_note, override and notify are for staff."));
    }
    if !actor.is_staff() && matches!(&new.booker, Booker::Person(contact) if contact.separate) {
        return Err(Error::StaffOnly("new_customer is for staff."));
    }
    if let Booker::Person(contact) = &new.booker
        && contact.email.is_none()
    {
        if !actor.is_staff() {
            return Err(Error::StaffOnly("Only staff may book somebody without an e-mail address."));
        }
        if contact.phone.is_none() {
            let message = "is needed for somebody without an e-mail address";
            return Err(Error::Invalid {
                pointer: "/contact/phone",
                error: ParseError::new("required", message),
            });
        }
    }
    match (&new.booker, actor.user_id()) {
        (Booker::Myself, None) if matches!(actor, Actor::ApiKey { .. }) => Err(Error::Invalid {
            pointer: "/contact",
            error: ParseError::new("required", "a program books for somebody: send contact or customer_id"),
        }),
        (Booker::Myself, None) => Err(Error::LoginRequired),
        (Booker::Person(_), Some(_)) if !actor.is_staff() => Err(Error::Forbidden),
        _ => Ok(()),
    }
}

/// The member of staff of the hold; none if the hold is unknown: then the request may still be a replay.
///
/// # Errors
/// `HoldExpired` for the hold of another account.
async fn staff_of_hold(core: &Core, actor: &Actor, hold_id: Uuid) -> Result<Option<Uuid>> {
    let hold = sqlx::query!("SELECT staff_id, held_by FROM bookings WHERE id = $1", hold_id)
        .fetch_optional(&core.pool)
        .await?;
    let holder = hold.as_ref().and_then(|hold| Uuid::try_parse(hold.held_by.as_deref()?).ok());
    if holder.is_some() && holder != actor.caller_id() && !actor.is_staff() {
        return Err(Error::HoldExpired);
    }
    Ok(hold.map(|hold| hold.staff_id))
}
