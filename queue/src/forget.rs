//! Erasure of personal data from jobs, in the owner's transaction.

use sqlx::PgConnection;

use crate::error::Result;
use crate::ids::JobId;

/// Clears error history, note and limit key of jobs of this kind: jobs with these unique keys that are live or ended
/// without success, and jobs with these ids. A completed job is found by its id only. Payloads stay: they hold ids.
///
/// # Errors
/// [`crate::Error::Database`], after which the transaction must be rolled back.
pub async fn forget(
    conn: &mut PgConnection,
    kind: &str,
    unique_keys: &[String],
    ids: &[JobId],
) -> Result<()> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    // Plan: index scans on jobs_live_key, jobs_final and jobs_pkey.
    sqlx::query!(
        "UPDATE queue.jobs SET errors = '[]', note = NULL, limit_key = NULL
         WHERE id = ANY(ARRAY(
             SELECT id FROM queue.jobs
             WHERE kind = $1 AND unique_key = ANY($2) AND unique_key IS NOT NULL
               AND state IN ('scheduled', 'available', 'running', 'retryable')
             UNION
             SELECT id FROM queue.jobs
             WHERE kind = $1 AND unique_key = ANY($2) AND state IN ('discarded', 'cancelled')
             UNION
             SELECT id FROM queue.jobs WHERE kind = $1 AND id = ANY($3)))",
        kind,
        unique_keys,
        &ids,
    )
    .execute(conn)
    .await?;
    Ok(())
}
