//! The lease of the leader.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::interval::interval;

/// Takes or renews the leader lease; returns the time of Postgres, or `None` while another process holds the lease. An
/// expiry further ahead than two lease durations comes from a clock that was wrong: it is not honoured.
pub(crate) async fn lead(
    conn: &mut PgConnection,
    token: Uuid,
    session: Uuid,
    lease: Duration,
) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
    // Plan: insert with leader_pkey as arbiter: one row.
    sqlx::query_scalar!(
        r#"INSERT INTO queue.leader AS l (token, session_id, acquired_at, expires_at)
         VALUES ($1, $2, clock_timestamp(), clock_timestamp() + $3::interval)
         ON CONFLICT (singleton) DO UPDATE
         SET token = excluded.token, session_id = excluded.session_id, expires_at = excluded.expires_at,
             acquired_at = CASE WHEN l.token = excluded.token THEN l.acquired_at ELSE excluded.acquired_at END
         WHERE l.token = excluded.token OR l.expires_at < clock_timestamp()
            OR l.expires_at > clock_timestamp() + 2 * $3::interval
         RETURNING clock_timestamp() AS "now!""#,
        token,
        session,
        interval(lease),
    )
    .fetch_optional(&mut *conn)
    .await
}

/// Releases the leader lease, so that another process can take it immediately.
pub(crate) async fn resign(conn: &mut PgConnection, token: Uuid) -> Result<(), sqlx::Error> {
    // Plan: leader_pkey's one row. Zero rows: another process leads already.
    sqlx::query!("DELETE FROM queue.leader WHERE token = $1", token).execute(&mut *conn).await?;
    Ok(())
}
