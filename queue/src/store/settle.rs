//! How a running job ends or goes back, by its holder: always by (id, `lease_seq`, running), so that a holder that was
//! replaced changes nothing.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::error::Result;
use crate::job::JobId;

/// Completes one job within a handler's transaction; false when another holder has it.
pub(crate) async fn complete(
    conn: &mut PgConnection,
    id: JobId,
    lease_seq: i64,
    now: DateTime<Utc>,
) -> Result<bool> {
    // Plan: index scan on jobs_pkey.
    let done = sqlx::query!(
        "UPDATE queue.jobs SET state = 'completed', session_id = NULL, finalized_at = $3
         WHERE id = $1 AND lease_seq = $2 AND state = 'running'",
        id.0,
        lease_seq,
        now,
    )
    .execute(&mut *conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
