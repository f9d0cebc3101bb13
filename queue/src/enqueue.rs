//! Enqueueing in the caller's transaction.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::error::{Error, Result};
use crate::ids::JobId;
use crate::job::Job;

/// Retries after a lost race for a unique key, before [`Error::Contended`].
const RACES: usize = 10;

/// The result of enqueueing a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enqueued {
    /// Id of the new job, or of the live job that already has its unique key.
    pub id: JobId,
    /// False when a live job with its unique key exists: nothing was stored.
    pub inserted: bool,
}

/// Stores a job in the caller's transaction: the job exists if and only if that commits. `now` decides whether it is due.
///
/// # Errors
/// [`Error::Database`], after which the transaction must be rolled back; [`Error::Contended`], after which it is usable.
pub async fn enqueue(conn: &mut PgConnection, now: DateTime<Utc>, job: Job) -> Result<Enqueued> {
    let kind = job.kind;
    let stored = enqueue_many(conn, now, vec![job]).await?;
    stored.first().copied().ok_or_else(|| Error::Contended { kind: kind.to_owned() })
}

/// Stores many jobs with one statement, in the caller's transaction; the results are in the order of the jobs. Keys are
/// locked in sorted order, so concurrent callers with the same keys do not deadlock.
///
/// # Errors
/// As [`enqueue`].
pub async fn enqueue_many(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    jobs: Vec<Job>,
) -> Result<Vec<Enqueued>> {
    let mut answers: Vec<Option<Enqueued>> = vec![None; jobs.len()];
    let mut open: Vec<(usize, Job)> = jobs.into_iter().enumerate().collect();
    open.sort_by(|(_, a), (_, b)| (a.kind, &a.unique_key).cmp(&(b.kind, &b.unique_key)));
    for _ in 0..RACES {
        if open.is_empty() {
            break;
        }
        let ids = insert(conn, now, &open).await?;
        let mut fresh: HashMap<(&str, &str), JobId> = HashMap::new();
        for (at, id) in ids.iter().enumerate() {
            let (place, job) = &open[at];
            if let Some(id) = id {
                answers[*place] = Some(Enqueued { id: *id, inserted: true });
                if let Some(key) = &job.unique_key {
                    fresh.insert((job.kind, key), *id);
                }
            }
        }
        let taken: Vec<&(usize, Job)> = open.iter().filter(|(place, _)| answers[*place].is_none()).collect();
        if taken.is_empty() {
            break;
        }
        let found = holders(conn, &taken).await?;
        for (place, job) in taken {
            let key = (job.kind, job.unique_key.as_deref().unwrap_or_default());
            let id = fresh
                .get(&key)
                .copied()
                .or_else(|| found.get(&(key.0.to_owned(), key.1.to_owned())).copied());
            answers[*place] = id.map(|id| Enqueued { id, inserted: false });
        }
        open.retain(|(place, _)| answers[*place].is_none());
    }
    if let Some((_, job)) = open.iter().find(|(place, _)| answers[*place].is_none()) {
        return Err(Error::Contended { kind: job.kind.to_owned() });
    }
    Ok(answers.into_iter().flatten().collect())
}

/// Inserts the jobs; `None` where a live job has the key. Ids are drawn before the insert, which maps each result to its
/// job.
async fn insert(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    jobs: &[(usize, Job)],
) -> Result<Vec<Option<JobId>>> {
    let column = |f: fn(&Job) -> &str| jobs.iter().map(|(_, job)| f(job).to_owned()).collect::<Vec<_>>();
    let text = |f: fn(&Job) -> Option<&str>| {
        jobs.iter().map(|(_, job)| f(job).map(str::to_owned)).collect::<Vec<Option<String>>>()
    };
    let time = |f: fn(&Job) -> Option<DateTime<Utc>>| jobs.iter().map(|(_, job)| f(job)).collect::<Vec<_>>();
    let args: Vec<serde_json::Value> = jobs.iter().map(|(_, job)| job.args.clone()).collect();
    let priorities: Vec<i16> = jobs.iter().map(|(_, job)| job.priority).collect();
    let attempts: Vec<i32> = jobs.iter().map(|(_, job)| job.max_attempts).collect();
    // Plan: function scan of the arrays, insert with the unique index as arbiter, hash join of the two CTEs.
    let ids = sqlx::query_scalar!(
        r#"WITH input AS MATERIALIZED (
               SELECT nextval('queue.jobs_id_seq') AS id, i.*
               FROM unnest($2::text[], $3::text[], $4::jsonb[], $5::timestamptz[], $6::timestamptz[], $7::text[],
                           $8::text[], $9::smallint[], $10::integer[], $11::text[], $12::text[])
                    WITH ORDINALITY AS i (queue, kind, args, run_at, expires_at, unique_key, limit_key, priority,
                                          max_attempts, traceparent, tracestate, place)
           ), stored AS (
               INSERT INTO queue.jobs (id, queue, kind, args, run_at, expires_at, unique_key, limit_key, priority,
                                       max_attempts, traceparent, tracestate, created_at, state)
               OVERRIDING SYSTEM VALUE
               SELECT id, queue, kind, args, coalesce(run_at, $1), expires_at, unique_key, limit_key, priority,
                      max_attempts, traceparent, tracestate, $1,
                      CASE WHEN run_at > $1 THEN 'scheduled' ELSE 'available' END::queue.job_state
               FROM input ORDER BY place
               ON CONFLICT (kind, unique_key)
                   WHERE unique_key IS NOT NULL AND state IN ('scheduled', 'available', 'running', 'retryable')
                   DO NOTHING
               RETURNING id
           )
           SELECT stored.id AS "id?: JobId" FROM input LEFT JOIN stored USING (id) ORDER BY input.place"#,
        now,
        &column(|job| job.queue),
        &column(|job| job.kind),
        &args,
        &time(|job| job.run_at) as _,
        &time(|job| job.expires_at) as _,
        &text(|job| job.unique_key.as_deref()) as _,
        &text(|job| job.limit_key.as_deref()) as _,
        &priorities,
        &attempts,
        &text(|job| job.trace.as_ref().map(|trace| trace.traceparent.as_str())) as _,
        &text(|job| job.trace.as_ref().and_then(|trace| trace.tracestate.as_deref())) as _,
    )
    .fetch_all(&mut *conn)
    .await?;
    Ok(ids)
}

/// The live jobs that hold the keys of these jobs. Reads a snapshot newer than the insert's.
async fn holders(
    conn: &mut PgConnection,
    jobs: &[&(usize, Job)],
) -> Result<HashMap<(String, String), JobId>> {
    let kinds: Vec<String> = jobs.iter().map(|(_, job)| job.kind.to_owned()).collect();
    let keys: Vec<String> = jobs.iter().map(|(_, job)| job.unique_key.clone().unwrap_or_default()).collect();
    // Plan: nested loop, one lookup in jobs_live_key for each key.
    let rows = sqlx::query!(
        r#"SELECT j.id AS "id: JobId", j.kind, j.unique_key AS "unique_key!"
           FROM unnest($1::text[], $2::text[]) AS i (kind, unique_key)
           JOIN queue.jobs j ON j.kind = i.kind AND j.unique_key = i.unique_key
           WHERE j.unique_key IS NOT NULL AND j.state IN ('scheduled', 'available', 'running', 'retryable')"#,
        &kinds,
        &keys,
    )
    .fetch_all(&mut *conn)
    .await?;
    Ok(rows.into_iter().map(|row| ((row.kind, row.unique_key), row.id)).collect())
}
