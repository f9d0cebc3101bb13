//! Constant-time answers: they take the same time whether there was work or not.

use std::{future::Future, time::Duration};

use tokio::time::{Instant, sleep_until};

/// Answers are sent at whole multiples of this, which hides how long the work took.
const TICK: Duration = Duration::from_millis(250);

/// Waits for the work and then for the next whole tick since its start.
pub async fn at_whole_ticks<T>(work: impl Future<Output = T>) -> T {
    let started = Instant::now();
    let done = work.await;
    sleep_until(next_tick(started, started.elapsed())).await;
    done
}

fn next_tick(started: Instant, took: Duration) -> Instant {
    let ticks = took.as_nanos() / TICK.as_nanos() + 1;
    started + TICK * u32::try_from(ticks).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_comes_at_a_whole_tick() {
        let start = Instant::now();
        for (took, ticks) in [(0, 1), (1, 1), (249, 1), (250, 2), (600, 3)] {
            assert_eq!(next_tick(start, Duration::from_millis(took)), start + TICK * ticks, "{took} ms");
        }
    }
}
