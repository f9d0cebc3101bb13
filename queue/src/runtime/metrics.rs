//! Metrics of the runtime, through the `metrics` facade. Labels are queues, kinds and fixed words, never ids.

use std::time::Duration;

use metrics::{counter, gauge, histogram};

use crate::job_info::JobInfo;

pub(crate) fn claimed(queue: &str, jobs: usize) {
    counter!("queue_jobs_claimed_total", "queue" => queue.to_owned()).increment(jobs as u64);
}

/// A job starts; `late` is the time since it was due.
pub(crate) fn started(info: &JobInfo, late: Duration) {
    histogram!("queue_job_start_delay_seconds", "queue" => info.queue.clone(), "kind" => info.kind.clone())
        .record(late);
}

pub(crate) fn ran(info: &JobInfo, took: Duration) {
    histogram!("queue_job_duration_seconds", "queue" => info.queue.clone(), "kind" => info.kind.clone())
        .record(took);
}

/// A lease ended with this outcome; see [`crate::store::transition::Transition::outcome`].
pub(crate) fn outcome(info: &JobInfo, outcome: &'static str) {
    let labels =
        [("queue", info.queue.clone()), ("kind", info.kind.clone()), ("outcome", outcome.to_owned())];
    counter!("queue_job_outcomes_total", &labels).increment(1);
}

/// The lease of a job was lost: its end was not written, or the job was stopped.
pub(crate) fn fenced(info: &JobInfo) {
    counter!("queue_jobs_fenced_total", "queue" => info.queue.clone(), "kind" => info.kind.clone())
        .increment(1);
}

/// Jobs were delayed by a limit per queue or per key.
pub(crate) fn limited(queue: &str, scope: &'static str, jobs: u32) {
    counter!("queue_rate_limited_total", "queue" => queue.to_owned(), "scope" => scope)
        .increment(u64::from(jobs));
}

pub(crate) fn running(queue: &str, jobs: u32) {
    gauge!("queue_jobs_running", "queue" => queue.to_owned()).set(f64::from(jobs));
}

/// Due jobs that are not claimed. Set by the leader only.
#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub(crate) fn due(queue: &str, jobs: i64, oldest: Duration) {
    gauge!("queue_jobs_due", "queue" => queue.to_owned()).set(jobs as f64);
    gauge!("queue_oldest_due_age_seconds", "queue" => queue.to_owned()).set(oldest.as_secs_f64());
}

/// Jobs of a queue in a state. Set by the leader only.
#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub(crate) fn jobs(queue: &str, state: &'static str, jobs: i64) {
    gauge!("queue_jobs", "queue" => queue.to_owned(), "state" => state).set(jobs as f64);
}

/// Whether a queue is paused. Set by the leader only.
pub(crate) fn paused(queue: &str, paused: bool) {
    gauge!("queue_paused", "queue" => queue.to_owned()).set(f64::from(u8::from(paused)));
}

pub(crate) fn leads(leads: bool) {
    gauge!("queue_leader").set(f64::from(u8::from(leads)));
}

pub(crate) fn rescued(jobs: usize) {
    counter!("queue_jobs_rescued_total").increment(jobs as u64);
}

/// Jobs whose claim got no answer were released.
pub(crate) fn reclaimed(jobs: usize) {
    counter!("queue_jobs_reclaimed_total").increment(jobs as u64);
}

pub(crate) fn promoted(jobs: usize) {
    counter!("queue_jobs_promoted_total").increment(jobs as u64);
}

pub(crate) fn pruned(jobs: u64) {
    counter!("queue_jobs_pruned_total").increment(jobs);
}

/// A call to Postgres failed and is retried.
pub(crate) fn database_error(part: &'static str) {
    counter!("queue_database_errors_total", "part" => part).increment(1);
}
