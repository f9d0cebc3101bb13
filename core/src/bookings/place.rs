//! Finding the place of a booking in a calendar, under its lock.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{WantedSlot, calendars};
use crate::calendar::{Limits, Place};
use crate::slots::{self, Ask, ServiceTerms};
use crate::{Core, Error, Result, staff};

/// A place found: the calendar is locked until the transaction ends.
pub(super) struct Found {
    pub terms: ServiceTerms,
    pub staff_id: Uuid,
    pub place: Place,
}

/// Those who could perform the wanted slot now, to wait for their calendars.
pub(super) async fn performers(core: &Core, slot: &WantedSlot) -> Result<Vec<Uuid>> {
    // Who is named is waited for unseen: whether they perform the service is asked under the lock.
    if let Some(staff_id) = slot.staff_id {
        return Ok(vec![staff_id]);
    }
    let mut db = core.pool.acquire().await?;
    Ok(slots::terms(&mut db, slot.service_id, None).await?.staff_ids)
}

/// Locks the calendars of `performers` and finds a place for the slot with one of them: the one asked for, or the one
/// with the fewest bookings that day.
pub(super) async fn find(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    slot: &WantedSlot,
    performers: &[Uuid],
    limits: Limits,
) -> Result<Found> {
    if slot.staff_id.is_some() {
        staff::lock(tx, performers).await?;
    } else {
        calendars::lock_candidates(tx, performers).await?;
    }
    let mut terms = slots::terms(tx, slot.service_id, slot.staff_id).await?;
    if !terms.active {
        return Err(Error::NotFound("service"));
    }
    // Who began to perform the service only now is not locked.
    terms.staff_ids.retain(|id| performers.contains(id));
    calendars::expire_dead_holds(tx, now, performers).await?;
    let order = slots::candidates(tx, now, &terms, slot.start, None).await?;
    let ask = Ask { start: slot.start, limits, exclude: None };
    let (staff_id, place) = first_place(slots::ask(tx, now, &terms, &order, ask).await?)?;
    if slot.staff_id.is_none() {
        staff::lock(tx, &[staff_id]).await?;
    }
    Ok(Found { terms, staff_id, place })
}

/// The first calendar with a place. Without one the answer is that the slot is taken if it is for anyone, for that is
/// what another slot helps against.
pub(super) fn first_place(answers: Vec<slots::Answer>) -> Result<(Uuid, Place)> {
    let mut refusals = Vec::new();
    for answer in answers {
        match answer.place {
            Ok(place) => return Ok((answer.staff_id, place)),
            Err(refusal) => refusals.push(Error::from(refusal)),
        }
    }
    let taken = refusals.iter().position(|refusal| matches!(refusal, Error::SlotTaken { .. }));
    // Nobody performs the service: nothing was asked.
    if refusals.is_empty() {
        Err(Error::NotFound("staff"))
    } else {
        Err(refusals.swap_remove(taken.unwrap_or(0)))
    }
}

/// Adds alternatives to the error that the slot is taken. Computed after the transaction has ended, so that nobody
/// waits for it.
pub(super) async fn with_alternatives(
    core: &Core,
    error: Error,
    slot: &WantedSlot,
    exclude: Option<Uuid>,
) -> Error {
    if !matches!(error, Error::SlotTaken { .. }) {
        return error;
    }
    let search = async {
        let mut db = core.pool.acquire().await?;
        let terms = slots::terms(&mut db, slot.service_id, slot.staff_id).await?;
        slots::alternatives(&mut db, core.now(), &terms, slot.start, exclude).await
    };
    match search.await {
        Ok(alternatives) => Error::SlotTaken { alternatives },
        Err(failure) => {
            tracing::warn!(error = %failure, "no alternatives for a slot that is taken");
            error
        }
    }
}
