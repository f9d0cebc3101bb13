//! Sessions: the leases of worker processes.

use std::time::Duration;

use sqlx::PgConnection;
use uuid::Uuid;

use super::interval::interval;

/// Opens a session.
pub(crate) async fn open(
    conn: &mut PgConnection,
    id: Uuid,
    name: &str,
    version: Option<&str>,
    queues: &[String],
    kinds: &[String],
) -> Result<(), sqlx::Error> {
    // Plan: insert.
    sqlx::query!(
        "INSERT INTO queue.sessions (id, name, version, queues, kinds) VALUES ($1, $2, $3, $4, $5)",
        id,
        name,
        version,
        queues,
        kinds
    )
    .execute(&mut *conn)
    .await?;
    Ok(())
}

/// Renews a session. False when it has been ended: the process must open a new one.
pub(crate) async fn beat(conn: &mut PgConnection, id: Uuid) -> Result<bool, sqlx::Error> {
    // Plan: index scan on sessions_pkey.
    let beaten = sqlx::query!(
        "UPDATE queue.sessions SET beat_at = clock_timestamp() WHERE id = $1 AND ended_at IS NULL",
        id
    )
    .execute(&mut *conn)
    .await?;
    Ok(beaten.rows_affected() == 1)
}

/// Ends a session that holds no job any more.
pub(crate) async fn end(conn: &mut PgConnection, id: Uuid) -> Result<(), sqlx::Error> {
    // Plan: index scan on sessions_pkey. Zero rows: it was ended before.
    sqlx::query!(
        "UPDATE queue.sessions SET ended_at = clock_timestamp() WHERE id = $1 AND ended_at IS NULL",
        id
    )
    .execute(&mut *conn)
    .await?;
    Ok(())
}

/// The number of live sessions that serve each of these queues.
pub(crate) async fn serving(
    conn: &mut PgConnection,
    queues: &[String],
    ttl: Duration,
) -> Result<Vec<(String, u32)>, sqlx::Error> {
    // Plan: scan of the sessions: as many rows as worker processes started in a day.
    let rows = sqlx::query!(
        r#"SELECT q.queue AS "queue!", count(*) AS "sessions!"
           FROM queue.sessions s CROSS JOIN LATERAL unnest(s.queues) AS q (queue)
           WHERE s.ended_at IS NULL AND s.beat_at > clock_timestamp() - $2::interval AND q.queue = ANY ($1)
           GROUP BY q.queue"#,
        queues,
        interval(ttl),
    )
    .fetch_all(&mut *conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.queue, u32::try_from(row.sessions).unwrap_or(u32::MAX))).collect())
}

/// Records that a worker handles these kinds now.
pub(crate) async fn see_kinds(conn: &mut PgConnection, kinds: &[String]) -> Result<(), sqlx::Error> {
    // Plan: insert with kinds_pkey as arbiter, in sorted order against deadlocks.
    sqlx::query!(
        "INSERT INTO queue.kinds (kind, seen_at)
         SELECT kind, clock_timestamp() FROM unnest($1::text[]) AS k (kind) ORDER BY kind
         ON CONFLICT (kind) DO UPDATE SET seen_at = excluded.seen_at",
        kinds
    )
    .execute(&mut *conn)
    .await?;
    Ok(())
}
