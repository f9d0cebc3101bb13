//! How full and how busy the queues were: two samples a minute, kept for a day.

use chrono::{DateTime, TimeDelta, Utc};
use punctual_queue::ops;
use sqlx::PgConnection;

use super::queue_error;
use crate::transaction::change;
use crate::{Core, Result};

/// How long samples are kept.
const KEPT: TimeDelta = TimeDelta::hours(24);
/// A job's end is committed a moment after its instant: what ended just now is counted by the next sample.
const SETTLES: TimeDelta = TimeDelta::seconds(5);
/// Longer gaps between samples are not filled: nobody knows when in them the jobs ended.
const GAP: TimeDelta = TimeDelta::minutes(5);

/// One look at one queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSample {
    /// When.
    pub at: DateTime<Utc>,
    /// Jobs that waited for their time.
    pub scheduled: i64,
    /// Jobs that were due and not begun.
    pub available: i64,
    /// Jobs that ran.
    pub running: i64,
    /// Jobs that waited for their next try.
    pub retryable: i64,
    /// Jobs that had ended without success.
    pub discarded: i64,
    /// How long the oldest due job had waited.
    pub oldest_due_seconds: i64,
    /// Length of the time in which the next two were counted; 0: they were not.
    pub over_seconds: i32,
    /// Jobs that ended with success since the sample before.
    pub completed: i64,
    /// Jobs that were discarded or cancelled since the sample before.
    pub failed: i64,
}

/// Looks at all queues and forgets the samples of more than a day ago. A periodic job; a second look at one instant
/// changes nothing.
pub async fn sample(core: &Core) -> Result<()> {
    change(core, (), |(), tx, now| Box::pin(take(tx, now))).await
}

async fn take(tx: &mut PgConnection, now: DateTime<Utc>) -> Result<()> {
    let before = sqlx::query_scalar!("SELECT max(at) FROM queue_samples WHERE at < $1", now)
        .fetch_one(&mut *tx)
        .await?
        .filter(|before| now - before <= GAP);
    let queues = ops::queues(tx, now).await.map_err(queue_error)?;
    let ended = match before {
        Some(before) => ops::ended(tx, before - SETTLES, now - SETTLES).await.map_err(queue_error)?,
        None => Vec::new(),
    };
    let over_seconds = before.map_or(0, |before| i32::try_from((now - before).num_seconds()).unwrap_or(0));
    for queue in queues {
        let ended = ended.iter().find(|ended| ended.queue == queue.queue);
        let oldest = i64::try_from(queue.oldest_due_age(now).as_secs()).unwrap_or(i64::MAX);
        sqlx::query!(
            "INSERT INTO queue_samples (queue, at, scheduled, available, running, retryable, discarded,
                                        oldest_due_seconds, over_seconds, completed, failed)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING",
            queue.queue,
            now,
            queue.scheduled,
            queue.available,
            queue.running,
            queue.retryable,
            queue.discarded,
            oldest,
            over_seconds,
            ended.map_or(0, |ended| ended.completed),
            ended.map_or(0, |ended| ended.failed),
        )
        .execute(&mut *tx)
        .await?;
    }
    sqlx::query!("DELETE FROM queue_samples WHERE at < $1", now - KEPT).execute(&mut *tx).await?;
    Ok(())
}

/// The samples of a queue from an instant on, the oldest first.
pub async fn history(core: &Core, queue: &str, from: DateTime<Utc>) -> Result<Vec<QueueSample>> {
    let samples = sqlx::query_as!(
        QueueSample,
        "SELECT at, scheduled, available, running, retryable, discarded, oldest_due_seconds, over_seconds, completed,
                failed
         FROM queue_samples WHERE queue = $1 AND at >= $2 ORDER BY at",
        queue,
        from,
    )
    .fetch_all(&core.pool)
    .await?;
    Ok(samples)
}
