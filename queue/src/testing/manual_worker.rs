//! A worker that sends each statement on request, for tests of the queue itself.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::finish_reason::FinishReason;
use crate::ids::{JobId, new_id};
use crate::store::interval::interval;
use crate::store::transition::{LeaseTransition, Transition, apply};
use crate::store::{claim, promote, rescue, session};

/// A lease of a [`ManualWorker`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManualLease {
    /// Id of the job.
    pub id: JobId,
    /// Its fencing token.
    pub lease_seq: i64,
    /// Number of the attempt, from 1.
    pub attempt: i32,
    /// Consecutive deaths of its worker process.
    pub rescues: i16,
}

impl From<claim::Claimed> for ManualLease {
    fn from(claimed: claim::Claimed) -> Self {
        let info = claimed.info;
        Self { id: info.id, lease_seq: info.lease_seq, attempt: info.attempt, rescues: info.rescues }
    }
}

/// A session without a runtime.
#[derive(Debug, Clone)]
pub struct ManualWorker {
    /// Id of the session.
    pub session: Uuid,
}

impl ManualWorker {
    /// Opens a session.
    ///
    /// # Panics
    /// When Postgres does not answer.
    pub async fn open(conn: &mut PgConnection, now: DateTime<Utc>) -> Self {
        let session = new_id(now);
        session::open(conn, session, "manual", None, &[], &[]).await.expect("opens");
        Self { session }
    }

    /// Claims due jobs that were not rescued.
    ///
    /// # Panics
    /// When Postgres does not answer.
    pub async fn claim(
        &self,
        conn: &mut PgConnection,
        queue: &str,
        kinds: &[String],
        count: i64,
        now: DateTime<Utc>,
    ) -> Vec<ManualLease> {
        let claimed = claim::ready(conn, self.session, queue, kinds, count, now, None).await.expect("claims");
        claimed.into_iter().map(ManualLease::from).collect()
    }

    /// Claims one rescued job.
    ///
    /// # Panics
    /// When Postgres does not answer.
    pub async fn claim_rescued(
        &self,
        conn: &mut PgConnection,
        queue: &str,
        kinds: &[String],
        now: DateTime<Utc>,
    ) -> Option<ManualLease> {
        let queues = [queue.to_owned()];
        claim::rescued(conn, self.session, &queues, kinds, now).await.expect("claims").map(ManualLease::from)
    }

    /// Renews the session; false when it has been ended.
    ///
    /// # Panics
    /// When Postgres does not answer.
    pub async fn beat(&self, conn: &mut PgConnection) -> bool {
        session::beat(conn, self.session).await.expect("beats")
    }

    /// Moves the last heartbeat of the session this far into the past.
    ///
    /// # Panics
    /// When Postgres does not answer.
    pub async fn expire_session(&self, conn: &mut PgConnection, since: Duration) {
        sqlx::query("UPDATE queue.sessions SET beat_at = clock_timestamp() - $2::interval WHERE id = $1")
            .bind(self.session)
            .bind(interval(since))
            .execute(&mut *conn)
            .await
            .expect("falls silent");
    }
}

impl ManualLease {
    /// Completes the job; false when fenced.
    pub async fn done(&self, conn: &mut PgConnection, now: DateTime<Utc>) -> bool {
        self.write(conn, now, Transition::Complete { note: None }).await
    }

    /// Fails the attempt, to be retried at `at`; false when fenced.
    pub async fn fail(&self, conn: &mut PgConnection, now: DateTime<Utc>, at: DateTime<Utc>) -> bool {
        self.write(conn, now, Transition::Retry { at, error: "failed".to_owned() }).await
    }

    /// Snoozes the job; false when fenced.
    pub async fn snooze(&self, conn: &mut PgConnection, now: DateTime<Utc>, until: DateTime<Utc>) -> bool {
        self.write(conn, now, Transition::Snooze { until, reason: "later".to_owned() }).await
    }

    /// Makes the job available again without burning the attempt; false when fenced.
    pub async fn give_back(&self, conn: &mut PgConnection, now: DateTime<Utc>) -> bool {
        self.write(conn, now, Transition::Release).await
    }

    /// Discards the job like a handler that failed permanently; false when fenced.
    pub async fn discard(&self, conn: &mut PgConnection, now: DateTime<Utc>) -> bool {
        self.write(conn, now, Transition::Finish(FinishReason::Poison)).await
    }

    async fn write(&self, conn: &mut PgConnection, now: DateTime<Utc>, transition: Transition) -> bool {
        let transition =
            LeaseTransition { id: self.id, lease_seq: self.lease_seq, started: true, transition };
        !apply(conn, &[transition], now).await.expect("writes").is_empty()
    }
}

/// Promotes due jobs, as the leader does; returns how many.
///
/// # Panics
/// When Postgres does not answer.
pub async fn promote_due(conn: &mut PgConnection, now: DateTime<Utc>) -> usize {
    promote::promote(conn, now, 10_000).await.expect("promotes").jobs
}

/// Ends sessions without a heartbeat for `ttl` and rescues their jobs, as the leader does, but also right after Postgres
/// has started. Returns how many jobs.
///
/// # Panics
/// When Postgres does not answer.
pub async fn rescue_expired(conn: &mut PgConnection, ttl: Duration) -> usize {
    rescue_retrying_poison(conn, DateTime::UNIX_EPOCH, ttl, &[]).await
}

/// As [`rescue_expired`], at `now`, where `poison_retrying_kinds` have [`crate::Kind::retry_poison_until_expiry`].
///
/// # Panics
/// When Postgres does not answer.
pub async fn rescue_retrying_poison(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    ttl: Duration,
    poison_retrying_kinds: &[String],
) -> usize {
    rescue::end_expired(conn, ttl, Duration::ZERO).await.expect("ends");
    rescue::rescue(conn, now, poison_retrying_kinds, 10_000).await.expect("rescues").jobs
}
