//! Finding the place of a booking in a calendar, under its lock.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{WantedSlot, calendars};
use crate::calendar::{Limits, Place};
use crate::slots::{self, ServiceTerms, StartQuery};
use crate::types::Position;
use crate::{Core, Error, Result, staff};

/// Where a booking goes. The calendar is locked until the transaction ends.
pub(super) struct Placement {
    pub terms: ServiceTerms,
    pub staff_id: Uuid,
    pub place: Place,
}

impl Placement {
    /// Seats of the place.
    pub(super) fn capacity(&self) -> i32 {
        i32::try_from(self.terms.rules.capacity).unwrap_or(i32::MAX)
    }

    /// Start and member of staff, for the audit trail.
    pub(super) fn position(&self) -> Position {
        Position { start: self.place.during.start(), staff_id: self.staff_id }
    }

    /// Duration in minutes. A seat in a class that exists already takes the duration of that class.
    pub(super) fn minutes(&self) -> i32 {
        let during = self.place.during;
        i32::try_from((during.end() - during.start()).num_minutes()).unwrap_or(i32::MAX)
    }
}

/// The staff who may perform the slot: those whose calendars have to be locked. Read before the transaction.
pub(super) async fn performers(core: &Core, slot: &WantedSlot) -> Result<Vec<Uuid>> {
    // Whether the member of staff performs the service is checked under the lock.
    if let Some(staff_id) = slot.staff_id {
        return Ok(vec![staff_id]);
    }
    let mut db = core.pool.acquire().await?;
    Ok(slots::terms(&mut db, slot.service_id, None).await?.staff_ids)
}

/// Locks the calendars of `performers` and finds a place for the slot: with the member of staff asked for, else with
/// the one who has the fewest bookings on that day.
pub(super) async fn find(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    slot: &WantedSlot,
    performers: &[Uuid],
    limits: Limits,
) -> Result<Placement> {
    if slot.staff_id.is_some() {
        staff::lock(tx, performers).await?;
    } else {
        calendars::lock_candidates(tx, performers).await?;
    }
    let mut terms = slots::terms(tx, slot.service_id, slot.staff_id).await?;
    if !terms.active {
        return Err(Error::NotFound("service"));
    }
    // Staff who were assigned to the service after `performers` was read are not locked.
    terms.staff_ids.retain(|id| performers.contains(id));
    calendars::expire_dead_holds(tx, now, performers).await?;
    let order = slots::candidates(tx, now, &terms, slot.start, None).await?;
    let ask = StartQuery { start: slot.start, limits, exclude: None };
    let (staff_id, place) = first_place(slots::check_start(tx, now, &terms, &order, ask).await?)?;
    if slot.staff_id.is_none() {
        staff::lock(tx, &[staff_id]).await?;
    }
    Ok(Placement { terms, staff_id, place })
}

/// The first calendar with a place. If there is none and the slot is taken in at least one calendar, the error is
/// `SlotTaken`, because it comes with alternatives; else it is the first refusal.
pub(super) fn first_place(answers: Vec<slots::StaffAnswer>) -> Result<(Uuid, Place)> {
    let mut refusals = Vec::new();
    for answer in answers {
        match answer.place {
            Ok(place) => return Ok((answer.staff_id, place)),
            Err(refusal) => refusals.push(Error::from(refusal)),
        }
    }
    let taken = refusals.iter().position(|refusal| matches!(refusal, Error::SlotTaken { .. }));
    // Nobody performs the service.
    if refusals.is_empty() {
        Err(Error::NotFound("staff"))
    } else {
        Err(refusals.swap_remove(taken.unwrap_or(0)))
    }
}

/// Adds alternatives to [`Error::SlotTaken`]. Runs after the transaction, so that no lock is held meanwhile.
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
