//! Where instants come from: a parameter of everything, so that tests can move it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{PgConnection, PgPool};

/// Source of the present instant for due times, expiries and everything else that people see.
pub trait Clock: Send + Sync + 'static {
    /// The present instant.
    fn now(&self) -> DateTime<Utc>;
}

/// A clock that all parts of a program share.
pub type SharedClock = Arc<dyn Clock>;

/// The clock of this process, corrected by its measured offset to the clock of Postgres, so that processes on machines
/// whose clocks differ agree on what is due.
#[derive(Debug, Default)]
pub struct ServerClock {
    offset_micros: AtomicI64,
}

impl ServerClock {
    /// Measures the offset now and, in a task that ends with the last use of the clock, each minute from now on.
    ///
    /// # Errors
    /// When Postgres can't be asked the first time.
    pub async fn start(pool: &PgPool) -> Result<Arc<Self>, sqlx::Error> {
        Self::start_on(&mut *pool.acquire().await?, pool).await
    }

    /// As [`start`](Self::start), the first time on a connection that the caller has at hand.
    ///
    /// # Errors
    /// When Postgres can't be asked the first time.
    pub async fn start_on(conn: &mut PgConnection, pool: &PgPool) -> Result<Arc<Self>, sqlx::Error> {
        let clock = Arc::new(Self::default());
        clock.measure(conn).await?;
        let (weak, pool) = (Arc::downgrade(&clock), pool.clone());
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_mins(1)).await;
                let Some(clock) = weak.upgrade() else { return };
                let measured = tokio::time::timeout(Duration::from_secs(5), async {
                    clock.measure(&mut *pool.acquire().await?).await
                });
                if !matches!(measured.await, Ok(Ok(()))) {
                    tracing::debug!("the clock keeps its last offset: Postgres did not answer");
                }
            }
        });
        Ok(clock)
    }

    /// Measures the offset once: of three questions the one that came back fastest decides.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn measure(&self, conn: &mut PgConnection) -> Result<(), sqlx::Error> {
        let mut best = (TimeDelta::MAX, TimeDelta::zero());
        for _ in 0..3 {
            let asked = process_now();
            // Plan: a constant.
            let there =
                sqlx::query_scalar!(r#"SELECT clock_timestamp() AS "at!""#).fetch_one(&mut *conn).await?;
            let took = process_now() - asked;
            if took < best.0 {
                best = (took, there - (asked + took / 2));
            }
        }
        self.offset_micros.store(best.1.num_microseconds().unwrap_or(0), Ordering::Relaxed);
        Ok(())
    }

    /// By how much the clock of Postgres is ahead of the clock of this process.
    #[must_use]
    pub fn offset(&self) -> TimeDelta {
        TimeDelta::microseconds(self.offset_micros.load(Ordering::Relaxed))
    }
}

impl Clock for ServerClock {
    fn now(&self) -> DateTime<Utc> {
        process_now() + self.offset()
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place where a Clock reads the process's time")]
fn process_now() -> DateTime<Utc> {
    Utc::now()
}

/// A clock that stands still until it is moved: for tests.
#[derive(Debug)]
pub struct ManualClock {
    micros: AtomicI64,
}

impl ManualClock {
    /// A clock that stands at `at` (kept to the microsecond, as Postgres does).
    #[must_use]
    pub fn at(at: DateTime<Utc>) -> Arc<Self> {
        Arc::new(Self { micros: AtomicI64::new(at.timestamp_micros()) })
    }

    /// Moves it to `at`.
    pub fn set(&self, at: DateTime<Utc>) {
        self.micros.store(at.timestamp_micros(), Ordering::SeqCst);
    }

    /// Moves it on by `by`, back if negative.
    pub fn advance(&self, by: TimeDelta) {
        self.micros.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.micros.load(Ordering::SeqCst)).unwrap_or(DateTime::UNIX_EPOCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_stands_still_until_it_is_moved() {
        let start = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let clock = ManualClock::at(start);
        assert_eq!(clock.now(), start);
        clock.advance(TimeDelta::seconds(90));
        assert_eq!(clock.now(), start + TimeDelta::seconds(90));
        clock.set(start);
        assert_eq!(clock.now(), start);
    }
}
