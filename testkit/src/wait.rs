//! Waiting for a condition. A test does not sleep for a fixed time: it polls a condition, and fails with the last state
//! seen.

use std::fmt::{Debug, Display};
use std::time::{Duration, Instant};

use tokio::time::sleep;

/// How long a condition may take to become true before the test fails.
pub const WAIT_TIMEOUT: Duration = Duration::from_mins(1);
/// Between two evaluations of a condition.
const POLL: Duration = Duration::from_millis(5);

/// What a condition returns: `true`, `Some` and `Ok` end the wait; the error of a `Result` says what was seen instead.
pub trait Condition {
    /// What the wait returns.
    type Value;

    /// The value, or what was seen instead.
    ///
    /// # Errors
    /// When the condition is not met.
    fn met(self) -> Result<Self::Value, String>;
}

impl Condition for bool {
    type Value = ();

    fn met(self) -> Result<(), String> {
        if self { Ok(()) } else { Err("false".to_owned()) }
    }
}

impl<T> Condition for Option<T> {
    type Value = T;

    fn met(self) -> Result<T, String> {
        self.ok_or_else(|| "none".to_owned())
    }
}

impl<T, S: Debug> Condition for Result<T, S> {
    type Value = T;

    fn met(self) -> Result<T, String> {
        self.map_err(|seen| format!("{seen:#?}"))
    }
}

/// Evaluates `condition` until it is met, for at most [`WAIT_TIMEOUT`].
///
/// # Panics
/// When the time is over, with `what` was waited for and what was seen last.
pub async fn wait_for<C: Condition>(what: impl Display, condition: impl AsyncFnMut() -> C) -> C::Value {
    wait_at_most(WAIT_TIMEOUT, what, condition).await
}

/// Evaluates `condition` until it is met, for at most `limit`.
///
/// # Panics
/// As [`wait_for`].
pub async fn wait_at_most<C: Condition>(
    limit: Duration,
    what: impl Display,
    condition: impl AsyncFnMut() -> C,
) -> C::Value {
    match try_wait_for(limit, condition).await {
        Ok(value) => value,
        Err(seen) => panic!("waited {limit:?} for: {what}; seen last: {seen}"),
    }
}

/// Evaluates `condition` until it is met, for at most `limit`.
///
/// # Errors
/// When the time is over, with what was seen last.
pub async fn try_wait_for<C: Condition>(
    limit: Duration,
    mut condition: impl AsyncFnMut() -> C,
) -> Result<C::Value, String> {
    let started = Instant::now();
    loop {
        match condition().await.met() {
            Ok(value) => return Ok(value),
            Err(seen) if started.elapsed() > limit => return Err(seen),
            Err(_) => sleep(POLL).await,
        }
    }
}

/// Keeps a fault or a measured window going for this long. Not a way to wait for something to happen: that is
/// [`wait_for`].
pub async fn lasting(duration: Duration) {
    sleep(duration).await;
}
