//! Holding a slot for at most ten minutes, while a customer fills in a form.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::audit::BookingChange;
use super::create::require_guests_allowed;
use super::insert::{InsertParams, insert};
use super::{Booking, BookingStatus, NewHold, calendars, place};
use crate::calendar::Limits;
use crate::idempotency::{self, Answer, Claim, Guest, IdempotencyKey, Request};
use crate::pool::again_if_cut;
use crate::transaction::{Outcome, Write, write};
use crate::types::{Actor, ChangeKind, EventDetails, Note, ParseError};
use crate::{Core, Error, Result};

/// The longest hold, in minutes.
pub(super) const LONGEST_MIN: u32 = 10;

/// The time that one account or guest may hold at once, in minutes of appointments. One hold is allowed however long its
/// appointment is.
const HELD_MIN: i64 = 240;

/// Holds a slot. `guest` scopes the idempotency keys and the held time of guests, who have given no address yet: a name that
/// the caller derives from where the request comes from.
///
/// Errors: as [`super::create`]; `Invalid` for minutes out of range; `TooManyHolds` for others than staff.
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
    if !(1..=LONGEST_MIN).contains(&new.minutes) {
        let error = ParseError::new("out_of_range", "a hold lasts 1 to 10 minutes");
        return Err(Error::Invalid { pointer: "/minutes", error });
    }
    let request = key.map(|key| request(actor, guest, key, &new)).transpose()?;
    let key_turn = match &request {
        Some(request) => Some(request.lock(core).await?),
        None => None,
    };
    let performers = again_if_cut(|| place::performers(core, &new.slot)).await?;
    let turns = calendars::turns(core, &performers).await?;
    // A guest's name must not read as an account's id.
    let held_by = actor.user_id().map_or_else(|| format!("guest:{guest}"), |id| id.to_string());
    let work = Arc::new(Hold { actor: *actor, held_by, request, new, performers });
    match write(core, Arc::clone(&work), (key_turn, turns)).await {
        Ok(answer) => Ok(answer),
        Err(error) => Err(place::with_alternatives(core, error, &work.new.slot, None).await),
    }
}

/// Whether the key was used before: then [`hold`] replays its answer and holds nothing.
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

/// Refuses a hold that would bring the time held by one account or guest above [`HELD_MIN`]. Serialises the holds of one.
///
/// # Errors
/// `TooManyHolds`.
async fn require_held_time_left(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    held_by: &str,
    service_id: Uuid,
) -> Result<()> {
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended('hold:' || $1, 0))", held_by)
        .execute(&mut *tx)
        .await?;
    let time = sqlx::query!(
        r#"SELECT coalesce((SELECT sum(duration_min) FROM bookings
                            WHERE held_by = $1 AND status = 'held' AND hold_expires_at > $2), 0) AS "held!",
                  coalesce((SELECT duration_min FROM services WHERE id = $3), 0) AS "wanted!""#,
        held_by,
        now,
        service_id,
    )
    .fetch_one(tx)
    .await?;
    if time.held > 0 && time.held + i64::from(time.wanted) > HELD_MIN {
        Err(Error::TooManyHolds)
    } else {
        Ok(())
    }
}

struct Hold {
    actor: Actor,
    /// The account, or the name of the guest.
    held_by: String,
    request: Option<Request>,
    new: NewHold,
    performers: Vec<Uuid>,
}

impl Write for Hold {
    type Output = Answer<Booking>;

    async fn run(&self, tx: &mut PgConnection, now: DateTime<Utc>) -> Result<Outcome<Self::Output>> {
        if let Some(request) = &self.request
            && let Claim::Answered(value) = idempotency::claim(tx, now, request).await?
        {
            return Ok(Outcome::Unchanged(Answer { value, replayed: true }));
        }
        require_guests_allowed(tx, &self.actor).await?;
        if !self.actor.is_staff() {
            require_held_time_left(tx, now, &self.held_by, self.new.slot.service_id).await?;
        }
        let placement = place::find(tx, now, &self.new.slot, &self.performers, Limits::Enforced).await?;
        let params = InsertParams {
            status: BookingStatus::Held,
            customer: None,
            customer_note: &Note::empty(),
            staff_note: &Note::empty(),
            hold_expires_at: Some(now + TimeDelta::minutes(i64::from(self.new.minutes))),
            held_by: Some(&self.held_by),
        };
        let change = BookingChange {
            details: EventDetails { to: Some(placement.position()), ..EventDetails::default() },
            ..BookingChange::in_place(ChangeKind::Held, &self.actor)
        };
        let value = insert(tx, now, &change, &placement, &params).await?.seen_by(&self.actor);
        if let Some(request) = &self.request {
            idempotency::store(tx, request, &value).await?;
        }
        Ok(Outcome::Changed(Answer { value, replayed: false }, &[]))
    }
}
