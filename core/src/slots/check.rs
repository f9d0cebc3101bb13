//! Checks whether one start can be booked and with whom, under the locks of the staff.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{ServiceTerms, calendars};
use crate::Result;
use crate::calendar::{Limits, Place, Refusal, is_bookable, local_date, out_of_reach};

/// A start to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartQuery {
    /// The start.
    pub start: DateTime<Utc>,
    /// Requested seats; 1 for a one-to-one service.
    pub seats: u32,
    /// Which limits apply.
    pub limits: Limits,
    /// The booking or class that is moved: its own time counts as free.
    pub exclude: Option<Uuid>,
}

/// The result for one member of staff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StaffAnswer {
    /// The member of staff.
    pub staff_id: Uuid,
    /// The place of the booking, or why it is refused.
    pub place: Result<Place, Refusal>,
}

/// Checks the start with [`is_bookable`] in the calendars of these members of staff, in their order. Runs two queries
/// for any number of them, one more for a service that needs resources. The caller has locked the staff rows by an earlier statement.
pub async fn check_start(
    db: &mut PgConnection,
    now: DateTime<Utc>,
    terms: &ServiceTerms,
    staff_ids: &[Uuid],
    query: StartQuery,
) -> Result<Vec<StaffAnswer>> {
    if let Some(refusal) = out_of_reach(terms.zone, query.start, now, query.limits) {
        return Ok(staff_ids.iter().map(|&staff_id| StaffAnswer { staff_id, place: Err(refusal) }).collect());
    }
    let date = local_date(terms.zone, query.start);
    let calendars = calendars(db, now, terms, staff_ids, (date, date), query.exclude).await?;
    Ok(calendars
        .iter()
        .map(|calendar| StaffAnswer {
            staff_id: calendar.staff_id,
            place: is_bookable(
                calendar,
                &terms.rules_with(calendar.staff_id),
                query.start,
                now,
                query.limits,
            )
            .and_then(|place| place.for_seats(query.seats)),
        })
        .collect())
}
