//! Exponential backoff of failed jobs.

use std::time::Duration;

use rand::Rng;

/// Wait after the first failure.
const FIRST: Duration = Duration::from_secs(15);
/// The longest wait.
const MAX_WAIT: Duration = Duration::from_hours(6);

/// The wait after the `attempt`-th failure: 15 s, doubled with each further one, at most 6 h, each ± 20 %.
pub(crate) fn after(attempt: i32, rng: &mut impl Rng) -> Duration {
    let doublings = u32::try_from(attempt.saturating_sub(1)).unwrap_or(0).min(20);
    let wait = FIRST.saturating_mul(1 << doublings).min(MAX_WAIT);
    wait.mul_f64(rng.random_range(0.8..=1.2))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    use super::*;

    #[test]
    fn waits_double_from_15_s_to_6_h_within_a_fifth() {
        let mut rng = SmallRng::seed_from_u64(7);
        let table = [15, 30, 60, 120, 240, 480, 960, 1920, 3840, 7680, 15_360, 21_600, 21_600];
        for (attempt, seconds) in (1..).zip(table) {
            for _ in 0..200 {
                let wait = after(attempt, &mut rng).as_secs_f64();
                let middle = f64::from(seconds);
                assert!((middle * 0.8..=middle * 1.2).contains(&wait), "attempt {attempt}: {wait} s");
            }
        }
    }
}
