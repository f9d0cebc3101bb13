use poem::Response;
use punctual_core::{notifications::SendNotification, operators, pool::again_if_cut, types::PageSize};
use punctual_queue::{JobId, JobState, Payload, ops::JobSummary};
use serde::Serialize;

use super::{AdminVisit, OpsPage, words};
use crate::{
    contract::Operation,
    http::problem::{Code, Problem},
    pages::named,
};

/// `/ops/jobs/{id}`
pub struct Job;

#[derive(Serialize)]
struct Facts {
    id: i64,
    state: &'static str,
    stop: Option<&'static str>,
    can_retry: bool,
    can_end: bool,
    booking: Option<uuid::Uuid>,
    known: Vec<(&'static str, String)>,
    payload: String,
    errors: Vec<(String, i32, String)>,
    actions: Vec<(String, &'static str, String)>,
}

impl OpsPage for Job {
    const OPERATION: &'static Operation = &named("opsJob");
    const PATTERN: &'static str = "/ops/jobs/{id}";

    async fn show(admin: AdminVisit) -> Result<Response, Problem> {
        let core = &admin.visit.state.core;
        let id = id_of(&admin)?;
        let job = again_if_cut(|| operators::job(core, id)).await?;
        let actions = operators::actions(core, Some(id), PageSize::default(), None).await?.data;
        let booking =
            operators::bookings_of(core, std::slice::from_ref(&job.summary)).await?.into_values().next();
        let who =
            |user: Option<uuid::Uuid>| user.map_or("command line".to_owned(), |id| format!("admin {id}"));
        let facts = Facts {
            id: id.0,
            state: job.summary.state.as_str(),
            stop: job.summary.stop.map(JobState::as_str),
            can_retry: job.summary.state != JobState::Running,
            can_end: !job.summary.state.is_final(),
            booking,
            known: facts(&job.summary, core.now()),
            payload: serde_json::to_string_pretty(&job.args).unwrap_or_default(),
            errors: job
                .errors
                .into_iter()
                .rev()
                .map(|error| (words::instant(error.at), error.attempt, error.error))
                .collect(),
            actions: actions
                .into_iter()
                .map(|action| (words::instant(action.at), action.verb.as_str(), who(action.user_id)))
                .collect(),
        };
        admin.page("job.html.j2", &facts)
    }
}

/// The job of the path.
pub fn id_of(admin: &AdminVisit) -> Result<JobId, Problem> {
    let id = admin.visit.step(2).and_then(|step| step.parse().ok()).filter(|id| *id > 0);
    id.map(JobId).ok_or_else(|| Problem::new(Code::NotFound).detail("There is no such job."))
}

fn facts(job: &JobSummary, now: chrono::DateTime<chrono::Utc>) -> Vec<(&'static str, String)> {
    let at = |at| format!("{} ({})", words::instant(at), words::distance(at, now));
    let all = [
        ("Kind", Some(job.kind.clone())),
        ("Queue", Some(job.queue.clone())),
        ("Attempt", Some(format!("{} of {}", job.attempt, job.max_attempts))),
        ("Due", Some(at(job.run_at))),
        ("Expires", job.expires_at.map(at)),
        ("Last begun", job.attempted_at.map(at)),
        ("Ended", job.finalized_at.map(at)),
        ("Note", job.note.clone()),
        ("Priority", Some(job.priority.to_string())),
        ("Put off", (job.snoozes > 0).then(|| format!("{} times", job.snoozes))),
        ("Its process died", (job.rescues > 0).then(|| format!("{} times in a row", job.rescues))),
        ("Unique key", job.unique_key.clone()),
        (
            if job.kind == SendNotification::KIND { "Recipient's domain" } else { "Limit key" },
            job.limit_key.clone(),
        ),
        ("Runs in", job.session.map(|id| id.to_string())),
        ("Made", Some(at(job.created_at))),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}
