use chrono::{DateTime, TimeDelta, Utc};
use poem::Response;
use punctual_core::{operators, pool::again_if_cut};
use punctual_queue::ops::{PeriodicStatus, QueueStatus, WorkerStatus};
use serde::Serialize;

use super::{
    AdminVisit, OpsPage, mails,
    picture::{self, Picture, a_minute},
    words,
};
use crate::{contract::Operation, http::problem::Problem, pages::named};

/// Delay after which a periodic job is shown as late: a new leader may take 11 s to take over.
const LATE: TimeDelta = TimeDelta::seconds(30);

/// `/ops`
pub struct Overview;

#[derive(Serialize)]
struct Facts {
    at: String,
    /// Workers whose circuit is open.
    circuits: Vec<mails::Circuit>,
    /// How long the oldest unsent mail has been due.
    oldest_mail: Option<String>,
    /// Mails that can only be resent by hand.
    to_resend: usize,
    queues: Vec<Queue>,
    workers: Vec<Worker>,
    periodic: Vec<PeriodicJob>,
}

#[derive(Serialize)]
struct Queue {
    name: String,
    paused: bool,
    workers: i64,
    limit: Option<String>,
    key_limit: Option<String>,
    /// Name, number, and whether the number needs attention.
    states: [(&'static str, i64, bool); 5],
    oldest: Option<String>,
    waiting: Picture,
    done: Picture,
    failed_last_hour: i64,
}

#[derive(Serialize)]
struct PeriodicJob {
    name: String,
    last: String,
    next: String,
    late: bool,
}

#[derive(Serialize)]
struct Worker {
    name: String,
    version: String,
    leads: bool,
    running: i64,
    beat: String,
    stale: bool,
    since: String,
    queues: String,
}

impl OpsPage for Overview {
    const OPERATION: &'static Operation = &named("opsOverview");
    const PATTERN: &'static str = "/ops";

    async fn show(admin: AdminVisit) -> Result<Response, Problem> {
        let core = &admin.visit.state.core;
        let now = core.now();
        let mut queues = Vec::new();
        for queue in again_if_cut(|| operators::queues(core)).await? {
            let samples = operators::history(core, &queue.queue, now - picture::PERIOD).await?;
            let waiting = picture::draw(&samples, now, |sample| sample.available + sample.retryable);
            let done = picture::draw(&samples, now, |sample| a_minute(sample.completed, sample.over_seconds));
            let failed_last_hour = samples.iter().map(|sample| sample.failed).sum();
            queues.push(Queue {
                states: states(&queue),
                oldest: queue.oldest_due.map(|_| {
                    words::span(i64::try_from(queue.oldest_due_age(now).as_secs()).unwrap_or(i64::MAX))
                }),
                paused: queue.paused,
                workers: queue.workers,
                limit: queue.limit.map(words::limit),
                key_limit: queue.key_limit.map(words::limit),
                name: queue.queue,
                waiting,
                done,
                failed_last_hour,
            });
        }
        let workers = again_if_cut(|| operators::workers(core)).await?;
        let workers = workers.into_iter().map(|worker| seen(worker, now)).collect();
        let mails = again_if_cut(|| operators::mails(core)).await?;
        let periodic = again_if_cut(|| operators::periodic(core)).await?;
        let facts = Facts {
            at: words::instant(now),
            circuits: mails::circuits(&mails, now),
            oldest_mail: mails.oldest_due.map(|due| words::span((now - due).num_seconds())),
            to_resend: mails.resendable.len(),
            queues,
            workers,
            periodic: periodic.into_iter().map(|job| ticks(job, now)).collect(),
        };
        admin.page("overview.html.j2", &facts)
    }
}

fn states(queue: &QueueStatus) -> [(&'static str, i64, bool); 5] {
    [
        ("scheduled", queue.scheduled, false),
        ("available", queue.available, false),
        ("running", queue.running, false),
        ("retryable", queue.retryable, queue.retryable > 0),
        ("discarded", queue.discarded, queue.discarded > 0),
    ]
}

fn ticks(job: PeriodicStatus, now: DateTime<Utc>) -> PeriodicJob {
    PeriodicJob {
        name: job.name,
        last: words::distance(job.last, now),
        next: job.next.map(|next| words::distance(next, now)).unwrap_or_default(),
        late: job.next.is_some_and(|next| next < now - LATE),
    }
}

fn seen(worker: WorkerStatus, now: DateTime<Utc>) -> Worker {
    Worker {
        name: worker.name,
        version: worker.version.unwrap_or_default(),
        leads: worker.leads,
        running: worker.running,
        beat: format!("{:.1} s ago", worker.since_heartbeat.as_secs_f64()),
        stale: worker.since_heartbeat.as_secs() >= 6,
        since: words::distance(worker.started_at, now),
        queues: worker.queues.join(", "),
    }
}
