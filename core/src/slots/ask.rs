//! Whether one start can be booked, and with whom: what a booking asks once it holds the staff's locks.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{ServiceTerms, calendars};
use crate::Result;
use crate::calendar::{Limits, Place, Refusal, after_date, day_start, is_bookable, local_date, out_of_reach};

/// One start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// When it is to begin.
    pub start: DateTime<Utc>,
    /// Which limits hold.
    pub limits: Limits,
    /// The booking that is to be moved there: its own time is free for it.
    pub exclude: Option<Uuid>,
}

/// What the calendar of one member of staff says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// Whose calendar.
    pub staff_id: Uuid,
    /// Where the booking goes, or why it cannot.
    pub place: Result<Place, Refusal>,
}

/// Asks the calendars of these members of staff, in their order, with [`is_bookable`]: two queries however many. Their
/// rows are to be locked before, by a statement of its own.
pub async fn ask(
    db: &mut PgConnection,
    now: DateTime<Utc>,
    terms: &ServiceTerms,
    staff_ids: &[Uuid],
    ask: Ask,
) -> Result<Vec<Answer>> {
    if let Some(refusal) = out_of_reach(ask.start, now) {
        return Ok(staff_ids.iter().map(|&staff_id| Answer { staff_id, place: Err(refusal) }).collect());
    }
    let date = local_date(terms.zone, ask.start);
    let calendars = calendars(db, now, terms.zone, staff_ids, (date, date), ask.exclude).await?;
    Ok(calendars
        .iter()
        .map(|calendar| Answer {
            staff_id: calendar.staff_id,
            place: is_bookable(calendar, &terms.rules, ask.start, now, ask.limits),
        })
        .collect())
}

/// The staff of the terms in the order in which "anyone" is given to them: fewest standing bookings that start on the
/// start's local date first, then by id. Holds that have run out and the booking `exclude` do not count.
pub async fn candidates(
    db: &mut PgConnection,
    now: DateTime<Utc>,
    terms: &ServiceTerms,
    start: DateTime<Utc>,
    exclude: Option<Uuid>,
) -> Result<Vec<Uuid>> {
    if terms.staff_ids.len() < 2 || out_of_reach(start, now).is_some() {
        return Ok(terms.staff_ids.clone());
    }
    let zone = terms.zone;
    let date = local_date(zone, start);
    let ids = sqlx::query_scalar!(
        r#"SELECT staff_id AS "staff_id!"
           FROM unnest($1::uuid[]) AS staff_id
           ORDER BY (SELECT count(*) FROM bookings
                     WHERE bookings.staff_id = staff_id.staff_id AND blocks
                       AND lower(during) >= $2 AND lower(during) < $3
                       AND (hold_expires_at IS NULL OR hold_expires_at > $4) AND ($5::uuid IS NULL OR id <> $5)),
                    staff_id"#,
        &terms.staff_ids,
        day_start(zone, date),
        day_start(zone, after_date(date)),
        now,
        exclude,
    )
    .fetch_all(db)
    .await?;
    Ok(ids)
}
