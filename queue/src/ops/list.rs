//! The statements behind lists of jobs: first the positions of a page from the index with its order, then the rows.

use sqlx::PgConnection;

use super::page::{Cursor, JobFilter, JobSummary};
use crate::ids::JobId;
use crate::job::JobState;

/// The positions of up to `count` jobs after `after`, in the order of their state.
pub(crate) async fn places(
    conn: &mut PgConnection,
    filter: &JobFilter,
    after: Option<Cursor>,
    count: i64,
) -> Result<Vec<Cursor>, sqlx::Error> {
    match filter.state {
        JobState::Scheduled | JobState::Retryable => waiting(conn, filter, after, count).await,
        JobState::Available => due(conn, filter, after, count).await,
        JobState::Running => running(conn, filter, after, count).await,
        JobState::Completed | JobState::Discarded | JobState::Cancelled => {
            ended(conn, filter, after, count).await
        }
    }
}

/// By the time they are due.
async fn waiting(
    conn: &mut PgConnection,
    filter: &JobFilter,
    after: Option<Cursor>,
    count: i64,
) -> Result<Vec<Cursor>, sqlx::Error> {
    // Plan: index-only scan of jobs_waiting from the position on, stopped by the limit; state, queue and kind are compared
    // within the index.
    sqlx::query_as!(
        Cursor,
        r#"SELECT 0::smallint AS "priority!", run_at AS at, id AS "id: JobId" FROM queue.jobs
           WHERE state IN ('scheduled', 'retryable') AND state = $1::text::queue.job_state
             AND ($2::text IS NULL OR queue = $2) AND ($3::text IS NULL OR kind = $3)
             AND (run_at, id) > (coalesce($4::timestamptz, '-infinity'), coalesce($5::bigint, 0))
           ORDER BY run_at, id
           LIMIT $6"#,
        filter.state.as_str(),
        filter.queue.as_deref(),
        filter.kind.as_deref(),
        after.map(|place| place.at),
        after.map(|place| place.id.0),
        count,
    )
    .fetch_all(&mut *conn)
    .await
}

/// By priority and time; for one queue this is the order of claiming.
async fn due(
    conn: &mut PgConnection,
    filter: &JobFilter,
    after: Option<Cursor>,
    count: i64,
) -> Result<Vec<Cursor>, sqlx::Error> {
    // Plan: the pairs of queue and kind by hops through jobs_ready, for each an index-only scan of it from the place on,
    // stopped by the limit; jobs_rescued, which holds a handful of rows at most.
    sqlx::query_as!(
        Cursor,
        r#"WITH RECURSIVE pairs AS (
               (SELECT queue, kind FROM queue.jobs WHERE state = 'available' AND rescues = 0
                ORDER BY queue, kind LIMIT 1)
               UNION ALL
               SELECT n.queue, n.kind FROM pairs p CROSS JOIN LATERAL (
                   SELECT queue, kind FROM queue.jobs
                   WHERE state = 'available' AND rescues = 0 AND (queue, kind) > (p.queue, p.kind)
                   ORDER BY queue, kind LIMIT 1) AS n
           ), found AS (
               SELECT j.priority, j.run_at, j.id FROM pairs p CROSS JOIN LATERAL (
                   SELECT priority, run_at, id FROM queue.jobs
                   WHERE queue = p.queue AND kind = p.kind AND state = 'available' AND rescues = 0
                     AND (priority, run_at, id) >
                         (coalesce($3::smallint, -32768), coalesce($4::timestamptz, '-infinity'),
                          coalesce($5::bigint, 0))
                   ORDER BY priority, run_at, id
                   LIMIT $6) AS j
               WHERE ($1::text IS NULL OR p.queue = $1) AND ($2::text IS NULL OR p.kind = $2)
               UNION ALL
               SELECT priority, run_at, id FROM queue.jobs
               WHERE state = 'available' AND rescues > 0
                 AND ($1::text IS NULL OR queue = $1) AND ($2::text IS NULL OR kind = $2)
                 AND (priority, run_at, id) >
                     (coalesce($3::smallint, -32768), coalesce($4::timestamptz, '-infinity'),
                      coalesce($5::bigint, 0))
           )
           SELECT priority AS "priority!", run_at AS "at!", id AS "id!: JobId" FROM found
           ORDER BY priority, run_at, id
           LIMIT $6"#,
        filter.queue.as_deref(),
        filter.kind.as_deref(),
        after.map(|place| place.priority),
        after.map(|place| place.at),
        after.map(|place| place.id.0),
        count,
    )
    .fetch_all(&mut *conn)
    .await
}

