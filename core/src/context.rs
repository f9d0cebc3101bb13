//! What use cases need, created once per process.

use std::ops::Deref;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use punctual_queue::SharedClock;
use punctual_queue::Wake;
use sqlx::PgPool;
use uuid::Uuid;

use crate::keyed_mutex::KeyedMutex;

/// Requests that may wait for one member of staff; further ones are refused.
const CALENDAR_WAITERS: usize = 128;
/// Requests that may wait for one idempotency key.
const KEY_WAITERS: usize = 32;

/// The database, the clock, the notifier of workers, and in-process mutexes of calendars and keys. Cheap to clone.
#[derive(Clone)]
pub struct Core(Arc<Inner>);

/// What a [`Core`] holds.
pub struct Inner {
    /// The database.
    pub pool: PgPool,
    /// Source of the current instant.
    pub clock: SharedClock,
    /// Wakes workers after a commit.
    pub wake: Wake,
    /// Serialises writes to one calendar before they take a connection; by member of staff.
    pub(crate) calendars: KeyedMutex<Uuid>,
    /// Serialises requests with one idempotency key.
    pub(crate) keys: KeyedMutex<String>,
}

impl Core {
    /// A context from its parts.
    #[must_use]
    pub fn new(pool: PgPool, clock: SharedClock, wake: Wake) -> Self {
        Self(Arc::new(Inner {
            pool,
            clock,
            wake,
            calendars: KeyedMutex::new(CALENDAR_WAITERS),
            keys: KeyedMutex::new(KEY_WAITERS),
        }))
    }

    /// The current instant in microseconds, the precision of Postgres.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        let now = self.clock.now();
        DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
    }
}

impl Deref for Core {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
