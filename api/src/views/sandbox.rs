use chrono::{DateTime, FixedOffset};
use poem_openapi::Object;
use punctual_core::sandbox::Moved;
use serde::Serialize;

/// The time of a sandbox's test clock.
#[derive(Debug, Object, Serialize)]
pub struct SandboxClock {
    /// What it shows.
    pub now: DateTime<FixedOffset>,
    /// By how many seconds it is ahead of the real time.
    #[oai(validator(minimum(value = "0")))]
    pub ahead_seconds: i64,
    /// Whether it has arrived where it was to be moved, and everything that is due has run.
    pub done: bool,
    /// What is due and has not run.
    pub due: SandboxDue,
    /// When the next work falls due; absent: nothing is planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_due: Option<DateTime<FixedOffset>>,
}

/// What is due in a sandbox and has not run yet.
#[derive(Debug, Object, Serialize)]
pub struct SandboxDue {
    /// Jobs that wait for a worker, or run: mails, webhooks and periodic work.
    #[oai(validator(minimum(value = "0")))]
    pub jobs: i64,
    /// Webhook endpoints with undelivered events.
    #[oai(validator(minimum(value = "0")))]
    pub endpoints: i64,
}

impl SandboxClock {
    /// As it was read or moved.
    pub fn new(moved: Moved, done: bool) -> Self {
        Self {
            now: moved.now.fixed_offset(),
            ahead_seconds: moved.ahead.num_seconds(),
            done,
            due: SandboxDue { jobs: moved.due.jobs, endpoints: moved.due.endpoints },
            next_due: moved.next.map(|next| next.fixed_offset()),
        }
    }
}
