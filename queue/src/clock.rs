//! The current instant, a parameter everywhere so that tests can control it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{PgConnection, PgPool};

/// Between measurements of the clock of Postgres.
const MEASURE_INTERVAL: Duration = Duration::from_secs(5);
/// Between comparisons of the wall clock with the monotonic clock.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Timeout of a measurement after the first.
const MEASURE_TIMEOUT: Duration = Duration::from_secs(5);
/// A difference above this is a step, not drift.
const STEP: TimeDelta = TimeDelta::seconds(1);

/// Source of the present instant for due times, expiries and displayed times.
pub trait Clock: Send + Sync + 'static {
    /// The present instant.
    fn now(&self) -> DateTime<Utc>;
}

/// A clock shared by all parts of a program.
pub type SharedClock = Arc<dyn Clock>;

/// The clock of Postgres as of the last measurement, continued by this machine's monotonic clock. All processes agree on
/// what is due, and a step of this machine's wall clock changes nothing.
pub struct ServerClock {
    source: Box<dyn TimeSource>,
    measured: Mutex<Measured>,
}

/// The clocks of this machine at one instant.
#[derive(Debug, Clone, Copy)]
struct Reading {
    monotonic: Instant,
    wall: DateTime<Utc>,
}

/// What the clock of Postgres showed at `local`.
#[derive(Debug, Clone, Copy)]
struct Measured {
    local: Reading,
    server: DateTime<Utc>,
}

trait TimeSource: Send + Sync {
    fn read(&self) -> Reading;
}

struct MachineTime;

impl TimeSource for MachineTime {
    #[expect(clippy::disallowed_methods, reason = "the one place where a Clock reads the machine's time")]
    fn read(&self) -> Reading {
        Reading { monotonic: Instant::now(), wall: Utc::now() }
    }
}

impl std::fmt::Debug for ServerClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerClock").field("measured", &self.measured()).finish_non_exhaustive()
    }
}

/// This machine's time, until the clock of Postgres is measured.
impl Default for ServerClock {
    fn default() -> Self {
        Self::on(Box::new(MachineTime))
    }
}

impl ServerClock {
    /// Measures now, and every 5 s in a task that ends with the last use of the clock.
    ///
    /// # Errors
    /// When Postgres does not answer the first measurement.
    pub async fn start(pool: &PgPool) -> Result<Arc<Self>, sqlx::Error> {
        Self::start_on(&mut *pool.acquire().await?, pool).await
    }

    /// As [`start`](Self::start), with a connection for the first measurement.
    ///
    /// # Errors
    /// When Postgres does not answer the first measurement.
    pub async fn start_on(conn: &mut PgConnection, pool: &PgPool) -> Result<Arc<Self>, sqlx::Error> {
        let clock = Arc::new(Self::default());
        clock.measure(conn).await?;
        let (weak, pool) = (Arc::downgrade(&clock), pool.clone());
        tokio::spawn(async move {
            let mut measure_at = tokio::time::Instant::now() + MEASURE_INTERVAL;
            let mut reported = false;
            loop {
                tokio::time::sleep(CHECK_INTERVAL).await;
                let Some(clock) = weak.upgrade() else { return };
                let step = clock.wall_clock_step();
                if let Some(step) = step.filter(|_| !reported) {
                    tracing::warn!(
                        step_ms = step.num_milliseconds(),
                        "the wall clock of this machine stepped: due times are not affected"
                    );
                }
                reported = step.is_some();
                if reported || tokio::time::Instant::now() >= measure_at {
                    measure_at = tokio::time::Instant::now() + MEASURE_INTERVAL;
                    let measuring = async { clock.measure(&mut *pool.acquire().await?).await };
                    if !matches!(tokio::time::timeout(MEASURE_TIMEOUT, measuring).await, Ok(Ok(()))) {
                        tracing::debug!("the clock was not measured: Postgres did not answer");
                    }
                }
            }
        });
        Ok(clock)
    }

    fn on(source: Box<dyn TimeSource>) -> Self {
        let local = source.read();
        Self { source, measured: Mutex::new(Measured { local, server: local.wall }) }
    }

    /// Reads the clock of Postgres twice; the reading with the shorter round trip counts.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn measure(&self, conn: &mut PgConnection) -> Result<(), sqlx::Error> {
        let mut best: Option<(Duration, Measured)> = None;
        for _ in 0..2 {
            let asked = self.source.read();
            // Plan: a constant.
            let server =
                sqlx::query_scalar!(r#"SELECT clock_timestamp() AS "at!""#).fetch_one(&mut *conn).await?;
            let round_trip = self.source.read().monotonic.saturating_duration_since(asked.monotonic);
            if best.as_ref().is_none_or(|(shortest, _)| round_trip < *shortest) {
                let half = TimeDelta::from_std(round_trip / 2).unwrap_or_default();
                best = Some((round_trip, Measured { local: asked, server: server - half }));
            }
        }
        if let Some((_, measured)) = best {
            self.adopt(measured);
        }
        Ok(())
    }

    fn adopt(&self, new: Measured) {
        let old = std::mem::replace(&mut *self.measured.lock().unwrap_or_else(PoisonError::into_inner), new);
        let step = new.server - old.at(new.local.monotonic);
        // The first measurement replaces the machine's own time.
        if old.server != old.local.wall && step.abs() > STEP {
            tracing::warn!(
                step_ms = step.num_milliseconds(),
                "the clock of Postgres stepped: it is followed"
            );
        }
    }

