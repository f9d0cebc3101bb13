//! Durations of leases, heartbeats and polling.

use std::time::Duration;

/// The durations of leases and polling. The guarantees in the README hold for the defaults; tests shorten them.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Timing {
    /// Between polls for due jobs: 1 s. Also the longest delay after a lost wake-up.
    pub poll: Duration,
    /// Between reads of pauses, limits and stop requests: 1 s.
    pub control: Duration,
    /// Between heartbeats: 3 s.
    pub beat: Duration,
    /// Timeout of one heartbeat statement: 2 s.
    pub beat_deadline: Duration,
    /// A session without a heartbeat for this long counts as dead: 15 s.
    pub ttl: Duration,
    /// A process without a confirmed heartbeat for this long stops trusting its leases: 10 s.
    pub self_fence: Duration,
    /// How long the leader's lease lasts unless renewed: 10 s.
    pub leader_lease: Duration,
    /// Between the leader's rounds (renew, promote, rescue, periodic): 1 s.
    pub leader_round: Duration,
    /// Between the leader's searches for jobs of unhandled kinds: 1 h. The first runs one minute after it starts.
    pub unknown: Duration,
    /// How long running jobs may go on once a shutdown was requested: 30 s.
    pub grace: Duration,
    /// How long, after the grace period, jobs past their point of no return may go on and ends may be written: 10 s. Then
    /// the process stops at once; other workers rescue what it leaves.
    pub overrun: Duration,
    /// Timeout of any other statement: 10 s.
    pub statement: Duration,
    /// Timeout of asking Redis for the tokens of a limit: 200 ms. After it the share of this process decides.
    pub redis: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(1),
            control: Duration::from_secs(1),
            beat: Duration::from_secs(3),
            beat_deadline: Duration::from_secs(2),
            ttl: Duration::from_secs(15),
            self_fence: Duration::from_secs(10),
            leader_lease: Duration::from_secs(10),
            leader_round: Duration::from_secs(1),
            unknown: Duration::from_hours(1),
            grace: Duration::from_secs(30),
            overrun: Duration::from_secs(10),
            statement: Duration::from_secs(10),
            redis: Duration::from_millis(200),
        }
    }
}
