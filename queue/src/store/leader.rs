//! Who leads.

use std::time::Duration;

use sqlx::PgConnection;
use uuid::Uuid;

use super::interval;

/// Takes or renews the lead; false while another process has it.
pub(crate) async fn lead(
    conn: &mut PgConnection,
    token: Uuid,
    session: Uuid,
    lease: Duration,
) -> Result<bool, sqlx::Error> {
    // Plan: insert with leader_pkey as arbiter: one row.
    let led = sqlx::query!(
        "INSERT INTO queue.leader AS l (token, session_id, acquired_at, expires_at)
         VALUES ($1, $2, clock_timestamp(), clock_timestamp() + $3::interval)
         ON CONFLICT (singleton) DO UPDATE
         SET token = excluded.token, session_id = excluded.session_id, expires_at = excluded.expires_at,
             acquired_at = CASE WHEN l.token = excluded.token THEN l.acquired_at ELSE excluded.acquired_at END
         WHERE l.token = excluded.token OR l.expires_at < clock_timestamp()",
        token,
        session,
        interval(lease),
    )
    .execute(&mut *conn)
    .await?;
    Ok(led.rows_affected() == 1)
}

/// Gives up the lead, so that another process takes it at once.
pub(crate) async fn resign(conn: &mut PgConnection, token: Uuid) -> Result<(), sqlx::Error> {
    // Plan: leader_pkey's one row. Zero rows: it led no more.
    sqlx::query!("DELETE FROM queue.leader WHERE token = $1", token).execute(&mut *conn).await?;
    Ok(())
}
