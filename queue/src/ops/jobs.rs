//! Jobs in lists, and one job with its history.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::job::{JobId, JobState};
use crate::store::list;

/// Which jobs to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFilter {
    /// In this state. Each state has an order of its own: what waits or is due as it will run, what runs from the
    /// longest running on, what has ended from the last on.
    pub state: JobState,
    /// Of this queue.
    pub queue: Option<String>,
    /// Of this kind.
    pub kind: Option<String>,
}

impl JobFilter {
    /// All jobs in this state.
    #[must_use]
    pub const fn state(state: JobState) -> Self {
        Self { state, queue: None, kind: None }
    }

    /// Of this queue only.
    #[must_use]
    pub fn queue(self, queue: impl Into<String>) -> Self {
        Self { queue: Some(queue.into()), ..self }
    }

    /// Of this kind only.
    #[must_use]
    pub fn kind(self, kind: impl Into<String>) -> Self {
        Self { kind: Some(kind.into()), ..self }
    }
}

/// Where a page ended; as text for an address or a command line. It belongs to the state it was listed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub(crate) priority: i16,
    pub(crate) at: DateTime<Utc>,
    pub(crate) id: JobId,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.priority, self.at.timestamp_micros(), self.id)
    }
}

impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let read = || {
            let mut parts = text.split('.');
            let priority = parts.next()?.parse().ok()?;
            let at = DateTime::from_timestamp_micros(parts.next()?.parse().ok()?)?;
            let id = JobId(parts.next()?.parse().ok()?);
            // Not every instant that chrono knows can be sent to Postgres.
            if !(1970..=9998).contains(&at.year()) {
                return None;
            }
            parts.next().is_none().then_some(Self { priority, at, id })
        };
        read().ok_or(Error::Cursor)
    }
}

/// A job in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobSummary {
    /// Its id.
    pub id: JobId,
    /// Its queue.
    pub queue: String,
    /// Its kind.
    pub kind: String,
    /// Where it stands; it may have moved on since the list was cut.
    pub state: JobState,
    /// Smaller runs first.
    pub priority: i16,
    /// How often it was begun.
    pub attempt: i32,
    /// A failure of this attempt or a later one discards it.
    pub max_attempts: i32,
    /// When it runs next, or was due.
    pub run_at: DateTime<Utc>,
    /// From this instant on it is not run.
    pub expires_at: Option<DateTime<Utc>>,
    /// How often in a row its process died.
    pub rescues: i16,
    /// How often it put itself off.
    pub snoozes: i32,
    /// Its unique key.
    pub unique_key: Option<String>,
    /// The key whose limit it shares.
    pub limit_key: Option<String>,
    /// What failed last.
    pub last_error: Option<String>,
    /// Why it was skipped, put off, discarded or cancelled.
    pub note: Option<String>,
    /// How somebody has asked for it to end.
    pub stop: Option<JobState>,
    /// The session that runs it.
    pub session: Option<Uuid>,
    /// When it was enqueued.
    pub created_at: DateTime<Utc>,
    /// When it was last claimed.
    pub attempted_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finalized_at: Option<DateTime<Utc>>,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The jobs.
    pub jobs: Vec<JobSummary>,
    /// Where the next page begins; `None` when there is none.
    pub next: Option<Cursor>,
}

/// One failure of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobError {
    /// When.
    pub at: DateTime<Utc>,
    /// Which attempt.
    pub attempt: i32,
    /// What failed.
    pub error: String,
}

/// One job with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobDetail {
    /// As in a list.
    pub summary: JobSummary,
    /// Its payload.
    pub args: serde_json::Value,
    /// Its last 50 failures, oldest first.
    pub errors: Vec<JobError>,
    /// W3C trace context of what enqueued it.
    pub traceparent: Option<String>,
}

/// Up to `limit` jobs (1–1000) from `after` on.
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
    // One more than asked for tells whether there is a next page.
    let mut places = list::places(conn, filter, after, i64::try_from(limit).unwrap_or(1000) + 1).await?;
    let more = places.len() > limit;
    places.truncate(limit);
    let next = places.last().copied().filter(|_| more);
    let ids: Vec<i64> = places.iter().map(|place| place.id.0).collect();
    Ok(Page { jobs: list::summaries(conn, &ids).await?, next })
}

/// One job; `None` when there is none (any more).
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_way_through_an_address() {
        let cursor = Cursor {
            priority: -3,
            at: DateTime::from_timestamp_micros(1_800_000_000_123_456).unwrap(),
            id: JobId(42),
        };
        assert_eq!(cursor.to_string(), "-3.1800000000123456.42");
        assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
        for wrong in ["", "1.2", "1.2.3.4", "1.x.3", "99999.1.1", "0.-99999999999999999.1"] {
            assert!(wrong.parse::<Cursor>().is_err(), "{wrong}");
        }
    }
}
