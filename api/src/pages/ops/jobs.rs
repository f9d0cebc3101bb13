use std::collections::HashMap;

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
use uuid::Uuid;

use super::{AdminVisit, OpsPage, words};
use crate::{
    contract::Operation,
    http::{
        problem::{Place, Problem},
        values::JobCursor,
    },
    pages::{named, visit::Visit},
};

/// `/ops/jobs`
pub struct Jobs;

#[derive(Serialize)]
struct Facts {
    states: [&'static str; 7],
    state: &'static str,
    /// Actions on all matching jobs.
    bulk: &'static [&'static str],
    /// The filter as a query.
    query: String,
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
    /// For a mail: the recipient's domain.
    domain: Option<String>,
    booking: Option<Uuid>,
}

impl OpsPage for Jobs {
    const OPERATION: &'static Operation = &named("opsJobs");
    const PATTERN: &'static str = "/ops/jobs";

    async fn show(admin: AdminVisit) -> Result<Response, Problem> {
        let visit = &admin.visit;
        // A number is usually the id of a job.
        if let Some(id) = trimmed_param(visit, "q").and_then(|text| text.parse().ok())
            && operators::job(&visit.state.core, JobId(id)).await.is_ok()
        {
            return Ok(admin.go(&format!("ops/jobs/{id}")));
        }
        let wanted = wanted(visit, 25)?;
        let page = again_if_cut(|| operators::jobs(&visit.state.core, &wanted)).await?;
        let bookings = operators::bookings_of(&visit.state.core, &page.jobs).await?;
        let now = visit.state.core.now();
        let facts = Facts {
            states: JobState::ALL.map(JobState::as_str),
            state: wanted.filter.state.as_str(),
            bulk: bulk(wanted.filter.state),
            query: query(&wanted),
            queue: wanted.filter.queue.unwrap_or_default(),
            kind: wanted.filter.kind.unwrap_or_default(),
            text: wanted.text.unwrap_or_default(),
            jobs: page.jobs.into_iter().map(|job| row(&bookings, job, now)).collect(),
            next: page.next.map(|next| next.to_string()),
        };
        admin.page("jobs.html.j2", &facts)
    }
}

/// Actions on all jobs in this state.
fn bulk(state: JobState) -> &'static [&'static str] {
    match state {
        JobState::Running => &["cancel", "discard"],
        state if state.is_final() => &["retry"],
        _ => &["retry", "cancel", "discard"],
    }
}

/// The query of the first page.
fn query(wanted: &JobsWanted) -> String {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("state", wanted.filter.state.as_str());
    query.append_pair("queue", &text(&wanted.filter.queue)).append_pair("kind", &text(&wanted.filter.kind));
    query.append_pair("q", &text(&wanted.text)).finish()
}

/// A value of the query that is not empty.
fn trimmed_param<'v>(visit: &'v Visit, name: &str) -> Option<&'v str> {
    visit.query_param(name).map(str::trim).filter(|text| !text.is_empty() && text.len() <= 100)
}

/// The jobs of the query.
pub fn wanted(visit: &Visit, page: u32) -> Result<JobsWanted, Problem> {
    let state = JobState::ALL.into_iter().find(|state| trimmed_param(visit, "state") == Some(state.as_str()));
    let owned = |name| trimmed_param(visit, name).map(|text| text.replace('\0', ""));
    let after = trimmed_param(visit, "cursor").map(|text| JobCursor(text.to_owned()).place()).transpose()?;
    Ok(JobsWanted {
        filter: JobFilter {
            state: state.unwrap_or(JobState::Available),
            queue: owned("queue"),
            kind: owned("kind"),
        },
        text: owned("q"),
        limit: PageSize::new(page)
            .map_err(|error| Problem::invalid_at(Place::Query, "/limit", error.code, error.message))?,
        after,
    })
}

fn row(bookings: &HashMap<JobId, Uuid>, job: JobSummary, now: DateTime<Utc>) -> Row {
    let when = match (job.finalized_at, job.state) {
        (Some(ended), _) => format!("ended {}", words::distance(ended, now)),
        (None, JobState::Running) => {
            format!("begun {}", words::distance(job.attempted_at.unwrap_or(job.created_at), now))
        }
        (None, _) => format!("due {}", words::distance(job.run_at, now)),
    };
    Row {
        booking: bookings.get(&job.id).copied(),
        domain: job.limit_key,
        id: job.id.0,
        queue: job.queue,
        kind: job.kind,
        attempt: format!("{}/{}", job.attempt, job.max_attempts),
        when,
        says: job.last_error.or(job.note).unwrap_or_default(),
        stop: job.stop.map(JobState::as_str),
    }
}
