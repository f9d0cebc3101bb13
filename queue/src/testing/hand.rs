//! A worker moved by hand, statement by statement, for tests of the queue's own rules.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::ids::new_id;
use crate::job::{JobId, JobState};
use crate::store::settle::{Settle, Settlement, settle};
use crate::store::{claim, interval, promote, rescue, session};

/// A lease in a test's hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Id of the job.
    pub id: JobId,
    /// Its fencing token.
    pub lease_seq: i64,
    /// How many attempts started.
    pub attempt: i32,
    /// How often in a row its process died.
    pub rescues: i16,
}

impl From<claim::Claimed> for Held {
    fn from(claimed: claim::Claimed) -> Self {
        let info = claimed.info;
        Self { id: info.id, lease_seq: info.lease_seq, attempt: info.attempt, rescues: info.rescues }
    }
}

/// A session whose every step is a call. All calls panic when Postgres does not answer.
#[derive(Debug, Clone)]
pub struct Hand {
    /// Id of the session.
    pub session: Uuid,
}

impl Hand {
    /// Opens a session.
    ///
    /// # Panics
    /// When Postgres does not answer.
    pub async fn open(conn: &mut PgConnection, now: DateTime<Utc>) -> Self {
        let session = new_id(now);
        session::open(conn, session, "by hand", &[], &[]).await.expect("opens");
        Self { session }
    }

    /// Claims due jobs, those that were not rescued.
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
    ) -> Vec<Held> {
        let claimed = claim::ready(conn, self.session, queue, kinds, count, now, None).await.expect("claims");
        claimed.into_iter().map(Held::from).collect()
    }

    /// Claims one job that was rescued.
    ///
    /// # Panics
    /// When Postgres does not answer.
    pub async fn claim_rescued(
        &self,
        conn: &mut PgConnection,
        queue: &str,
        kinds: &[String],
        now: DateTime<Utc>,
    ) -> Option<Held> {
        let queues = [queue.to_owned()];
        claim::rescued(conn, self.session, &queues, kinds, now).await.expect("claims").map(Held::from)
    }

    /// Renews the session; false when it has been ended.
    ///
    /// # Panics
    /// When Postgres does not answer.
    pub async fn beat(&self, conn: &mut PgConnection) -> bool {
        session::beat(conn, self.session).await.expect("beats")
    }

    /// Makes the session look as if it had been silent for so long.
    ///
    /// # Panics
    /// When Postgres does not answer.
    pub async fn fall_silent(&self, conn: &mut PgConnection, since: Duration) {
        sqlx::query("UPDATE queue.sessions SET beat_at = clock_timestamp() - $2::interval WHERE id = $1")
            .bind(self.session)
            .bind(interval(since))
            .execute(&mut *conn)
            .await
            .expect("falls silent");
    }
}

impl Held {
    /// Completes it; false when it was fenced.
    pub async fn done(&self, conn: &mut PgConnection, now: DateTime<Utc>) -> bool {
        self.write(conn, now, Settle::Completed { note: None }).await
    }

    /// Fails it, to be run again at `at`; false when it was fenced.
    pub async fn fail(&self, conn: &mut PgConnection, now: DateTime<Utc>, at: DateTime<Utc>) -> bool {
        self.write(conn, now, Settle::Retry { at, error: "failed".to_owned() }).await
    }

    /// Puts it off; false when it was fenced.
    pub async fn snooze(&self, conn: &mut PgConnection, now: DateTime<Utc>, until: DateTime<Utc>) -> bool {
        self.write(conn, now, Settle::Snooze { until, reason: "later".to_owned() }).await
    }

    /// Gives it back as it was; false when it was fenced.
    pub async fn give_back(&self, conn: &mut PgConnection, now: DateTime<Utc>) -> bool {
        self.write(conn, now, Settle::GiveBack).await
    }

    /// Discards it; false when it was fenced.
    pub async fn discard(&self, conn: &mut PgConnection, now: DateTime<Utc>) -> bool {
        let end =
            Settle::End { state: JobState::Discarded, note: "given up".to_owned(), error: None, begun: true };
        self.write(conn, now, end).await
    }

    async fn write(&self, conn: &mut PgConnection, now: DateTime<Utc>, end: Settle) -> bool {
        let settlement = Settlement { id: self.id, lease_seq: self.lease_seq, settle: end };
        !settle(conn, &[settlement], now).await.expect("settles").is_empty()
    }
}

/// Makes due jobs available, as the leader does; answers how many.
///
/// # Panics
/// When Postgres does not answer.
pub async fn promote_due(conn: &mut PgConnection, now: DateTime<Utc>) -> usize {
    promote::promote(conn, now, 10_000).await.expect("promotes").jobs
}

/// Ends sessions that have been silent for `ttl` and takes their jobs back, as the leader does, but also right after
/// Postgres has started; answers how many.
///
/// # Panics
/// When Postgres does not answer.
pub async fn rescue_silent(conn: &mut PgConnection, ttl: Duration) -> usize {
    rescue::end_silent(conn, ttl, Duration::ZERO).await.expect("ends");
    rescue::rescue(conn, 10_000).await.expect("rescues").jobs
}
