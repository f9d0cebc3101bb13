//! What use cases need, created once per process.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use punctual_queue::SharedClock;
use punctual_queue::Wake;
use sqlx::PgPool;
use uuid::Uuid;

use crate::keyed_mutex::KeyedMutex;
use crate::writer::Writer;

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
    /// Runs transactions that write.
    pub writer: Writer,
    /// Source of the current instant.
    pub clock: SharedClock,
    /// Wakes workers after a commit.
    pub wake: Wake,
    /// Serialises writes to one calendar before they take a connection; by member of staff.
    pub(crate) calendars: KeyedMutex<Uuid>,
    /// Serialises requests with one idempotency key.
    pub(crate) keys: KeyedMutex<String>,
    pub(crate) limits: CoreLimits,
    states: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

/// Limits of one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoreLimits {
    /// Batches of bookings and holds that are committed at the same time.
    pub booking_batches: usize,
}

impl Default for CoreLimits {
    fn default() -> Self {
        Self { booking_batches: 2 }
    }
}

impl Core {
    /// A context from its parts.
    #[must_use]
    pub fn new(pool: PgPool, clock: SharedClock, wake: Wake) -> Self {
        let writer = Writer::shared(pool.clone());
        Self::with_writer(pool, writer, clock, wake, CoreLimits::default())
    }

    /// A context from its parts, whose writes run apart from its reads.
    #[must_use]
    pub fn with_writer(
        pool: PgPool,
        writer: Writer,
        clock: SharedClock,
        wake: Wake,
        limits: CoreLimits,
    ) -> Self {
        Self(Arc::new(Inner {
            pool,
            writer,
            clock,
            wake,
            calendars: KeyedMutex::new(CALENDAR_WAITERS),
            keys: KeyedMutex::new(KEY_WAITERS),
            limits,
            states: Mutex::default(),
        }))
    }

    /// State of one use case for the life of the process, created by `init` on first use. Keyed by type, so that this
    /// module need not know the use cases.
    pub(crate) fn state<T: Any + Send + Sync>(&self, init: impl Fn() -> T) -> Arc<T> {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        let state = states.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(init()));
        // The entry of a type has that type, so the downcast always succeeds.
        Arc::clone(state).downcast::<T>().unwrap_or_else(|_| Arc::new(init()))
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
