//! Commands that only read. Their JSON uses the API's names.

use punctual_core::operators::{self, JobsWanted, OperatorAction};
use punctual_core::types::PageSize;
use punctual_core::{Core, Error, Result};
use punctual_queue::ops::{JobFilter, JobSummary, QueueStatus, WorkerStatus};
use punctual_queue::{JobId, JobState, Limit};
use serde_json::{Value, json};

use super::ListArguments;
use super::limit::display;
use super::mails::relay_json;
use super::table::{self, instant};

/// Parses the name of a state.
pub fn state(text: &str) -> std::result::Result<JobState, String> {
    JobState::ALL.into_iter().find(|state| state.as_str() == text).ok_or_else(|| {
        let names: Vec<_> = JobState::ALL.iter().map(|state| state.as_str()).collect();
        format!("expected one of {}", names.join(", "))
    })
}

pub async fn queues(core: &Core, json: bool) -> Result<()> {
    let (queues, mails, now) = (operators::queues(core).await?, operators::mails(core).await?, core.now());
    if json {
        let data: Vec<_> = queues.iter().map(queue_json).collect();
        println!("{}", json!({ "data": data, "mail_relay": relay_json(&mails) }));
        return Ok(());
    }
    let rows: Vec<_> = queues
        .iter()
        .map(|queue| {
            [
                queue.queue.clone(),
                if queue.paused { "paused" } else { "open" }.to_owned(),
                queue.scheduled.to_string(),
                queue.available.to_string(),
                queue.running.to_string(),
                queue.retryable.to_string(),
                queue.discarded.to_string(),
                format!("{} s", queue.oldest_due_age(now).as_secs()),
                queue.workers.to_string(),
                display(queue.limit),
                display(queue.key_limit),
            ]
        })
        .collect();
    let headers = [
        "QUEUE",
        "IS",
        "SCHEDULED",
        "AVAILABLE",
        "RUNNING",
        "RETRYABLE",
        "DISCARDED",
        "OLDEST DUE",
        "WORKERS",
        "LIMIT",
        "PER KEY",
    ];
    table::print(headers, &rows);
    for circuit in &mails.circuits {
        let (relay, failure, worker) = (&circuit.relay, &circuit.failure, &circuit.process_name);
        println!("mails wait for {relay} until {}: {failure} ({worker})", instant(circuit.open_until));
    }
    Ok(())
}

pub async fn jobs(core: &Core, json: bool, wanted: ListArguments) -> Result<()> {
    let after = wanted.after.as_deref().map(str::parse).transpose();
    let wanted = JobsWanted {
        filter: JobFilter { state: wanted.state, queue: wanted.queue, kind: wanted.kind },
        text: wanted.search,
        limit: PageSize::new(wanted.limit).unwrap_or_default(),
        after: after.map_err(|_| Error::NotFound("cursor"))?,
    };
    let page = operators::jobs(core, &wanted).await?;
    let next = page.next.map(|next| next.to_string());
    if json {
        let data: Vec<_> = page.jobs.iter().map(job_json).collect();
        println!("{}", json!({ "data": data, "next_cursor": next }));
        return Ok(());
    }
    let rows: Vec<_> = page
        .jobs
        .iter()
        .map(|job| {
            [
                job.id.to_string(),
                job.queue.clone(),
                job.kind.clone(),
                job.state.as_str().to_owned(),
                format!("{}/{}", job.attempt, job.max_attempts),
                instant(job.finalized_at.unwrap_or(job.run_at)),
                job.last_error.clone().or_else(|| job.note.clone()).unwrap_or_default(),
            ]
        })
        .collect();
    table::print(["ID", "QUEUE", "KIND", "STATE", "ATTEMPT", "RUNS/ENDED", "LAST ERROR OR NOTE"], &rows);
    if let Some(next) = next {
        println!("more: --after {next}");
    }
    Ok(())
}

pub async fn job(core: &Core, json: bool, id: JobId) -> Result<()> {
    let job = operators::job(core, id).await?;
    let mut value = job_json(&job.summary);
    let errors: Vec<_> = job
        .errors
        .iter()
        .map(|error| json!({ "at": instant(error.at), "attempt": error.attempt, "error": error.error }))
        .collect();
    value["payload"] = job.args;
    value["traceparent"] = json!(job.traceparent);
    if json {
        value["errors"] = json!(errors);
        println!("{value}");
        return Ok(());
    }
    let facts = value.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    let rows: Vec<_> = facts
        .map(|(name, value)| [name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)])
        .collect();
    table::print(["FACT", "VALUE"], &rows);
    if !job.errors.is_empty() {
        println!();
        let rows: Vec<_> = job
            .errors
            .iter()
            .map(|error| [instant(error.at), error.attempt.to_string(), error.error.clone()])
            .collect();
        table::print(["FAILED AT", "ATTEMPT", "ERROR"], &rows);
    }
    Ok(())
}

