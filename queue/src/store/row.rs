//! A claimed job, as the claiming statements return it.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::ids::JobId;
use crate::job::JobState;
use crate::job_info::JobInfo;
use crate::trace::TraceContext;

/// A job that a session has leased.
#[derive(Debug, Clone)]
pub(crate) struct Claimed {
    pub(crate) info: JobInfo,
    pub(crate) session: Uuid,
    /// Its position in the order of execution.
    pub(crate) place: Place,
    pub(crate) args: serde_json::Value,
    /// The final state that an operator or owner requested.
    pub(crate) stop: Option<JobState>,
    /// The slot that the limit per key reserved for it.
    pub(crate) slot_at: Option<DateTime<Utc>>,
}

/// Position among due jobs: jobs run in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) priority: i16,
    pub(crate) run_at: DateTime<Utc>,
    pub(crate) id: JobId,
}

/// The columns that a claiming statement returns.
pub(super) struct Row {
    pub(super) id: JobId,
    pub(super) queue: String,
    pub(super) kind: String,
    pub(super) priority: i16,
    pub(super) attempt: i32,
    pub(super) max_attempts: i32,
    pub(super) lease_seq: i64,
    pub(super) run_at: DateTime<Utc>,
    pub(super) expires_at: Option<DateTime<Utc>>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) rescues: i16,
    pub(super) snoozes: i32,
    pub(super) unique_key: Option<String>,
    pub(super) limit_key: Option<String>,
    pub(super) traceparent: Option<String>,
    pub(super) tracestate: Option<String>,
    pub(super) args: serde_json::Value,
    pub(super) stop: Option<JobState>,
    pub(super) slot_at: Option<DateTime<Utc>>,
}

impl Row {
    pub(super) fn claimed_by(self, session: Uuid) -> Claimed {
        let trace =
            self.traceparent.map(|traceparent| TraceContext { traceparent, tracestate: self.tracestate });
        Claimed {
            info: JobInfo {
                id: self.id,
                queue: self.queue,
                kind: self.kind,
                attempt: self.attempt,
                max_attempts: self.max_attempts,
                lease_seq: self.lease_seq,
                run_at: self.run_at,
                expires_at: self.expires_at,
                created_at: self.created_at,
                rescues: self.rescues,
                snoozes: self.snoozes,
                unique_key: self.unique_key,
                limit_key: self.limit_key,
                trace,
            },
            session,
            place: Place { priority: self.priority, run_at: self.run_at, id: self.id },
            args: self.args,
            stop: self.stop,
            slot_at: self.slot_at,
        }
    }
}