    fn measured(&self) -> Measured {
        *self.measured.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// By how much the wall clock diverged from the monotonic clock since the last measurement; `None` if it did not.
    fn wall_clock_step(&self) -> Option<TimeDelta> {
        let (then, now) = (self.measured().local, self.source.read());
        let elapsed = TimeDelta::from_std(now.monotonic.saturating_duration_since(then.monotonic));
        let step = (now.wall - then.wall) - elapsed.unwrap_or_default();
        (step.abs() > STEP).then_some(step)
    }
}

impl Measured {
    /// The time of Postgres at a monotonic instant.
    fn at(&self, monotonic: Instant) -> DateTime<Utc> {
        if let Some(later) = monotonic.checked_duration_since(self.local.monotonic) {
            self.server + TimeDelta::from_std(later).unwrap_or_default()
        } else {
            let earlier = self.local.monotonic.saturating_duration_since(monotonic);
            self.server - TimeDelta::from_std(earlier).unwrap_or_default()
        }
    }
}

impl Clock for ServerClock {
    fn now(&self) -> DateTime<Utc> {
        let monotonic = self.source.read().monotonic;
        self.measured().at(monotonic)
    }
}

/// A clock that changes only when it is set: for tests.
#[derive(Debug)]
pub struct ManualClock {
    micros: AtomicI64,
}

impl ManualClock {
    /// A clock that shows `at`, to the microsecond as Postgres does.
    #[must_use]
    pub fn at(at: DateTime<Utc>) -> Arc<Self> {
        Arc::new(Self { micros: AtomicI64::new(at.timestamp_micros()) })
    }

    /// Sets it to `at`.
    pub fn set(&self, at: DateTime<Utc>) {
        self.micros.store(at.timestamp_micros(), Ordering::SeqCst);
    }

    /// Moves it forward by `by`, back if negative.
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

    /// Clocks of a machine that a test moves.
    struct MovableTime {
        origin: Instant,
        elapsed: Mutex<Duration>,
        wall: Arc<ManualClock>,
    }

    impl MovableTime {
        fn at(wall: DateTime<Utc>) -> Arc<Self> {
            Arc::new(Self { origin: Instant::now(), elapsed: Mutex::default(), wall: ManualClock::at(wall) })
        }

        fn pass(&self, by: Duration) {
            *self.elapsed.lock().unwrap() += by;
            self.wall.advance(TimeDelta::from_std(by).unwrap());
        }
    }

    impl TimeSource for Arc<MovableTime> {
        fn read(&self) -> Reading {
            Reading { monotonic: self.origin + *self.elapsed.lock().unwrap(), wall: self.wall.now() }
        }
    }

    fn noon() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_014_400, 0).unwrap()
    }

    /// A machine whose wall clock is 3 s slow, and its clock just after a measurement at noon.
    fn measured() -> (Arc<MovableTime>, ServerClock) {
        let machine = MovableTime::at(noon() - TimeDelta::seconds(3));
        let clock = ServerClock::on(Box::new(Arc::clone(&machine)));
        clock.adopt(Measured { local: machine.read(), server: noon() });
        (machine, clock)
    }

    #[test]
    fn a_wall_clock_that_steps_five_hours_ahead_makes_nothing_due() {
        let (machine, clock) = measured();
        machine.pass(Duration::from_secs(10));
        machine.wall.advance(TimeDelta::hours(5));
        assert_eq!(clock.now(), noon() + TimeDelta::seconds(10));
        machine.pass(Duration::from_secs(20));
        assert_eq!(clock.now(), noon() + TimeDelta::seconds(30));
    }

    #[test]
    fn a_wall_clock_that_steps_back_holds_nothing_up() {
        let (machine, clock) = measured();
        machine.wall.advance(TimeDelta::hours(-5));
        machine.pass(Duration::from_secs(10));
        assert_eq!(clock.now(), noon() + TimeDelta::seconds(10));
    }

    #[test]
    fn a_step_is_noticed_until_the_clock_is_measured_again() {
        let (machine, clock) = measured();
        machine.pass(Duration::from_mins(10));
        assert_eq!(clock.wall_clock_step(), None, "time that passes is no step");
        machine.wall.advance(TimeDelta::seconds(2));
        assert_eq!(clock.wall_clock_step(), Some(TimeDelta::seconds(2)));
        clock.adopt(Measured { local: machine.read(), server: noon() + TimeDelta::minutes(10) });
        assert_eq!(clock.wall_clock_step(), None);
    }

    #[test]
    fn a_step_of_postgres_is_followed_at_the_next_measurement() {
        let (machine, clock) = measured();
        machine.pass(Duration::from_secs(5));
        clock.adopt(Measured { local: machine.read(), server: noon() + TimeDelta::minutes(1) });
        machine.pass(Duration::from_secs(1));
        assert_eq!(clock.now(), noon() + TimeDelta::seconds(61));
    }

    #[test]
    fn a_manual_clock_stands_still_until_it_is_moved() {
        let clock = ManualClock::at(noon());
        assert_eq!(clock.now(), noon());
        clock.advance(TimeDelta::seconds(90));
        assert_eq!(clock.now(), noon() + TimeDelta::seconds(90));
        clock.set(noon());
        assert_eq!(clock.now(), noon());
    }
}