pub async fn workers(core: &Core, json: bool) -> Result<()> {
    let workers = operators::workers(core).await?;
    if json {
        println!("{}", json!({ "data": workers.iter().map(worker_json).collect::<Vec<_>>() }));
        return Ok(());
    }
    let rows: Vec<_> = workers
        .iter()
        .map(|worker| {
            [
                worker.name.clone(),
                if worker.leads { "leads" } else { "" }.to_owned(),
                worker.version.clone().unwrap_or_default(),
                worker.running.to_string(),
                format!("{:.1} s", worker.since_heartbeat.as_secs_f64()),
                instant(worker.started_at),
                worker.queues.join(","),
                worker.session.to_string(),
            ]
        })
        .collect();
    table::print(["WORKER", "", "VERSION", "RUNNING", "LAST BEAT", "SINCE", "QUEUES", "ID"], &rows);
    Ok(())
}

pub async fn actions(core: &Core, json: bool, job: Option<JobId>, limit: u32) -> Result<()> {
    let limit = PageSize::new(limit).unwrap_or_default();
    let actions = operators::actions(core, job, limit, None).await?.data;
    if json {
        println!("{}", json!({ "data": actions.iter().map(action_json).collect::<Vec<_>>() }));
        return Ok(());
    }
    let rows: Vec<_> = actions
        .iter()
        .map(|action| {
            [
                instant(action.at),
                action
                    .user_id
                    .map_or_else(|| action.operator.as_str().to_owned(), |id| format!("admin {id}")),
                action.verb.as_str().to_owned(),
                action.queue.clone(),
                action.job_id.map(|id| id.to_string()).unwrap_or_default(),
                action.details.to_string(),
            ]
        })
        .collect();
    table::print(["AT", "WHO", "DID", "QUEUE", "JOB", "DETAILS"], &rows);
    Ok(())
}

fn limit_json(limit: Option<Limit>) -> Value {
    limit.map_or(Value::Null, |limit| {
        let per_ms = u64::try_from(limit.per.as_millis()).unwrap_or(u64::MAX);
        json!({ "count": limit.count, "per_ms": per_ms, "burst": limit.burst })
    })
}

fn queue_json(queue: &QueueStatus) -> Value {
    json!({
        "queue": queue.queue, "paused": queue.paused, "limit": limit_json(queue.limit),
        "key_limit": limit_json(queue.key_limit), "scheduled": queue.scheduled, "available": queue.available,
        "running": queue.running, "retryable": queue.retryable, "discarded": queue.discarded,
        "oldest_due_at": queue.oldest_due.map(instant), "workers": queue.workers,
    })
}

fn job_json(job: &JobSummary) -> Value {
    json!({
        "id": job.id, "queue": job.queue, "kind": job.kind, "state": job.state.as_str(), "priority": job.priority,
        "attempt": job.attempt, "max_attempts": job.max_attempts, "run_at": instant(job.run_at),
        "expires_at": job.expires_at.map(instant), "rescues": job.rescues, "snoozes": job.snoozes,
        "unique_key": job.unique_key, "limit_key": job.limit_key, "last_error": job.last_error, "note": job.note,
        "stop": job.stop.map(JobState::as_str), "worker_id": job.session, "created_at": instant(job.created_at),
        "attempted_at": job.attempted_at.map(instant), "finalized_at": job.finalized_at.map(instant),
    })
}

fn worker_json(worker: &WorkerStatus) -> Value {
    json!({
        "id": worker.session, "name": worker.name, "version": worker.version, "queues": worker.queues, "kinds": worker.kinds,
        "started_at": instant(worker.started_at), "heartbeat_at": instant(worker.heartbeat_at),
        "heartbeat_age_ms": u64::try_from(worker.since_heartbeat.as_millis()).unwrap_or(u64::MAX), "running": worker.running,
        "leads": worker.leads,
    })
}

/// The same as the API's, except for the details, which are printed as stored.
pub fn action_json(action: &OperatorAction) -> Value {
    json!({
        "id": action.id, "at": instant(action.at), "operator": action.operator.as_str(), "user_id": action.user_id,
        "verb": action.verb.as_str(), "queue": action.queue, "job_id": action.job_id, "job_kind": action.job_kind,
        "details": action.details,
    })
}
