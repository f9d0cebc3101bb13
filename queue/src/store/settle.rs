//! How a running job ends or goes back, by its holder: always by id and `lease_seq` and only while a session has it, so
//! that a holder that was replaced changes nothing.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::error::Result;
use crate::job::{JobId, JobState};

/// What is written down for a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Settle {
    /// Done, or skipped for this reason.
    Completed { note: Option<String> },
    /// Failed; again from `at` on.
    Retry { at: DateTime<Utc>, error: String },
    /// Put itself off; the attempt is given back.
    Snooze { until: DateTime<Utc>, reason: String },
    /// Not begun: the limit per key reserved a slot for it.
    Slot { at: DateTime<Utc> },
    /// Not begun, or stopped by a shutdown: as before the claim.
    GiveBack,
    /// Ended without success; the attempt is given back of what was not begun.
    End { state: JobState, note: String, error: Option<String>, begun: bool },
}

impl Settle {
    fn state(&self) -> JobState {
        match self {
            Self::Completed { .. } => JobState::Completed,
            Self::Retry { .. } | Self::Snooze { .. } | Self::Slot { .. } => JobState::Retryable,
            Self::GiveBack => JobState::Available,
            Self::End { state, .. } => *state,
        }
    }

    fn run_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Retry { at, .. } | Self::Slot { at } => Some(*at),
            Self::Snooze { until, .. } => Some(*until),
            _ => None,
        }
    }

    fn error(&self) -> Option<&str> {
        match self {
            Self::Retry { error, .. } => Some(error),
            Self::End { error, .. } => error.as_deref(),
            _ => None,
        }
    }

    fn note(&self) -> Option<&str> {
        match self {
            Self::Completed { note } => note.as_deref(),
            Self::Snooze { reason, .. } => Some(reason),
            Self::End { note, .. } => Some(note),
            _ => None,
        }
    }

    fn gives_back_attempt(&self) -> bool {
        matches!(
            self,
            Self::Snooze { .. } | Self::Slot { .. } | Self::GiveBack | Self::End { begun: false, .. }
        )
    }
}

/// A lease and what is written down for it.
#[derive(Debug, Clone)]
pub(crate) struct Settlement {
    pub(crate) id: JobId,
    pub(crate) lease_seq: i64,
    pub(crate) settle: Settle,
}

/// Writes down how these runs ended; answers the ids that were changed. The others were fenced. A job whose stop was
/// asked for does not wait again: it becomes available, and the next claim ends it.
pub(crate) async fn settle(
    conn: &mut PgConnection,
    settlements: &[Settlement],
    now: DateTime<Utc>,
) -> Result<Vec<JobId>, sqlx::Error> {
    // In the order of the ids, so that two batches lock common rows in the same order.
    let mut sorted: Vec<&Settlement> = settlements.iter().collect();
    sorted.sort_by_key(|s| s.id);
    let ids: Vec<i64> = sorted.iter().map(|s| s.id.0).collect();
    let leases: Vec<i64> = sorted.iter().map(|s| s.lease_seq).collect();
    let states: Vec<String> = sorted.iter().map(|s| s.settle.state().as_str().to_owned()).collect();
    let run_ats: Vec<Option<DateTime<Utc>>> = sorted.iter().map(|s| s.settle.run_at()).collect();
    let errors: Vec<Option<String>> = sorted.iter().map(|s| s.settle.error().map(str::to_owned)).collect();
    let notes: Vec<Option<String>> = sorted.iter().map(|s| s.settle.note().map(str::to_owned)).collect();
    let refunds: Vec<bool> = sorted.iter().map(|s| s.settle.gives_back_attempt()).collect();
    let snoozes: Vec<bool> = sorted.iter().map(|s| matches!(s.settle, Settle::Snooze { .. })).collect();
    let slots: Vec<bool> = sorted.iter().map(|s| matches!(s.settle, Settle::Slot { .. })).collect();
    // Plan: nested loop, function scan of the arrays, index scan on jobs_pkey for each. A running job is named by its
    // session: `state = 'running'` says the same, but would let the planner take jobs_running, of which it believes that
    // it is as small as the jobs that run, while each job that ended since the last vacuum still has its entry there.
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

/// Completes one job within a handler's transaction; false when another holder has it.
pub(crate) async fn complete(
    conn: &mut PgConnection,
    id: JobId,
    lease_seq: i64,
    now: DateTime<Utc>,
) -> Result<bool> {
    // Plan: index scan on jobs_pkey; see above for why not by state.
    let done = sqlx::query!(
        "UPDATE queue.jobs SET state = 'completed', session_id = NULL, finalized_at = $3
         WHERE id = $1 AND lease_seq = $2 AND session_id IS NOT NULL",
        id.0,
        lease_seq,
        now,
    )
    .execute(&mut *conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