/// The longest running first.
async fn running(
    conn: &mut PgConnection,
    filter: &JobFilter,
    after: Option<Cursor>,
    count: i64,
) -> Result<Vec<Cursor>, sqlx::Error> {
    // Plan: index scan of jobs_running, as many rows as run in all workers, and a sort of them.
    sqlx::query_as!(
        Cursor,
        r#"SELECT 0::smallint AS "priority!", coalesce(attempted_at, created_at) AS "at!", id AS "id: JobId"
           FROM queue.jobs
           WHERE state = 'running' AND ($1::text IS NULL OR queue = $1) AND ($2::text IS NULL OR kind = $2)
             AND (coalesce(attempted_at, created_at), id) >
                 (coalesce($3::timestamptz, '-infinity'), coalesce($4::bigint, 0))
           ORDER BY coalesce(attempted_at, created_at), id
           LIMIT $5"#,
        filter.queue.as_deref(),
        filter.kind.as_deref(),
        after.map(|place| place.at),
        after.map(|place| place.id.0),
        count,
    )
    .fetch_all(&mut *conn)
    .await
}

/// The most recently ended first.
async fn ended(
    conn: &mut PgConnection,
    filter: &JobFilter,
    after: Option<Cursor>,
    count: i64,
) -> Result<Vec<Cursor>, sqlx::Error> {
    // Plan: index scan on jobs_final backward from the position on, stopped by the limit. Queue and kind are compared in
    // the rows: a rare kind among many completed jobs costs a walk over them.
    sqlx::query_as!(
        Cursor,
        r#"SELECT 0::smallint AS "priority!", finalized_at AS "at!", id AS "id: JobId" FROM queue.jobs
           WHERE state IN ('completed', 'discarded', 'cancelled') AND state = $1::text::queue.job_state
             AND ($2::text IS NULL OR queue = $2) AND ($3::text IS NULL OR kind = $3)
             AND (finalized_at, id) <
                 (coalesce($4::timestamptz, 'infinity'), coalesce($5::bigint, 9223372036854775807))
           ORDER BY finalized_at DESC, id DESC
           LIMIT $6"#,
        filter.state.as_str(),
        filter.queue.as_deref(),
        filter.kind.as_deref(),
        after.map(|place| place.at),
        after.map(|place| place.id.0),
        count,
    )
    .fetch_all(&mut *conn)
    .await
}

/// The jobs with these ids, in this order; deleted jobs are left out.
pub(crate) async fn summaries(conn: &mut PgConnection, ids: &[i64]) -> Result<Vec<JobSummary>, sqlx::Error> {
    // Plan: jobs_pkey for each id.
    sqlx::query_as!(
        JobSummary,
        r#"SELECT j.id AS "id: JobId", j.queue, j.kind, j.state AS "state: JobState", j.priority, j.attempt,
                  j.max_attempts, j.run_at, j.expires_at, j.rescues, j.snoozes, j.unique_key, j.limit_key,
                  j.errors -> -1 ->> 'error' AS last_error, j.note, j.stop AS "stop: JobState",
                  j.session_id AS session, j.created_at, j.attempted_at, j.finalized_at
           FROM unnest($1::bigint[]) WITH ORDINALITY AS p (id, place) JOIN queue.jobs j ON j.id = p.id
           ORDER BY p.place"#,
        ids,
    )
    .fetch_all(&mut *conn)
    .await
}

type Detail = (serde_json::Value, serde_json::Value, Option<String>);

/// Payload, error history and trace of a job.
pub(crate) async fn detail(conn: &mut PgConnection, id: JobId) -> Result<Option<Detail>, sqlx::Error> {
    // Plan: index scan on jobs_pkey.
    let row = sqlx::query!("SELECT args, errors, traceparent FROM queue.jobs WHERE id = $1", id.0)
        .fetch_optional(&mut *conn)
        .await?;
    Ok(row.map(|row| (row.args, row.errors, row.traceparent)))
}
