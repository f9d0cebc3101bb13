//! The audit of operators' actions.

use punctual_queue::JobId;

use super::action::{OperatorAction, OperatorKind, Verb};
use crate::types::{Cursor, Page, PageSize};
use crate::{Core, Result};

/// Recorded actions, newest first; only those of one job, if given.
pub async fn actions(
    core: &Core,
    job: Option<JobId>,
    limit: PageSize,
    cursor: Option<Cursor>,
) -> Result<Page<OperatorAction>> {
    let mut data = sqlx::query_as!(
        OperatorAction,
        r#"SELECT id, at, operator AS "operator: OperatorKind", user_id, verb AS "verb: Verb", queue,
                  job_id AS "job_id: JobId", job_kind, details
           FROM operator_actions
           WHERE ($1::bigint IS NULL OR job_id = $1)
             AND ($2::timestamptz IS NULL OR (at, id) < ($2, $3))
           ORDER BY at DESC, id DESC LIMIT $4"#,
        job.map(|id| id.0),
        cursor.map(|cursor| cursor.at),
        cursor.map(|cursor| cursor.id),
        i64::try_from(limit.rows() + 1).unwrap_or(i64::MAX),
    )
    .fetch_all(&core.pool)
    .await?;
    let more = data.len() > limit.rows();
    data.truncate(limit.rows());
    let next_cursor = data.last().filter(|_| more).map(|last| Cursor { at: last.at, id: last.id });
    Ok(Page { data, next_cursor })
}
