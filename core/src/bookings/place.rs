//! Finding the place of a booking in a calendar, under its lock.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Booking, BookingStatus, RequestedSlot};
use crate::calendar::{Limits, Place};
use crate::hours::{self, StrandedReason};
use crate::slots::{self, ServiceTerms};
use crate::types::{EventDetails, Money, ParseError, Position};
use crate::{Error, Result};

/// Where a booking goes. The calendar is locked until the transaction ends.
pub(super) struct Placement<'a> {
    pub terms: &'a ServiceTerms,
    pub staff_id: Uuid,
    pub place: Place,
    /// Seats that the booking takes of it.
    pub seats: u32,
}

impl Placement<'_> {
    /// Seats of the place.
    pub(super) fn capacity(&self) -> i32 {
        i32::try_from(self.terms.rules.capacity).unwrap_or(i32::MAX)
    }

    /// Price of one seat with the member of staff.
    pub(super) fn price(&self) -> Money {
        self.terms.price_with(self.staff_id)
    }

    /// Price of all its seats, in minor units.
    pub(super) fn price_minor(&self) -> i64 {
        self.price().minor.saturating_mul(i64::from(self.seats))
    }

    /// Start and member of staff, for the audit trail.
    pub(super) fn position(&self) -> Position {
        Position { start: self.place.during.start(), staff_id: self.staff_id }
    }

    /// Where and for how long, for the audit trail.
    pub(super) fn details(&self) -> EventDetails {
        let seats = (self.seats > 1).then(|| self.seats.cast_signed());
        EventDetails {
            to: Some(self.position()),
            minutes: Some(self.minutes()),
            seats,
            ..EventDetails::default()
        }
    }

    /// Duration in minutes. A seat in a class that exists already takes the duration of that class.
    pub(super) fn minutes(&self) -> i32 {
        let during = self.place.during;
        i32::try_from((during.end() - during.start()).num_minutes()).unwrap_or(i32::MAX)
    }
}

/// The terms of the slot's service and the staff it can be booked with, ordered by id: those of `performers`, whose
/// calendars are locked, who perform the service. Staff who were assigned to it after `performers` was read are not locked.
///
/// # Errors
/// `NotFound` for the service, or the requested member of staff; `Invalid` when nobody performs the service.
pub(super) fn staff_for<'a>(
    terms: Option<&'a ServiceTerms>,
    slot: &RequestedSlot,
    performers: &[Uuid],
) -> Result<(&'a ServiceTerms, Vec<Uuid>)> {
    let terms = terms.ok_or(Error::NotFound("service"))?;
    let wanted = |id: &Uuid| performers.contains(id) && slot.staff_id.is_none_or(|wanted| wanted == *id);
    let staff_ids: Vec<Uuid> = terms.staff_ids.iter().copied().filter(wanted).collect();
    if slot.staff_id.is_some() && staff_ids.is_empty() {
        return Err(Error::NotFound("staff"));
    }
    if !terms.active {
        return Err(Error::NotFound("service"));
    }
    require_seats(slot.seats, terms)?;
    if staff_ids.is_empty() {
        let error = ParseError::new("no_staff", "nobody performs this service at present");
        return Err(Error::Invalid { pointer: "/service_id", error });
    }
    Ok((terms, staff_ids))
}

/// Refuses a number of seats that no class of the service has.
///
/// # Errors
/// `Invalid` at `/seats`.
pub(super) fn require_seats(seats: u32, terms: &ServiceTerms) -> Result<()> {
    if (1..=terms.rules.capacity).contains(&seats) {
        Ok(())
    } else {
        let message = "a booking takes 1 seat, of a class 1 to its capacity";
        Err(Error::Invalid { pointer: "/seats", error: ParseError::new("out_of_range", message) })
    }
}

/// Checks an existing booking against its calendar again: hours, closures, time off, staff, service and capacity may have
/// changed. Notice, horizon and grid were checked when it was made. The caller has locked its calendar.
///
/// # Errors
/// Those of [`require_fitting`].
pub(super) async fn still_fits(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    booking: &Booking,
    limits: Limits,
) -> Result<()> {
    let mut reasons = hours::stranded_reasons(tx, now, &[booking.staff.id], &[booking.id]).await?;
    require_fitting(booking, &reasons.remove(&booking.id).unwrap_or_default(), limits)
}

/// Refuses a booking that is stranded for these reasons.
///
/// # Errors
/// `NotFound` when the service is inactive; `SlotTaken` when its member of staff left or no longer performs the service, or
/// the class has no seat for it; `OutsideHours`, unless the limits are overridden.
pub(super) fn require_fitting(booking: &Booking, reasons: &[StrandedReason], limits: Limits) -> Result<()> {
    for reason in reasons {
        match reason {
            StrandedReason::ServiceInactive if booking.status == BookingStatus::Held => {
                return Err(Error::NotFound("service"));
            }
            StrandedReason::OutsideHours if limits == Limits::Enforced => return Err(Error::OutsideHours),
            StrandedReason::StaffInactive
            | StrandedReason::StaffNotAssigned
            | StrandedReason::OverCapacity
            | StrandedReason::ResourceUnavailable => return Err(Error::slot_taken()),
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
