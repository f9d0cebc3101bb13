//! Taking out of jobs what may speak of a person, in the owner's transaction.

use sqlx::PgConnection;

use crate::error::Result;
use crate::job::JobId;

/// Empties the history of errors, the note and the limit key of jobs of this kind: those with these unique keys that
/// live or ended without success, and those with these ids. A job that succeeded is found by its id only. Payloads stay:
/// they carry ids.
///
/// # Errors
/// [`crate::Error::Database`], after which the transaction is lost.
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
