use poem::Response;
use punctual_core::{
    operators::{self, Action, Operator},
    pool::again_if_cut,
};
use punctual_queue::JobId;
use serde::Serialize;

use super::{AdminVisit, OpsPage, job::id_of};
use crate::{
    contract::Operation,
    http::problem::{Code, Problem},
    pages::{form::Form, named},
};

/// `/ops/jobs/{id}/{verb}`: asks for confirmation, then executes it.
pub struct ActOnJob;

#[derive(Serialize)]
struct Facts {
    question: String,
    what: &'static str,
    button: &'static str,
    danger: bool,
    back: String,
}

impl OpsPage for ActOnJob {
    const OPERATION: &'static Operation = &named("opsActOnJob");
    const PATTERN: &'static str = "/ops/jobs/{id}/{verb}";
    const POSTS: bool = true;

    async fn show(admin: AdminVisit) -> Result<Response, Problem> {
        let (id, action) = target(&admin)?;
        let job = again_if_cut(|| operators::job(&admin.visit.state.core, id)).await?.summary;
        let (verb, what) = match action {
            Action::Retry(_) => (
                "Retry",
                "It is due at once, with one attempt more than it has used. A mail that was already sent or given up is not sent again by this.",
            ),
            Action::Cancel(_) => (
                "Cancel",
                "A worker ends it within two seconds; one that runs is stopped unless it must finish. A mail that is ended so is not sent.",
            ),
            _ => (
                "Discard",
                "As cancelling it, and it stays among those that ended without success. A mail that is ended so is not sent.",
            ),
        };
        let facts = Facts {
            question: format!("{verb} job {id} ({}, {})?", job.kind, job.state.as_str()),
            what,
            button: verb,
            danger: verb != "Retry",
            back: format!("ops/jobs/{id}"),
        };
        admin.page("confirm.html.j2", &facts)
    }

    async fn submit(admin: AdminVisit, _: Form) -> Result<Response, Problem> {
        let (id, action) = target(&admin)?;
        operators::act(&admin.visit.state.core, Operator::Admin(admin.operator), action).await?;
        Ok(admin.go(&format!("ops/jobs/{id}")))
    }
}

fn target(admin: &AdminVisit) -> Result<(JobId, Action), Problem> {
    let id = id_of(admin)?;
    let action = match admin.visit.step(3) {
        Some("retry") => Action::Retry(id),
        Some("cancel") => Action::Cancel(id),
        Some("discard") => Action::Discard(id),
        _ => return Err(Problem::new(Code::NotFound)),
    };
    Ok((id, action))
}
