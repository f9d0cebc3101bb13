//! Lists of jobs, and one job with its history.

use sqlx::PgConnection;

use super::list;
use super::page::{Cursor, JobDetail, JobFilter, Page};
use crate::error::{Error, Result};
use crate::ids::JobId;

/// A page of up to `limit` jobs (1–1000) after the cursor.
///
/// # Errors
/// [`Error::Database`].
pub async fn jobs(
    conn: &mut PgConnection,
    filter: &JobFilter,
    after: Option<Cursor>,
    limit: u32,
) -> Result<Page> {
    let limit = limit.clamp(1, 1000) as usize;
    // One more than requested, to know whether there is a next page.
    let mut places = list::places(conn, filter, after, i64::try_from(limit).unwrap_or(1000) + 1).await?;
    let more = places.len() > limit;
    places.truncate(limit);
    let next = places.last().copied().filter(|_| more);
    let ids: Vec<i64> = places.iter().map(|place| place.id.0).collect();
    Ok(Page { jobs: list::summaries(conn, &ids).await?, next })
}

/// One job; `None` when it does not exist or was pruned.
///
/// # Errors
/// [`Error::Database`].
pub async fn job(conn: &mut PgConnection, id: JobId) -> Result<Option<JobDetail>> {
    let Some(summary) = list::summaries(conn, &[id.0]).await?.pop() else { return Ok(None) };
    let Some((args, errors, traceparent)) = list::detail(conn, id).await? else { return Ok(None) };
    let errors =
        serde_json::from_value(errors).map_err(|error| Error::Database(sqlx::Error::Decode(error.into())))?;
    Ok(Some(JobDetail { summary, args, errors, traceparent }))
}
