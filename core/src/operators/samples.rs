//! Samples of the queues' depth and throughput: two per minute, kept for a day.

use chrono::{DateTime, TimeDelta, Utc};
use punctual_queue::ops;
use sqlx::PgConnection;

use crate::transaction::change;
use crate::{Core, Result};

/// How long samples are kept.
const RETENTION: TimeDelta = TimeDelta::hours(24);
/// A job's end is committed slightly after its time: recent ends are counted by the next sample.
const SETTLING_TIME: TimeDelta = TimeDelta::seconds(5);
/// Longer gaps between samples are not filled, because it is unknown when in them the jobs ended.
const GAP: TimeDelta = TimeDelta::minutes(5);

/// One sample of one queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSample {
    /// When.
    pub at: DateTime<Utc>,
    /// Scheduled jobs.
    pub scheduled: i64,
    /// Due jobs that had not started.
    pub available: i64,
    /// Running jobs.
    pub running: i64,
    /// Jobs waiting for a retry.
    pub retryable: i64,
    /// Discarded jobs.
    pub discarded: i64,
    /// How long the oldest due job had waited.
    pub oldest_due_seconds: i64,
    /// Length of the period of the next two counts; 0: not counted.
    pub over_seconds: i32,
    /// Jobs that succeeded since the previous sample.
    pub completed: i64,
    /// Jobs that were discarded or cancelled since the previous sample.
    pub failed: i64,
}

/// Samples all queues and deletes samples older than a day. A periodic job; repeating it for the same instant changes
/// nothing.
pub async fn sample(core: &Core) -> Result<()> {
    change(core, (), |(), tx, now| Box::pin(take(tx, now))).await
}

async fn take(tx: &mut PgConnection, now: DateTime<Utc>) -> Result<()> {
    let before = sqlx::query_scalar!("SELECT max(at) FROM queue_samples WHERE at < $1", now)
        .fetch_one(&mut *tx)
        .await?
        .filter(|before| now - before <= GAP);
    let queues = ops::queues(tx, now).await?;
    let ended = match before {
        Some(before) => ops::ended(tx, before - SETTLING_TIME, now - SETTLING_TIME).await?,
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
    sqlx::query!("DELETE FROM queue_samples WHERE at < $1", now - RETENTION).execute(&mut *tx).await?;
    Ok(())
}

/// The samples of a queue since an instant, oldest first.
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
