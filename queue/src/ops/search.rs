//! Full-text search in jobs.

use sqlx::PgConnection;

use super::list;
use super::page::{Cursor, JobFilter, Page};
use crate::error::Result;

/// Jobs examined for one page of a search.
const MAX_EXAMINED: usize = 10_000;
/// Jobs examined by one statement.
const BATCH: usize = 1000;

/// As [`super::jobs`], for jobs whose unique key, limit key, note, last error or payload contains `text`, ignoring case.
/// One call examines at most 10,000 jobs: a short or empty page can have a next page.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn search(
    conn: &mut PgConnection,
    filter: &JobFilter,
    text: &str,
    after: Option<Cursor>,
    limit: u32,
) -> Result<Page> {
    let limit = limit.clamp(1, 1000) as usize;
    let (mut found, mut place, mut examined) = (Vec::new(), after, 0);
    let mut next = None;
    while found.len() < limit && examined < MAX_EXAMINED {
        let places = list::places(conn, filter, place, i64::try_from(BATCH).unwrap_or(1000)).await?;
        let ids: Vec<i64> = places.iter().map(|place| place.id.0).collect();
        let matching = containing(conn, &ids, text).await?;
        let room = limit - found.len();
        // The next page starts after the last job of a full page, else after the last job examined.
        let end = match matching.get(room) {
            Some(_) => matching.get(room - 1).and_then(|last| ids.iter().position(|id| id == last)),
            None => ids.len().checked_sub(1),
        };
        let more = matching.len() > room || places.len() == BATCH;
        found.extend(matching.into_iter().take(room));
        place = end.and_then(|end| places.get(end).copied()).or(place);
        next = place.filter(|_| more);
        examined += places.len();
        if !more {
            break;
        }
    }
    Ok(Page { jobs: list::summaries(conn, &found).await?, next })
}

/// The jobs among these whose unique key, limit key, note, last error or payload contains `text`, ignoring case; in the
/// given order.
async fn containing(conn: &mut PgConnection, ids: &[i64], text: &str) -> Result<Vec<i64>, sqlx::Error> {
    // Plan: jobs_pkey for each id.
    sqlx::query_scalar!(
        r#"SELECT j.id FROM unnest($1::bigint[]) WITH ORDINALITY AS p (id, place) JOIN queue.jobs j ON j.id = p.id
           WHERE position(lower($2) IN lower(concat_ws(' ', j.unique_key, j.limit_key, j.note,
                                                       j.errors -> -1 ->> 'error', j.args::text))) > 0
           ORDER BY p.place"#,
        ids,
        text,
    )
    .fetch_all(&mut *conn)
    .await
}
