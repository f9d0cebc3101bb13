//! Jobs that say something.

use sqlx::PgConnection;

use super::{Cursor, JobFilter, Page};
use crate::error::Result;
use crate::store::{list, search as store};

/// Jobs looked at for one page of a search.
const LOOKED_AT: usize = 10_000;
/// Jobs looked at by one statement.
const BATCH: usize = 1000;

/// As [`super::jobs`], those whose unique key, limit key, note, last error or payload contains `text`, without case. One
/// call looks at 10,000 jobs at most: a page may be short, or empty, and have a next one all the same.
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
    let (mut found, mut place, mut looked_at) = (Vec::new(), after, 0);
    let mut next = None;
    while found.len() < limit && looked_at < LOOKED_AT {
        let places = list::places(conn, filter, place, i64::try_from(BATCH).unwrap_or(1000)).await?;
        let ids: Vec<i64> = places.iter().map(|place| place.id.0).collect();
        let fitting = store::containing(conn, &ids, text).await?;
        let room = limit - found.len();
        // Where the page is full the next one begins after its last job; else after the last one looked at.
        let end = match fitting.get(room) {
            Some(_) => fitting.get(room - 1).and_then(|last| ids.iter().position(|id| id == last)),
            None => ids.len().checked_sub(1),
        };
        let more = fitting.len() > room || places.len() == BATCH;
        found.extend(fitting.into_iter().take(room));
        place = end.and_then(|end| places.get(end).copied()).or(place);
        next = place.filter(|_| more);
        looked_at += places.len();
        if !more {
            break;
        }
    }
    Ok(Page { jobs: list::summaries(conn, &found).await?, next })
}
