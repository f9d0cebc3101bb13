//! Finding the place of a booking in a calendar, under its lock.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Booking, BookingStatus, WantedSlot, calendars};
use crate::calendar::{Limits, Place};
use crate::hours::{self, StrandedReason};
use crate::slots::{self, ServiceTerms, StartQuery};
use crate::types::{ParseError, Position};
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
    if slot.staff_id.is_none() && terms.staff_ids.is_empty() {
        let error = ParseError::new("no_staff", "nobody performs this service at present");
        return Err(Error::Invalid { pointer: "/service_id", error });
    }
    let (staff_id, place) = first_place(slots::check_start(tx, now, &terms, &order, ask).await?)?;
    if slot.staff_id.is_none() {
        staff::lock(tx, &[staff_id]).await?;
    }
    Ok(Placement { terms, staff_id, place })
}

/// Asks the calendar again about a booking that exists: hours, closures, time off, staff, service and capacity may have
/// changed since. Notice, horizon and grid were checked when it was made. Its calendar is to be locked.
///
/// # Errors
/// `NotFound` when the service is inactive; `SlotTaken` when its member of staff left or no longer performs the service, or
/// the class has no seat for it; `OutsideHours`, unless the limits are overridden.
pub(super) async fn still_fits(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    booking: &Booking,
    limits: Limits,
) -> Result<()> {
    for reason in hours::stranded_reasons(tx, now, booking.staff.id, booking.id).await? {
        match reason {
            StrandedReason::ServiceInactive if booking.status == BookingStatus::Held => {
                return Err(Error::NotFound("service"));
            }
            StrandedReason::OutsideHours if limits == Limits::Enforced => return Err(Error::OutsideHours),
            StrandedReason::StaffInactive
            | StrandedReason::StaffNotAssigned
            | StrandedReason::OverCapacity => return Err(Error::SlotTaken { alternatives: Vec::new() }),
            // Staff may confirm a request for a service that takes no new bookings, and override hours.
            StrandedReason::ServiceInactive | StrandedReason::OutsideHours => {}
        }
    }
    Ok(())
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

/// Adds alternatives to [`Error::SlotTaken`], under the promised terms of the booking `exclude` if it is a move. Runs after
/// the transaction, so that no lock is held meanwhile.
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
        let terms = match exclude {
            Some(id) => slots::terms_of_booking(&mut db, id, slot.service_id, slot.staff_id).await?,
            None => slots::terms(&mut db, slot.service_id, slot.staff_id).await?,
        };
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
