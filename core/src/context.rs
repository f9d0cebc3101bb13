//! What use cases that write a calendar need, made once per process.

use std::ops::Deref;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use punctual_queue::SharedClock;
use punctual_queue::Wake;
use sqlx::PgPool;
use uuid::Uuid;

use crate::turns::Turns;

/// How many may wait for one member of staff before others are sent away.
const CALENDAR_WAITERS: usize = 128;
/// How many may wait for the answer to one idempotency key.
const KEY_WAITERS: usize = 32;

/// The database, the clock, the way to wake workers, and the queues before each calendar. Cheap to clone.
#[derive(Clone)]
pub struct Core(Arc<Inner>);

/// What a [`Core`] holds.
pub struct Inner {
    /// The database.
    pub pool: PgPool,
    /// Where instants come from.
    pub clock: SharedClock,
    /// Wakes workers after a commit.
    pub wake: Wake,
    /// One at a time per member of staff, so that waiting for a calendar costs no connection.
    pub(crate) calendars: Turns<Uuid>,
    /// One at a time per idempotency key.
    pub(crate) keys: Turns<String>,
}

impl Core {
    /// The parts a process has.
    #[must_use]
    pub fn new(pool: PgPool, clock: SharedClock, wake: Wake) -> Self {
        Self(Arc::new(Inner {
            pool,
            clock,
            wake,
            calendars: Turns::new(CALENDAR_WAITERS),
            keys: Turns::new(KEY_WAITERS),
        }))
    }

    /// The present instant, to the microsecond as Postgres keeps it.
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
