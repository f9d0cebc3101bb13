use poem::Response;
use punctual_core::{
    operators::{self, Action, MAX_JOBS_AT_ONCE, Operator},
    pool::again_if_cut,
};
use punctual_queue::JobId;
use serde::Serialize;

use super::{AdminVisit, OpsPage, jobs};
use crate::{
    contract::Operation,
    http::problem::{Code, Problem},
    pages::{form::Form, named},
};

/// `/ops/all-jobs/{verb}?state=…`: asks for confirmation of an action on all matching jobs, then executes it.
pub struct ActOnAll;

#[derive(Serialize)]
struct Facts {
    question: String,
    what: String,
    button: &'static str,
    danger: bool,
    back: String,
}

#[derive(Serialize)]
struct Done {
    title: &'static str,
    detail: String,
}

impl OpsPage for ActOnAll {
    const OPERATION: &'static Operation = &named("opsActOnAll");
    const PATTERN: &'static str = "/ops/all-jobs/{verb}";
    const POSTS: bool = true;

    async fn show(admin: AdminVisit) -> Result<Response, Problem> {
        let (button, _) = target(&admin)?;
        let wanted = jobs::wanted(&admin.visit, 100)?;
        let page = again_if_cut(|| operators::jobs(&admin.visit.state.core, &wanted)).await?;
        let count = match (page.jobs.len(), page.next) {
            (count, None) => format!("all {count} jobs"),
            (count, Some(_)) => format!("all jobs, more than {count},"),
        };
        let filter = &wanted.filter;
        let mut which = vec![format!("state {}", filter.state.as_str())];
        which.extend(filter.queue.iter().map(|queue| format!("queue {queue}")));
        which.extend(filter.kind.iter().map(|kind| format!("kind {kind}")));
        which.extend(wanted.text.iter().map(|text| format!("containing {text:?}")));
        let facts = Facts {
            question: format!("{button} {count} with {}?", which.join(", ")),
            what: format!(
                "As if it were done to each of them, up to {MAX_JOBS_AT_ONCE} at a time. A mail whose job is cancelled or discarded is not sent."
            ),
            button,
            danger: button != "Retry",
            back: format!("ops/jobs?{}", admin.visit.query()),
        };
        admin.page("confirm.html.j2", &facts)
    }

    async fn submit(admin: AdminVisit, _: Form) -> Result<Response, Problem> {
        let (_, action) = target(&admin)?;
        let wanted = jobs::wanted(&admin.visit, 100)?;
        let operator = Operator::Admin(admin.operator);
        let tally = operators::act_on_all(&admin.visit.state.core, operator, &wanted, action).await?;
        let more = if tally.more { " More jobs match: repeat it for them." } else { "" };
        let detail =
            format!("Done to {} jobs; {} had changed and were left.{more}", tally.done, tally.skipped);
        admin.page("problem.html.j2", &Done { title: "Done", detail })
    }
}

/// An action on a job.
type ToJob = fn(JobId) -> Action;

fn target(admin: &AdminVisit) -> Result<(&'static str, ToJob), Problem> {
    match admin.visit.step(2) {
        Some("retry") => Ok(("Retry", Action::Retry)),
        Some("cancel") => Ok(("Cancel", Action::Cancel)),
        Some("discard") => Ok(("Discard", Action::Discard)),
        _ => Err(Problem::new(Code::NotFound)),
    }
}
