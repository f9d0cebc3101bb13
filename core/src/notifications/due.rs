//! Enqueuing the mails that are due.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

use super::NotificationKind;
use super::payload::{self, DueJob};
use super::plan::ENQUEUE_AHEAD;
use crate::Result;

/// Rows per transaction.
const BATCH: i64 = 500;

/// Enqueues all mails that are due within [`ENQUEUE_AHEAD`]; returns how many. The leader calls it at least once a minute,
/// so every job exists before it is due.
pub async fn enqueue_due(pool: &PgPool, now: DateTime<Utc>) -> Result<u64> {
    let mut total = 0;
    loop {
        let enqueued = enqueue_batch(pool, now).await?;
        total += enqueued;
        if enqueued < BATCH.unsigned_abs() {
            return Ok(total);
        }
    }
}

async fn enqueue_batch(pool: &PgPool, now: DateTime<Utc>) -> Result<u64> {
    let mut tx = pool.begin().await?;
    let rows = sqlx::query!(
        r#"
        UPDATE notifications
        SET enqueued_at = $1
        WHERE id = ANY(ARRAY(
            SELECT id FROM notifications
            WHERE outcome IS NULL AND enqueued_at IS NULL AND send_at <= $2
            ORDER BY send_at
            LIMIT $3
            FOR UPDATE SKIP LOCKED))
        RETURNING id, kind AS "kind: NotificationKind", recipient::text, send_at, expires_at
        "#,
        now,
        now + ENQUEUE_AHEAD,
        BATCH,
    )
    .fetch_all(&mut *tx)
    .await?;
    let jobs = rows
        .iter()
        .map(|row| {
            payload::job(&DueJob {
                id: row.id,
                kind: row.kind,
                recipient: row.recipient.as_deref(),
                send_at: row.send_at,
                expires_at: row.expires_at,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    if !jobs.is_empty() {
        punctual_queue::enqueue_many(&mut tx, now, jobs).await?;
    }
    tx.commit().await?;
    Ok(rows.len() as u64)
}
