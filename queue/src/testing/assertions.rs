//! Assertions on stored jobs.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::ids::JobId;
use crate::job::JobState;

/// The columns of a stored job that tests look at.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct StoredJob {
    /// Its id.
    pub id: JobId,
    /// Its queue.
    pub queue: String,
    /// Its kind.
    pub kind: String,
    /// Its state.
    pub state: JobState,
    /// How many attempts were started.
    pub attempt: i32,
    /// Its fencing token.
    pub lease_seq: i64,
    /// When it runs next.
    pub run_at: DateTime<Utc>,
    /// From this instant on it is not started.
    pub expires_at: Option<DateTime<Utc>>,
    /// Its unique key.
    pub unique_key: Option<String>,
    /// Its payload.
    pub args: serde_json::Value,
    /// Its errors: `[{at, attempt, error}]`.
    pub errors: serde_json::Value,
    /// Why it ended or waits.
    pub note: Option<String>,
    /// Consecutive deaths of its worker process.
    pub rescues: i16,
    /// How often it was snoozed.
    pub snoozes: i32,
}

/// All stored jobs, in the order of their ids; of one kind if one is named.
///
/// # Panics
/// When Postgres does not answer.
pub async fn jobs(conn: &mut PgConnection, kind: Option<&str>) -> Vec<StoredJob> {
    // Not a checked macro: the committed .sqlx holds the statements of programs, not those of tests.
    sqlx::query_as(
        "SELECT id, queue, kind, state, attempt, lease_seq, run_at, expires_at, unique_key, args, errors, note, rescues,
                snoozes
         FROM queue.jobs WHERE $1::text IS NULL OR kind = $1 ORDER BY id",
    )
    .bind(kind)
    .fetch_all(&mut *conn)
    .await
    .expect("the queue's jobs can be read")
}

/// Starts an assertion on enqueued jobs of a kind: jobs that wait and were never started.
pub fn assert_enqueued<'a>(conn: &'a mut PgConnection, kind: &'a str) -> Assertion<'a> {
    Assertion { conn, kind, at: None, key: None, args: None }
}

/// An assertion on enqueued jobs; ends with [`Self::once`] or [`Self::times`].
#[must_use = "an assertion asserts nothing until it is ended with once() or times()"]
pub struct Assertion<'a> {
    conn: &'a mut PgConnection,
    kind: &'a str,
    at: Option<DateTime<Utc>>,
    key: Option<&'a str>,
    args: Option<serde_json::Value>,
}

impl<'a> Assertion<'a> {
    /// Due at this instant.
    pub fn at(mut self, at: DateTime<Utc>) -> Self {
        self.at = Some(at);
        self
    }

    /// With this unique key.
    pub fn key(mut self, key: &'a str) -> Self {
        self.key = Some(key);
        self
    }

    /// With this payload.
    pub fn args(mut self, args: serde_json::Value) -> Self {
        self.args = Some(args);
        self
    }

    /// There is exactly one such job; returns it.
    ///
    /// # Panics
    /// When there is none or more than one.
    pub async fn once(self) -> StoredJob {
        let mut found = self.times(1).await;
        found.remove(0)
    }

    /// There are exactly `count` such jobs; returns them.
    ///
    /// # Panics
    /// When there are more or fewer.
    pub async fn times(self, count: usize) -> Vec<StoredJob> {
        let Self { conn, kind, at, key, args } = self;
        let all = jobs(conn, None).await;
        let waits = |job: &StoredJob| {
            job.attempt == 0 && matches!(job.state, JobState::Scheduled | JobState::Available)
        };
        let found: Vec<StoredJob> = all
            .iter()
            .filter(|job| waits(job) && job.kind == kind)
            .filter(|job| at.is_none_or(|at| job.run_at == at))
            .filter(|job| key.is_none_or(|key| job.unique_key.as_deref() == Some(key)))
            .filter(|job| args.as_ref().is_none_or(|args| job.args == *args))
            .cloned()
            .collect();
        assert_eq!(
            found.len(),
            count,
            "enqueued {kind} jobs at {at:?} with key {key:?} and payload {args:?}; stored are {all:#?}"
        );
        found
    }
}

/// No job waits or runs.
///
/// # Panics
/// When one does.
pub async fn assert_nothing_enqueued(conn: &mut PgConnection) {
    let live: Vec<StoredJob> =
        jobs(conn, None).await.into_iter().filter(|job| !job.state.is_final()).collect();
    assert!(live.is_empty(), "nothing should be enqueued, but there is {live:#?}");
}
