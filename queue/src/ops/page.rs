//! Pages of jobs: filter, cursor and rows.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::ids::JobId;
use crate::job::JobState;

/// Which jobs to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFilter {
    /// In this state. The state decides the order: waiting and due jobs in execution order, running jobs by start time,
    /// ended jobs newest first.
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

/// Position after the last job of a page; text form for URLs and command lines. Valid for the same state only.
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
            // Postgres can't represent every instant that chrono can.
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
    /// Its state when the page was read.
    pub state: JobState,
    /// Smaller values run first.
    pub priority: i16,
    /// How many attempts were started.
    pub attempt: i32,
    /// A failure of this attempt or a later one discards the job.
    pub max_attempts: i32,
    /// When it runs next, or was due.
    pub run_at: DateTime<Utc>,
    /// From this instant on it is not started.
    pub expires_at: Option<DateTime<Utc>>,
    /// Consecutive deaths of its worker process.
    pub rescues: i16,
    /// How often it was snoozed.
    pub snoozes: i32,
    /// Its unique key.
    pub unique_key: Option<String>,
    /// Jobs of its queue with the same key share the limit per key.
    pub limit_key: Option<String>,
    /// The last error.
    pub last_error: Option<String>,
    /// Why it was skipped, snoozed, discarded or cancelled.
    pub note: Option<String>,
    /// The final state that was requested for it.
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
    /// The cursor of the next page; `None` on the last page.
    pub next: Option<Cursor>,
}

/// One failed attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobError {
    /// When it failed.
    pub at: DateTime<Utc>,
    /// Number of the attempt.
    pub attempt: i32,
    /// The error.
    pub error: String,
}

/// One job in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobDetail {
    /// The fields that lists show.
    pub summary: JobSummary,
    /// Its payload.
    pub args: serde_json::Value,
    /// Its last 50 errors, oldest first.
    pub errors: Vec<JobError>,
    /// W3C trace context of the code that enqueued it.
    pub traceparent: Option<String>,
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
