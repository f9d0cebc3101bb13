//! Time off of members of staff.

use chrono::{DateTime, FixedOffset, Utc};
use punctual_queue::new_id;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use sqlx::postgres::types::PgRange;
use uuid::Uuid;

use super::stranded::{Changed, Fitting};
use super::zone;
use crate::calendar::Span;
use crate::idempotency::{Answer, IdempotencyKey, Request, change_once};
use crate::staff::lock_own;
use crate::transaction::change;
use crate::types::{Actor, Reason};
use crate::{Core, Error, Result};

/// A time at which a member of staff is away. It takes precedence over all hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeOff {
    /// Its id.
    pub id: Uuid,
    /// The member of staff.
    pub staff_id: Uuid,
    /// Start, with the offset of the business's zone.
    pub start: DateTime<FixedOffset>,
    /// End, exclusive, with the offset of the business's zone.
    pub end: DateTime<FixedOffset>,
    /// Reason, shown to staff.
    pub reason: Reason,
}

/// New time off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTimeOff {
    /// Start and end.
    pub during: Span,
    /// Reason, shown to staff.
    pub reason: Reason,
}

/// The time off of a member of staff that overlaps the span, by start.
pub async fn time_off(core: &Core, staff_id: Uuid, within: Span) -> Result<Vec<TimeOff>> {
    time_off_of(core, &[staff_id], within).await
}

/// The time off of these members of staff that overlaps the span, by start.
pub(crate) async fn time_off_of(core: &Core, staff_ids: &[Uuid], within: Span) -> Result<Vec<TimeOff>> {
    let db = &mut *core.pool.acquire().await?;
    let zone = zone(db).await?;
    let rows = sqlx::query!(
        r#"SELECT id, staff_id, lower(during) AS "start!", upper(during) AS "end!", reason FROM time_off
           WHERE staff_id = ANY($1) AND upper(during) > $2 AND lower(during) < $3 ORDER BY lower(during), id"#,
        staff_ids,
        within.start(),
        within.end(),
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let reason = Reason::parse(&row.reason)
                .map_err(|error| Error::internal("time off holds a bad value", error))?;
            Ok(TimeOff {
                id: row.id,
                staff_id: row.staff_id,
                start: zone.at(row.start),
                end: zone.at(row.end),
                reason,
            })
        })
        .collect()
}

/// Adds time off; administrators for anyone, staff for themselves.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`]; with a key [`Error::IdempotencyInProgress`] and
/// [`Error::IdempotencyKeyReused`].
pub async fn add_time_off(
    core: &Core,
    actor: &Actor,
    key: Option<&IdempotencyKey>,
    staff_id: Uuid,
    new: NewTimeOff,
) -> Result<Answer<Changed<TimeOff>>> {
    let body = (staff_id, new.during.start(), new.during.end(), &new.reason);
    let request = Request::with_key("time_off.create", actor, key, &body)?;
    change_once(core, request, (*actor, staff_id, new), |(actor, staff_id, new), tx, now| {
        Box::pin(insert(tx, now, actor, *staff_id, new))
    })
    .await
}

async fn insert(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    actor: &Actor,
    staff_id: Uuid,
    new: &NewTimeOff,
) -> Result<Changed<TimeOff>> {
    lock_own(tx, actor, staff_id).await?;
    let zone = zone(tx).await?;
    let fitting = Fitting::before(tx, now, &[staff_id], Some(new.during)).await?;
    let id = new_id(now);
    sqlx::query!(
        "INSERT INTO time_off (id, staff_id, during, reason) VALUES ($1, $2, $3, $4)",
        id,
        staff_id,
        PgRange::from(new.during.start()..new.during.end()),
        new.reason.as_str(),
    )
    .execute(&mut *tx)
    .await?;
    let value = TimeOff {
        id,
        staff_id,
        start: zone.at(new.during.start()),
        end: zone.at(new.during.end()),
        reason: new.reason.clone(),
    };
    Ok(Changed { value, stranded: fitting.stranded(tx).await? })
}

/// Removes time off; administrators anyone's, staff their own. No booking can be affected.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`].
pub async fn remove_time_off(core: &Core, actor: &Actor, staff_id: Uuid, time_off_id: Uuid) -> Result<()> {
    change(core, (*actor, staff_id, time_off_id), |(actor, staff_id, id), tx, _| {
        Box::pin(remove(tx, actor, *staff_id, *id))
    })
    .await
}

async fn remove(tx: &mut PgConnection, actor: &Actor, staff_id: Uuid, time_off_id: Uuid) -> Result<()> {
    lock_own(tx, actor, staff_id).await?;
    let deleted = sqlx::query!("DELETE FROM time_off WHERE id = $1 AND staff_id = $2", time_off_id, staff_id)
        .execute(&mut *tx)
        .await?;
    if deleted.rows_affected() == 1 { Ok(()) } else { Err(Error::NotFound("time off")) }
}
