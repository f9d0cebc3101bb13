//! Status changes that happen by time alone. The queue's leader runs them as periodic jobs; each transaction locks one
//! calendar.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::audit::BookingChange;
use super::{calendars, mails, row};
use crate::transaction::{Outcome, Write, write};
use crate::types::{Actor, ActorKind, ChangeKind};
use crate::{Core, Error, Result, staff};

/// Time after its end at which a confirmed booking is completed if staff have recorded no outcome.
pub(crate) const COMPLETED_AFTER: TimeDelta = TimeDelta::hours(24);

/// Expires holds; returns how many.
pub async fn expire_holds(core: &Core) -> Result<u64> {
    let staff_ids = sqlx::query_scalar!(
        "SELECT DISTINCT staff_id FROM bookings WHERE status = 'held' AND hold_expires_at <= $1",
        core.now()
    )
    .fetch_all(&core.pool)
    .await?;
    sweep(core, staff_ids, Sweep::Holds).await
}

/// Expires pending bookings whose start has passed; returns how many.
pub async fn expire_pending(core: &Core) -> Result<u64> {
    let staff_ids = sqlx::query_scalar!(
        "SELECT DISTINCT staff_id FROM bookings WHERE status = 'pending' AND lower(during) <= $1",
        core.now()
    )
    .fetch_all(&core.pool)
    .await?;
    sweep(core, staff_ids, Sweep::Pending).await
}

/// Completes confirmed bookings that ended 24 hours ago; returns how many.
pub async fn complete_past(core: &Core) -> Result<u64> {
    let staff_ids = sqlx::query_scalar!(
        "SELECT DISTINCT staff_id FROM bookings WHERE status = 'confirmed' AND upper(during) <= $1",
        core.now() - COMPLETED_AFTER
    )
    .fetch_all(&core.pool)
    .await?;
    sweep(core, staff_ids, Sweep::Past).await
}

async fn sweep(core: &Core, staff_ids: Vec<Uuid>, what: Sweep) -> Result<u64> {
    let mut total = 0;
    for staff_id in staff_ids {
        total += write(core, Arc::new(SweepCalendar { staff_id, what }), ()).await?;
    }
    Ok(total)
}

#[derive(Clone, Copy)]
enum Sweep {
    Holds,
    Pending,
    Past,
}

struct SweepCalendar {
    staff_id: Uuid,
    what: Sweep,
}

impl Write for SweepCalendar {
    type Output = u64;

    async fn run(&self, tx: &mut PgConnection, now: DateTime<Utc>) -> Result<Outcome<u64>> {
        staff::lock(tx, &[self.staff_id]).await?;
        let swept = match self.what {
            Sweep::Holds => calendars::expire_dead_holds(tx, now, &[self.staff_id]).await?,
            Sweep::Pending => expire_started(tx, now, self.staff_id).await?,
            Sweep::Past => complete_ended(tx, now, self.staff_id).await?,
        };
        let queues = if matches!(self.what, Sweep::Pending) { mails::QUEUES } else { &[] };
        Ok(if swept == 0 { Outcome::Unchanged(0) } else { Outcome::Changed(swept, queues) })
    }
}

async fn expire_started(tx: &mut PgConnection, now: DateTime<Utc>, staff_id: Uuid) -> Result<u64> {
    let expired = sqlx::query_scalar!(
        r#"WITH started AS (
             UPDATE bookings SET status = 'expired', rev = rev + 1, updated_at = $1
             WHERE staff_id = $2 AND status = 'pending' AND lower(during) <= $1
             RETURNING id, rev, status
         )
         INSERT INTO booking_events (booking_id, rev, status, change, actor, at)
         SELECT id, rev, status, 'expired', $3, $1 FROM started
         RETURNING booking_id"#,
        now,
        staff_id,
        ActorKind::System as ActorKind,
    )
    .fetch_all(&mut *tx)
    .await?;
    for id in &expired {
        let row = row::find(tx, *id).await?.ok_or(Error::NotFound("booking"))?;
        mails::plan(tx, now, &row, &BookingChange::in_place(ChangeKind::Expired, &Actor::System), &[])
            .await?;
    }
    Ok(expired.len() as u64)
}

async fn complete_ended(tx: &mut PgConnection, now: DateTime<Utc>, staff_id: Uuid) -> Result<u64> {
    let completed = sqlx::query!(
        "WITH ended AS (
             UPDATE bookings SET status = 'completed', rev = rev + 1, updated_at = $1
             WHERE staff_id = $2 AND status = 'confirmed' AND upper(during) <= $4
             RETURNING id, rev, status
         )
         INSERT INTO booking_events (booking_id, rev, status, change, actor, at)
         SELECT id, rev, status, 'completed', $3, $1 FROM ended",
        now,
        staff_id,
        ActorKind::System as ActorKind,
        now - COMPLETED_AFTER,
    )
    .execute(tx)
    .await?;
    Ok(completed.rows_affected())
}
