use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{PgConnection, PgPool};

use crate::Result;

/// How long events of the catalogue are kept. Those of bookings are the audit trail and stay as long as their booking.
const RETENTION: TimeDelta = TimeDelta::days(30);

/// Removes catalogue events older than 30 days and stores how far the feed reaches back; returns how many it removed.
///
/// # Errors
/// [`crate::Error::Unavailable`].
pub async fn remove_old(pool: &PgPool, now: DateTime<Utc>) -> Result<u64> {
    // Plan: a range of catalogue_events_at; the floor is the greatest place that was removed.
    let removed = sqlx::query_scalar!(
        r#"WITH removed AS (
               DELETE FROM catalogue_events
               WHERE at < $1 AND xid < pg_snapshot_xmin(pg_current_snapshot())
               RETURNING xid, id
           ), last AS (
               SELECT xid, id FROM removed ORDER BY xid DESC, id DESC LIMIT 1
           ), noted AS (
               UPDATE feed_floor SET xid = last.xid, id = last.id FROM last
               WHERE (last.xid, last.id) > (feed_floor.xid, feed_floor.id)
           )
           SELECT count(*) AS "count!" FROM removed"#,
        now - RETENTION,
    )
    .fetch_one(pool)
    .await?;
    Ok(u64::try_from(removed).unwrap_or(0))
}

/// After a restore into another cluster, transaction ids start again at low numbers: events and positions of the old cluster
/// would be in the future and hidden. They all become events of the current transaction, in their old order.
///
/// # Errors
/// When Postgres fails.
pub(crate) async fn rebase(conn: &mut PgConnection) -> sqlx::Result<()> {
    let ahead = sqlx::query_scalar!(
        r#"SELECT (EXISTS (SELECT FROM booking_events WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()))
                OR EXISTS (SELECT FROM catalogue_events WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()))
                OR EXISTS (SELECT FROM feed_floor WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()))) AS "ahead!""#,
    )
    .fetch_one(&mut *conn)
    .await?;
    if !ahead {
        return Ok(());
    }
    // Numbers of events grow in the order of their insertion, which approximates the order of the lost ids. An
    // endpoint's position keeps its number, so that events it has not received yet are still after it.
    sqlx::raw_sql(
        "BEGIN;
         LOCK TABLE booking_events, catalogue_events, webhook_endpoints, feed_floor IN EXCLUSIVE MODE;
         UPDATE booking_events SET xid = pg_current_xact_id();
         UPDATE catalogue_events SET xid = pg_current_xact_id();
         UPDATE webhook_endpoints SET cursor_xid = pg_current_xact_id();
         UPDATE feed_floor SET xid = pg_current_xact_id();
         COMMIT",
    )
    .execute(conn)
    .await?;
    Ok(())
}
