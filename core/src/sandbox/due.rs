use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::bookings::COMPLETED_AFTER;
use crate::{Core, Result, bookings, notifications, webhooks};

/// What is due and has not run yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Due {
    /// Jobs that are due or run: mails, webhooks and periodic work.
    pub jobs: i64,
    /// Webhook endpoints with undelivered events.
    pub endpoints: i64,
}

impl Due {
    /// Whether nothing is.
    #[must_use]
    pub const fn is_nothing(self) -> bool {
        self.jobs == 0 && self.endpoints == 0
    }
}

/// What is due at this instant.
pub(super) async fn due(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Due> {
    let (jobs, _) = queue(conn, now).await?;
    let endpoints = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM webhook_endpoints AS w
           WHERE w.status = 'active' AND (
               EXISTS (SELECT FROM booking_events AS e WHERE (e.xid, e.id) > (w.cursor_xid, w.cursor_id))
               OR EXISTS (SELECT FROM catalogue_events AS e WHERE (e.xid, e.id) > (w.cursor_xid, w.cursor_id)))"#,
    )
    .fetch_one(conn)
    .await?;
    Ok(Due { jobs, endpoints })
}

/// The next instant at which something falls due; `None`: nothing is planned.
pub(super) async fn next(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
    let (_, next_job) = queue(conn, now).await?;
    // Plan: the first row after now of notifications_to_enqueue; the bookings of a sandbox are few.
    let rows = sqlx::query_scalar!(
        r#"SELECT min(at) FROM (
               (SELECT send_at AS at FROM notifications
                WHERE outcome IS NULL AND enqueued_at IS NULL AND send_at > $1 ORDER BY send_at LIMIT 1)
               UNION ALL SELECT min(hold_expires_at) FROM bookings WHERE status = 'held' AND hold_expires_at > $1
               UNION ALL SELECT min(lower(during)) FROM bookings WHERE status = 'pending' AND lower(during) > $1
               UNION ALL SELECT min(upper(during)) + $2::interval FROM bookings
                         WHERE status = 'confirmed' AND upper(during) + $2::interval > $1
           ) AS next"#,
        now,
        sqlx::postgres::types::PgInterval::try_from(COMPLETED_AFTER)
            .map_err(|error| crate::Error::internal("the pause before completion", error))?,
    )
    .fetch_one(conn)
    .await?;
    Ok([next_job, rows].into_iter().flatten().min())
}

async fn queue(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<(i64, Option<DateTime<Utc>>)> {
    match punctual_queue::ops::due(conn, now).await {
        Ok(due) => Ok((due.count, due.next)),
        Err(punctual_queue::Error::Database(error)) => Err(error.into()),
        Err(other) => Err(crate::Error::internal("reading what is due", other)),
    }
}

/// Does at once what workers do periodically: a clock that jumps leaves their periods behind.
pub(super) async fn sweep(core: &Core) -> Result<()> {
    bookings::expire_holds(core).await?;
    bookings::expire_pending(core).await?;
    bookings::complete_past(core).await?;
    notifications::enqueue_due(&core.pool, core.now()).await?;
    while webhooks::fan_out(core).await?.endpoints > 0 {}
    Ok(())
}
