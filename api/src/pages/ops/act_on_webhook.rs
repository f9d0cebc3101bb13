use poem::Response;
use punctual_core::{
    pool::again_if_cut,
    types::ExpectedRev,
    webhooks::{self, EndpointChanges},
};
use serde::Serialize;
use uuid::Uuid;

use super::{AdminVisit, OpsPage, webhook::id_at};
use crate::{
    contract::Operation,
    http::problem::{Code, Problem},
    pages::{form::Form, named},
};

/// `/ops/webhooks/{id}/{verb}`: asks for confirmation, then executes it. `replay` takes one delivery with `?delivery=`.
pub struct ActOnWebhook;

#[derive(Serialize)]
struct Facts {
    question: String,
    what: &'static str,
    button: &'static str,
    danger: bool,
    back: String,
}

#[derive(Clone, Copy)]
enum Verb {
    Test,
    ReplayFailed,
    Replay(Uuid),
    Start,
    Stop,
}

impl OpsPage for ActOnWebhook {
    const OPERATION: &'static Operation = &named("opsActOnWebhook");
    const PATTERN: &'static str = "/ops/webhooks/{id}/{verb}";
    const POSTS: bool = true;

    async fn show(admin: AdminVisit) -> Result<Response, Problem> {
        let (id, verb) = target(&admin)?;
        let endpoint = again_if_cut(|| webhooks::get(&admin.visit.state.core.pool, id)).await?;
        let host = endpoint.url.authority();
        let (question, what, button) = match verb {
            Verb::Test => (
                format!("Post a test event to {host}?"),
                "An event of the type webhook.test, whatever types the endpoint receives.",
                "Post",
            ),
            Verb::ReplayFailed => (
                format!("Post the failed deliveries to {host} again?"),
                "The oldest 1,000 at most. Each keeps its webhook-id, by which the receiver knows what it has seen.",
                "Post again",
            ),
            Verb::Replay(_) => (
                format!("Post the delivery to {host} again?"),
                "It keeps its webhook-id, by which the receiver knows what it has seen.",
                "Post again",
            ),
            Verb::Start => (
                format!("Set {host} active?"),
                "It receives all events since its place in the feed.",
                "Set active",
            ),
            Verb::Stop => (
                format!("Stop posting to {host}?"),
                "It keeps its place in the feed. Deliveries that wait are given up: post them again later.",
                "Stop",
            ),
        };
        let danger = matches!(verb, Verb::Stop);
        let facts = Facts { question, what, button, danger, back: format!("ops/webhooks/{id}") };
        admin.page("confirm_webhook.html.j2", &facts)
    }

    async fn submit(admin: AdminVisit, _: Form) -> Result<Response, Problem> {
        let core = &admin.visit.state.core;
        let (id, verb) = target(&admin)?;
        let set = async |active| {
            let changes = EndpointChanges { active: Some(active), ..EndpointChanges::default() };
            webhooks::update(core, id, ExpectedRev::Any, changes, true).await
        };
        let mut to = format!("ops/webhooks/{id}");
        match verb {
            Verb::Test => {
                let made = webhooks::send_test(core, id).await?;
                to = format!("{to}/deliveries/{}", made.id);
            }
            Verb::ReplayFailed => _ = webhooks::replay_failed(core, id).await?,
            Verb::Replay(delivery) => {
                webhooks::replay_one(core, id, delivery).await?;
                to = format!("{to}/deliveries/{delivery}");
            }
            Verb::Start => _ = set(true).await?,
            Verb::Stop => _ = set(false).await?,
        }
        Ok(admin.go(&to))
    }
}

fn target(admin: &AdminVisit) -> Result<(Uuid, Verb), Problem> {
    let not_found = || Problem::new(Code::NotFound);
    let verb = match (admin.visit.step(3), admin.visit.query_param("delivery")) {
        (Some("test"), _) => Verb::Test,
        (Some("replay"), Some(delivery)) => Verb::Replay(Uuid::try_parse(delivery).map_err(|_| not_found())?),
        (Some("replay"), None) => Verb::ReplayFailed,
        (Some("start"), _) => Verb::Start,
        (Some("stop"), _) => Verb::Stop,
        _ => return Err(not_found()),
    };
    Ok((id_at(admin, 2)?, verb))
}
