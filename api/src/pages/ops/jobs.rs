use chrono::{DateTime, Utc};
use poem::Response;
use punctual_core::{
    operators::{self, JobsWanted},
    pool::again_if_cut,
    types::PageSize,
};
use punctual_queue::{
    JobId, JobState,
    ops::{JobFilter, JobSummary},
};
use serde::Serialize;

use super::{Desk, OpsPage, words};
use crate::{
    contract::Operation,
    http::{
        problem::{Place, Problem},
        values::JobCursor,
    },
    pages::named,
};

/// `/ops/jobs`
pub struct Jobs;

#[derive(Serialize)]
struct Facts {
    states: [&'static str; 7],
    state: &'static str,
    queue: String,
    kind: String,
    text: String,
    jobs: Vec<Row>,
    next: Option<String>,
}

#[derive(Serialize)]
struct Row {
    id: i64,
    queue: String,
    kind: String,
    attempt: String,
    when: String,
    says: String,
    stop: Option<&'static str>,
}

impl OpsPage for Jobs {
    const OPERATION: &'static Operation = &named("opsJobs");
    const PATTERN: &'static str = "/ops/jobs";

    async fn show(desk: Desk) -> Result<Response, Problem> {
        let visit = &desk.visit;
        let asked =
            |name| visit.asked(name).map(str::trim).filter(|text| !text.is_empty() && text.len() <= 100);
        let state = JobState::ALL.into_iter().find(|state| asked("state") == Some(state.as_str()));
        let state = state.unwrap_or(JobState::Available);
        // A number is most often the id of a job.
        if let Some(id) = asked("q").and_then(|text| text.parse().ok())
            && operators::job(&visit.state.core, JobId(id)).await.is_ok()
        {
            return Ok(desk.go(&format!("ops/jobs/{id}")));
        }
        let owned = |name| asked(name).map(|text| text.replace('\0', ""));
        let after = asked("cursor").map(|text| JobCursor(text.to_owned()).place()).transpose()?;
        let wanted = JobsWanted {
            filter: JobFilter { state, queue: owned("queue"), kind: owned("kind") },
            text: owned("q"),
            limit: PageSize::new(25)
                .map_err(|error| Problem::invalid_at(Place::Query, "/limit", error.code, error.message))?,
            after,
        };
        let page = again_if_cut(|| operators::jobs(&visit.state.core, &wanted)).await?;
        let now = visit.state.core.now();
        let facts = Facts {
            states: JobState::ALL.map(JobState::as_str),
            state: state.as_str(),
            queue: wanted.filter.queue.unwrap_or_default(),
            kind: wanted.filter.kind.unwrap_or_default(),
            text: wanted.text.unwrap_or_default(),
            jobs: page.jobs.into_iter().map(|job| row(job, now)).collect(),
            next: page.next.map(|next| next.to_string()),
        };
        desk.page("jobs.html.j2", &facts)
    }
}

fn row(job: JobSummary, now: DateTime<Utc>) -> Row {
    let when = match (job.finalized_at, job.state) {
        (Some(ended), _) => format!("ended {}", words::distance(ended, now)),
        (None, JobState::Running) => {
            format!("begun {}", words::distance(job.attempted_at.unwrap_or(job.created_at), now))
        }
        (None, _) => format!("due {}", words::distance(job.run_at, now)),
    };
    Row {
        id: job.id.0,
        queue: job.queue,
        kind: job.kind,
        attempt: format!("{}/{}", job.attempt, job.max_attempts),
        when,
        says: job.last_error.or(job.note).unwrap_or_default(),
        stop: job.stop.map(JobState::as_str),
    }
}
