use poem::Response;
use punctual_core::operators::{self, Action, Operator};
use serde::Serialize;

use super::{AdminVisit, OpsPage};
use crate::{
    contract::Operation,
    http::problem::Problem,
    pages::{form::Form, named},
};

/// `/ops/relay/probe`: asks for confirmation, then lets the next mail test the mail server.
pub struct ProbeRelay;

#[derive(Serialize)]
struct Facts {
    question: &'static str,
    what: &'static str,
    button: &'static str,
    danger: bool,
    back: &'static str,
}

impl OpsPage for ProbeRelay {
    const OPERATION: &'static Operation = &named("opsProbeRelay");
    const PATTERN: &'static str = "/ops/relay/probe";
    const POSTS: bool = true;

    async fn show(admin: AdminVisit) -> Result<Response, Problem> {
        let facts = Facts {
            question: "Test the mail server now?",
            what: "All mails that wait for it are due; the first one tests it. If it gets through, the others follow at once.",
            button: "Test now",
            danger: false,
            back: "ops/mails",
        };
        admin.page("confirm.html.j2", &facts)
    }

    async fn submit(admin: AdminVisit, _: Form) -> Result<Response, Problem> {
        operators::act(&admin.visit.state.core, Operator::Admin(admin.operator), Action::ProbeRelay).await?;
        Ok(admin.go("ops/mails"))
    }
}
