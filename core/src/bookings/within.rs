//! All bookings of a span, for the agenda.

use chrono::TimeDelta;
use uuid::Uuid;

use super::Booking;
use super::row::select_bookings;
use crate::calendar::Span;
use crate::types::Actor;
use crate::{Core, Error, Result};

/// The longest appointment. It bounds how far before a span a booking that touches it can start.
const MAX_APPOINTMENT: TimeDelta = TimeDelta::hours(24);

/// The bookings of one or all members of staff that touch the span, by start; for staff. Holds, pending,
/// confirmed, completed and missed ones.
///
/// # Errors
/// [`Error::Forbidden`].
pub async fn within(
    core: &Core,
    actor: &Actor,
    within: Span,
    staff_id: Option<Uuid>,
) -> Result<Vec<Booking>> {
    if !actor.is_staff() {
        return Err(Error::Forbidden);
    }
    let rows = select_bookings!(
        r#"WHERE lower(b.during) > $1 AND lower(b.during) < $2 AND upper(b.during) > $3
             AND b.status IN ('held', 'pending', 'confirmed', 'completed', 'no_show')
             AND (b.status <> 'held' OR b.hold_expires_at > $4) AND ($5::uuid IS NULL OR b.staff_id = $5)
           ORDER BY lower(b.during), b.id"#,
        within.start() - MAX_APPOINTMENT,
        within.end(),
        within.start(),
        core.now(),
        staff_id,
    );
    let rows = rows.fetch_all(&core.pool).await?;
    Ok(rows.into_iter().map(|row| row.seen_by(actor)).collect())
}
