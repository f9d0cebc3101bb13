//! Holding a slot for at most ten minutes, while a customer fills in a form.

use uuid::Uuid;

use super::alternatives::with_alternatives;
use super::batch::{self, NewEntry, RequestKind};
use super::performers::performers;
use super::{Booking, NewHold};
use crate::idempotency::{self, Answer, Guest, IdempotencyKey, Request};
use crate::types::{Actor, ParseError};
use crate::{Core, Error, Result};

/// The longest hold, in minutes.
pub(super) const MAX_MINUTES: u32 = 10;

/// Holds a slot. `guest` scopes idempotency keys and held time of guests, whose address is not yet known: a name that the
/// caller derives from the client's network address.
///
/// Errors: those of [`super::create`]; `Invalid` for minutes out of range; `TooManyHolds`, not for staff.
pub async fn hold(
    core: &Core,
    actor: &Actor,
    guest: &str,
    key: Option<&IdempotencyKey>,
    new: NewHold,
) -> Result<Answer<Booking>> {
    if matches!(actor, Actor::Link { .. } | Actor::StaffLink { .. }) {
        return Err(Error::Forbidden);
    }
    if !(1..=MAX_MINUTES).contains(&new.minutes) {
        let error = ParseError::new("out_of_range", "a hold lasts 1 to 10 minutes");
        return Err(Error::Invalid { pointer: "/minutes", error });
    }
    let request = key.map(|key| request(actor, guest, key, &new)).transpose()?;
    let key_guard = match &request {
        Some(request) => Some(request.lock(core).await?),
        None => None,
    };
    let performers = performers(core, &new.slot).await?;
    let slot = new.slot.clone();
    // A guest's name must not be equal to an account's id.
    let held_by = actor.caller_id().map_or_else(|| format!("guest:{guest}"), |id| id.to_string());
    let entry = NewEntry { actor: *actor, request, what: RequestKind::Hold { new, held_by }, performers };
    match batch::submit(core, key_guard, entry).await {
        Ok(answer) => Ok(answer),
        Err(error) => Err(with_alternatives(core, error, &slot, None).await),
    }
}

/// Whether the key was used before: then [`hold`] returns the stored answer and holds nothing.
pub async fn is_hold_repeated(
    core: &Core,
    actor: &Actor,
    guest: &str,
    key: &IdempotencyKey,
    new: &NewHold,
) -> Result<bool> {
    idempotency::is_known(&core.pool, core.now(), &request(actor, guest, key, new)?).await
}

fn request(actor: &Actor, guest: &str, key: &IdempotencyKey, new: &NewHold) -> Result<Request> {
    Request::new("holds.create", actor, Guest::Named(guest), key, new)
}

/// Whether this account made the hold.
pub async fn is_held_by(core: &Core, hold_id: Uuid, user_id: Uuid) -> Result<bool> {
    let own = sqlx::query_scalar!(
        r#"SELECT EXISTS (
               SELECT FROM booking_events WHERE booking_id = $1 AND change = 'held' AND actor_id = $2
           ) AS "own!""#,
        hold_id,
        user_id,
    )
    .fetch_one(&core.pool)
    .await?;
    Ok(own)
}
