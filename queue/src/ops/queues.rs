//! Depth and settings of the queues.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::error::Result;
use crate::limits::limit::Limit;
use crate::store::interval::interval;
use crate::timing::Timing;

/// Depth and settings of a queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueueStatus {
    /// Its name.
    pub queue: String,
    /// Whether it is paused.
    pub paused: bool,
    /// The limit set at run time; `None`: the configured one applies.
    pub limit: Option<Limit>,
    /// The limit per `limit_key` set at run time; `None`: the configured one applies.
    pub key_limit: Option<Limit>,
    /// Jobs that wait for `run_at`.
    pub scheduled: i64,
    /// Due jobs that any worker may claim.
    pub available: i64,
    /// Running jobs.
    pub running: i64,
    /// Failed, snoozed or rate-limited jobs that wait for `run_at`.
    pub retryable: i64,
    /// Discarded jobs, which are kept for 7 days. Completed jobs are too many to count here; see the metric
    /// `queue_job_outcomes_total`.
    pub discarded: i64,
    /// Due time of the oldest due job that was not started.
    pub oldest_due: Option<DateTime<Utc>>,
    /// Live sessions that serve it.
    pub workers: i64,
}

impl QueueStatus {
    /// How long the oldest due job has been due.
    #[must_use]
    pub fn oldest_due_age(&self, now: DateTime<Utc>) -> Duration {
        self.oldest_due.and_then(|oldest| (now - oldest).to_std().ok()).unwrap_or_default()
    }
}

/// All queues that have jobs, workers or settings, sorted by name.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn queues(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Vec<QueueStatus>> {
    Ok(depths(conn, now).await?)
}

/// [`queues`], for the leader's metrics.
pub(crate) async fn depths(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
) -> Result<Vec<QueueStatus>, sqlx::Error> {
    // Plan: index-only scans of jobs_ready and jobs_waiting, index scans of jobs_rescued, jobs_running and the discarded
    // part of jobs_final. Completed jobs are never read.
    let rows = sqlx::query!(
        r#"WITH counted AS (
               SELECT queue, 'available' AS state, count(*) AS jobs, min(run_at) FILTER (WHERE run_at <= $1) AS oldest
               FROM queue.jobs WHERE state = 'available' AND rescues = 0 GROUP BY queue
               UNION ALL
               SELECT queue, 'available', count(*), min(run_at) FILTER (WHERE run_at <= $1)
               FROM queue.jobs WHERE state = 'available' AND rescues > 0 GROUP BY queue
               UNION ALL
               SELECT queue, state::text, count(*), min(run_at) FILTER (WHERE run_at <= $1)
               FROM queue.jobs WHERE state IN ('scheduled', 'retryable') GROUP BY queue, state
               UNION ALL
               SELECT queue, 'running', count(*), NULL FROM queue.jobs WHERE state = 'running' GROUP BY queue
               UNION ALL
               SELECT queue, 'discarded', count(*), NULL
               FROM queue.jobs WHERE state = 'discarded' AND finalized_at > '-infinity' GROUP BY queue
           ), depths AS (
               SELECT queue, min(oldest) AS oldest,
                      sum(jobs) FILTER (WHERE state = 'scheduled')::bigint AS scheduled,
                      sum(jobs) FILTER (WHERE state = 'available')::bigint AS available,
                      sum(jobs) FILTER (WHERE state = 'running')::bigint AS running,
                      sum(jobs) FILTER (WHERE state = 'retryable')::bigint AS retryable,
                      sum(jobs) FILTER (WHERE state = 'discarded')::bigint AS discarded
               FROM counted GROUP BY queue
           ), serving AS (
               SELECT q.queue, count(*) AS workers
               FROM queue.sessions s CROSS JOIN LATERAL unnest(s.queues) AS q (queue)
               WHERE s.ended_at IS NULL AND s.beat_at > clock_timestamp() - $2::interval GROUP BY q.queue
           ), names AS (
               SELECT queue FROM depths UNION SELECT queue FROM serving UNION SELECT queue FROM queue.queues
           )
           SELECT n.queue AS "queue!", coalesce(c.paused, false) AS "paused!",
                  c.limit_count AS "limit_count?", c.limit_per_ms AS "limit_per_ms?", c.limit_burst AS "limit_burst?",
                  c.key_limit_count AS "key_limit_count?", c.key_limit_per_ms AS "key_limit_per_ms?",
                  c.key_limit_burst AS "key_limit_burst?",
                  coalesce(d.scheduled, 0) AS "scheduled!", coalesce(d.available, 0) AS "available!",
                  coalesce(d.running, 0) AS "running!", coalesce(d.retryable, 0) AS "retryable!",
                  coalesce(d.discarded, 0) AS "discarded!", d.oldest AS "oldest?",
                  coalesce(s.workers, 0) AS "workers!"
           FROM names n
                LEFT JOIN depths d ON d.queue = n.queue
                LEFT JOIN serving s ON s.queue = n.queue
                LEFT JOIN queue.queues c ON c.queue = n.queue
           ORDER BY n.queue"#,
        now,
        interval(Timing::default().ttl),
    )
    .fetch_all(&mut *conn)
    .await?;
    let queues = rows.into_iter().map(|row| QueueStatus {
        queue: row.queue,
        paused: row.paused,
        limit: Limit::from_row(row.limit_count, row.limit_per_ms, row.limit_burst),
        key_limit: Limit::from_row(row.key_limit_count, row.key_limit_per_ms, row.key_limit_burst),
        scheduled: row.scheduled,
        available: row.available,
        running: row.running,
        retryable: row.retryable,
        discarded: row.discarded,
        oldest_due: row.oldest,
        workers: row.workers,
    });
    Ok(queues.collect())
}
