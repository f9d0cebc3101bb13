//! The generic cell rate algorithm (GCRA): its state is one number, the theoretical arrival time (TAT).

use super::limit::Limit;

/// Microseconds between two jobs, and the burst in jobs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rate {
    pub(crate) interval: f64,
    pub(crate) burst: f64,
}

impl Rate {
    /// One process' share of a limit that `sessions` processes divide among them.
    pub(crate) fn shared(limit: Limit, sessions: u32) -> Self {
        let sessions = sessions.max(1);
        let per = limit.per.as_secs_f64() * 1e6;
        let interval = per / f64::from(limit.count.max(1)) * f64::from(sessions);
        Self { interval, burst: f64::from((limit.burst / sessions).max(1)) }
    }
}

/// The local bucket of one process, used while Redis is unavailable. Instants are microseconds since any origin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Gcra {
    tat: f64,
}

impl Gcra {
    /// A bucket without tokens: how much of the limit other processes used until now is unknown.
    pub(crate) fn empty(now: f64, rate: Rate) -> Self {
        Self { tat: now + rate.burst * rate.interval }
    }

    /// Takes up to `wanted` tokens; returns how many, and the microseconds until the next one.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0..=wanted before"
    )]
    pub(crate) fn take(&mut self, now: f64, rate: Rate, wanted: u32) -> (u32, f64) {
        let tat = self.tat.max(now);
        let room = ((now + rate.burst * rate.interval - tat) / rate.interval + 1e-6).floor();
        let granted = room.clamp(0.0, f64::from(wanted));
        self.tat = tat + granted * rate.interval;
        let wait = (self.tat + rate.interval - rate.burst * rate.interval - now).max(0.0);
        (granted as u32, wait)
    }

    /// Puts unused tokens back.
    pub(crate) fn give_back(&mut self, now: f64, rate: Rate, unused: u32) {
        self.tat = now.max(self.tat - f64::from(unused) * rate.interval);
    }

    /// Reserves the next slot; returns the microseconds until it, 0 for now.
    pub(crate) fn reserve(&mut self, now: f64, rate: Rate) -> f64 {
        let tat = self.tat.max(now);
        self.tat = tat + rate.interval;
        (self.tat - rate.burst * rate.interval - now).max(0.0)
    }

    /// Whether all tokens are available.
    pub(crate) fn is_full(self, now: f64) -> bool {
        self.tat <= now
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_share_starts_empty_and_fills_at_its_part_of_the_limit() {
        let rate = Rate::shared(Limit::per_second(50).burst(10), 2);
        assert_eq!(rate, Rate { interval: 40_000.0, burst: 5.0 });
        let mut bucket = Gcra::empty(0.0, rate);
        assert_eq!(bucket.take(0.0, rate, 3), (0, 40_000.0));
        assert_eq!(bucket.take(40_000.0, rate, 3).0, 1);
        assert_eq!(bucket.take(1_000_000.0, rate, 100).0, 5, "no more than the burst after a pause");
    }

    #[test]
    fn slots_are_reserved_one_interval_apart() {
        let rate = Rate::shared(Limit::per_second(10).burst(2), 1);
        let mut bucket = Gcra { tat: 0.0 };
        let slots: Vec<f64> = (0..4).map(|_| bucket.reserve(1_000_000.0, rate)).collect();
        assert_eq!(slots, [0.0, 0.0, 100_000.0, 200_000.0]);
    }

    proptest! {
        /// For any sequence of takes and give-backs, starts in any window stay within rate times window plus burst.
        #[test]
        fn no_window_exceeds_rate_and_burst(
            count in 1_u32..100, burst in 1_u32..20,
            steps in prop::collection::vec((0_u32..200_000, 1_u32..40, 0_u32..40), 1..200),
        ) {
            let rate = Rate::shared(Limit::per_second(count).burst(burst), 1);
            let mut bucket = Gcra { tat: 0.0 };
            let mut now = 0.0;
            let mut starts: Vec<(f64, u32)> = Vec::new();
            for (later, wanted, unused) in steps {
                now += f64::from(later);
                let (granted, _) = bucket.take(now, rate, wanted);
                let unused = unused.min(granted);
                bucket.give_back(now, rate, unused);
                starts.push((now, granted - unused));
            }
            for (from, (begin, _)) in starts.iter().enumerate() {
                let mut sum = 0;
                for (at, started) in &starts[from..] {
                    sum += started;
                    let bound = (at - begin) / rate.interval + rate.burst;
                    prop_assert!(f64::from(sum) <= bound + 1e-3, "{sum} within {} µs", at - begin);
                }
            }
        }
    }
}
