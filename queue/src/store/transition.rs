//! How a leased job leaves its lease. Each write names the job by id and `lease_seq` and requires a session on the row,
//! so a worker that was replaced changes nothing.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::error::Result;
use crate::finish_reason::FinishReason;
use crate::ids::JobId;
use crate::job::JobState;

/// What becomes of a leased job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Transition {
    /// Completed; the note says why it was skipped.
    Complete { note: Option<String> },
    /// The handler's own transaction completed it: nothing is written.
    AlreadyCompleted,
    /// Failed; runs again from `at` on.
    Retry { at: DateTime<Utc>, error: String },
    /// Runs again from `until` on; the attempt is given back.
    Snooze { until: DateTime<Utc>, reason: String },
    /// Not started: the limit per key reserved the slot `at` for it; the attempt is given back.
    WaitForSlot { at: DateTime<Utc> },
    /// Not started, or stopped by a shutdown: available again; the attempt is given back.
    Release,
    /// Ended without success, with the kind's `on_final`. The attempt is given back if the job was not started.
    Finish(FinishReason),
    /// Another process may own the job: nothing is written.
    LeaseLost,
}

impl Transition {
    fn state(&self) -> JobState {
        match self {
            Self::Complete { .. } | Self::AlreadyCompleted => JobState::Completed,
            Self::Retry { .. } | Self::Snooze { .. } | Self::WaitForSlot { .. } => JobState::Retryable,
            Self::Release | Self::LeaseLost => JobState::Available,
            Self::Finish(reason) => reason.state(),
        }
    }

    fn run_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Retry { at, .. } | Self::WaitForSlot { at } => Some(*at),
            Self::Snooze { until, .. } => Some(*until),
            _ => None,
        }
    }

    fn error(&self) -> Option<String> {
        match self {
            Self::Retry { error, .. } => Some(error.clone()),
            Self::Finish(reason) => reason.error().map(str::to_owned),
            _ => None,
        }
    }

    fn note(&self) -> Option<String> {
        match self {
            Self::Complete { note } => note.clone(),
            Self::Snooze { reason, .. } => Some(reason.clone()),
            Self::Finish(reason) => Some(reason.note()),
            _ => None,
        }
    }

    fn gives_back_attempt(&self, started: bool) -> bool {
        match self {
            Self::Snooze { .. } | Self::WaitForSlot { .. } | Self::Release => true,
            Self::Finish(_) => !started,
            _ => false,
        }
    }

    /// The value of the metric label `outcome`.
    pub(crate) fn outcome(&self) -> &'static str {
        match self {
            Self::Complete { .. } | Self::AlreadyCompleted => "completed",
            Self::Retry { .. } => "retried",
            Self::Snooze { .. } => "snoozed",
            Self::WaitForSlot { .. } => "limited",
            Self::Release | Self::LeaseLost => "given_back",
            Self::Finish(reason) => reason.state().as_str(),
        }
    }
}

/// A lease and its transition.
#[derive(Debug, Clone)]
pub(crate) struct LeaseTransition {
    pub(crate) id: JobId,
    pub(crate) lease_seq: i64,
    /// Whether the handler was started.
    pub(crate) started: bool,
    pub(crate) transition: Transition,
}

/// Writes these transitions; returns the ids that were changed. The others were fenced. A job with a stop request never
/// waits: instead of retryable it becomes available, and the next claim ends it.
pub(crate) async fn apply(
    conn: &mut PgConnection,
    transitions: &[LeaseTransition],
    now: DateTime<Utc>,
) -> Result<Vec<JobId>, sqlx::Error> {
    // Sorted by id: concurrent batches lock common rows in the same order.
    let mut sorted: Vec<&LeaseTransition> = transitions.iter().collect();
    sorted.sort_by_key(|s| s.id);
    let ids: Vec<i64> = sorted.iter().map(|s| s.id.0).collect();
    let leases: Vec<i64> = sorted.iter().map(|s| s.lease_seq).collect();
    let states: Vec<String> = sorted.iter().map(|s| s.transition.state().as_str().to_owned()).collect();
    let run_ats: Vec<Option<DateTime<Utc>>> = sorted.iter().map(|s| s.transition.run_at()).collect();
    let errors: Vec<Option<String>> = sorted.iter().map(|s| s.transition.error()).collect();
    let notes: Vec<Option<String>> = sorted.iter().map(|s| s.transition.note()).collect();
    let refunds: Vec<bool> = sorted.iter().map(|s| s.transition.gives_back_attempt(s.started)).collect();
    let snoozes: Vec<bool> =
        sorted.iter().map(|s| matches!(s.transition, Transition::Snooze { .. })).collect();
    let slots: Vec<bool> =
        sorted.iter().map(|s| matches!(s.transition, Transition::WaitForSlot { .. })).collect();
    // Plan: nested loop, function scan of the arrays, index scan on jobs_pkey for each. The condition is
    // `session_id IS NOT NULL`, not the equivalent `state = 'running'`: with the latter the planner may use jobs_running,
    // which keeps an entry for each job that ended since the last vacuum.
    sqlx::query_scalar!(
        r#"UPDATE queue.jobs j
           SET state = CASE WHEN j.stop IS NOT NULL AND s.state = 'retryable' THEN 'available' ELSE s.state END,
               session_id = NULL,
               run_at = coalesce(s.run_at, j.run_at),
               slot_at = CASE WHEN s.slot THEN s.run_at END,
               attempt = j.attempt - s.refund::int,
               snoozes = j.snoozes + s.snooze::int,
               rescues = CASE WHEN s.error IS NULL THEN j.rescues ELSE 0 END,
               errors = CASE WHEN s.error IS NULL THEN j.errors ELSE
                   CASE WHEN jsonb_array_length(j.errors) >= 50 THEN j.errors - 0 ELSE j.errors END
                   || jsonb_build_object('at', $1::timestamptz, 'attempt', j.attempt, 'error', s.error) END,
               note = s.note,
               finalized_at = CASE WHEN s.state IN ('completed', 'discarded', 'cancelled') THEN $1::timestamptz END
           FROM unnest($2::bigint[], $3::bigint[], $4::text[]::queue.job_state[], $5::timestamptz[], $6::text[],
                       $7::text[], $8::bool[], $9::bool[], $10::bool[])
                AS s (id, lease_seq, state, run_at, error, note, refund, snooze, slot)
           WHERE j.id = s.id AND j.lease_seq = s.lease_seq AND j.session_id IS NOT NULL
           RETURNING j.id AS "id: JobId""#,
        now,
        &ids,
        &leases,
        &states,
        &run_ats as _,
        &errors as _,
        &notes as _,
        &refunds,
        &snoozes,
        &slots,
    )
    .fetch_all(&mut *conn)
    .await
}

/// Completes jobs within a handler's transaction, each named by its id and `lease_seq`. Returns the ids that were completed:
/// not those whose lease is lost, or which were completed before.
pub(crate) async fn complete(
    conn: &mut PgConnection,
    leases: &[(JobId, i64)],
    now: DateTime<Utc>,
) -> Result<Vec<JobId>> {
    let mut sorted = leases.to_vec();
    sorted.sort_unstable();
    let ids: Vec<i64> = sorted.iter().map(|(id, _)| id.0).collect();
    let lease_seqs: Vec<i64> = sorted.iter().map(|(_, lease_seq)| *lease_seq).collect();
    // Plan: nested loop, function scan of the arrays, index scan on jobs_pkey for each; the condition is on the session as in
    // `apply`.
    let done = sqlx::query_scalar!(
        r#"UPDATE queue.jobs AS j SET state = 'completed', session_id = NULL, finalized_at = $3
           FROM unnest($1::bigint[], $2::bigint[]) AS lease (id, lease_seq)
           WHERE j.id = lease.id AND j.lease_seq = lease.lease_seq AND j.session_id IS NOT NULL
           RETURNING j.id AS "id: JobId""#,
        &ids,
        &lease_seqs,
        now,
    )
    .fetch_all(&mut *conn)
    .await?;
    Ok(done)
}
