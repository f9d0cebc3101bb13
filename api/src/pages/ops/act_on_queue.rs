use std::time::Duration;

use poem::Response;
use punctual_core::{
    Error,
    operators::{self, Action, Operator, QueueLimits},
    pool::again_if_cut,
};
use punctual_queue::{Limit, ops::QueueStatus};
use serde::Serialize;

use super::{AdminVisit, OpsPage};
use crate::{
    contract::Operation,
    http::problem::{Code, Place, Problem},
    pages::{form::Form, named},
};

/// `/ops/queues/{queue}/{verb}`: asks for confirmation, then executes it.
pub struct ActOnQueue;

#[derive(Serialize)]
struct Facts {
    question: String,
    what: &'static str,
    button: &'static str,
    danger: bool,
    back: &'static str,
}

#[derive(Serialize)]
struct LimitFacts {
    queue: String,
    limits: [Fields; 2],
}

/// The fields of one limit; empty ones if the workers' configuration applies.
#[derive(Serialize)]
struct Fields {
    name: &'static str,
    title: &'static str,
    what: &'static str,
    count: String,
    seconds: String,
    burst: String,
}

impl OpsPage for ActOnQueue {
    const OPERATION: &'static Operation = &named("opsActOnQueue");
    const PATTERN: &'static str = "/ops/queues/{queue}/{verb}";
    const POSTS: bool = true;

    async fn show(admin: AdminVisit) -> Result<Response, Problem> {
        let core = &admin.visit.state.core;
        let name = admin.visit.step(2).unwrap_or_default();
        let queues = again_if_cut(|| operators::queues(core)).await?;
        let queue = queues.into_iter().find(|queue| queue.queue == name).ok_or(Error::NotFound("queue"))?;
        let (button, what) = match admin.visit.step(3) {
            Some("pause") => (
                "Pause",
                "No worker begins a job of it until somebody resumes it. What runs is finished. Nothing is lost, but mails may become too late to be sent.",
            ),
            Some("resume") => ("Resume", "Workers begin its jobs again, within two seconds."),
            Some("limits") => return admin.page("limits.html.j2", &limit_facts(queue)),
            _ => return Err(Problem::new(Code::NotFound)),
        };
        let question = format!("{button} the queue {name}?");
        let facts = Facts { question, what, button, danger: button == "Pause", back: "ops" };
        admin.page("confirm.html.j2", &facts)
    }

    async fn submit(admin: AdminVisit, form: Form) -> Result<Response, Problem> {
        let queue = admin.visit.step(2).unwrap_or_default().to_owned();
        let action = match admin.visit.step(3) {
            Some("pause") => Action::Pause(queue),
            Some("resume") => Action::Resume(queue),
            Some("limits") => {
                let (limit, key_limit) = (limit(&form, "limit")?, limit(&form, "key_limit")?);
                Action::SetLimits(queue, QueueLimits { limit, key_limit })
            }
            _ => return Err(Problem::new(Code::NotFound)),
        };
        operators::act(&admin.visit.state.core, Operator::Admin(admin.operator), action).await?;
        Ok(admin.go("ops"))
    }
}

fn limit_facts(queue: QueueStatus) -> LimitFacts {
    let fields = |name, title, what, limit: Option<Limit>| Fields {
        name,
        title,
        what,
        count: limit.map_or_else(String::new, |limit| limit.count.to_string()),
        seconds: limit.map_or_else(|| "1".to_owned(), |limit| limit.per.as_secs_f64().to_string()),
        burst: limit.map_or_else(|| "1".to_owned(), |limit| limit.burst.to_string()),
    };
    LimitFacts {
        limits: [
            fields("limit", "Whole queue", "All of its jobs together, over all workers.", queue.limit),
            fields(
                "key_limit",
                "Per limit key",
                "Jobs with one limit key; of mails, that is the recipient's domain.",
                queue.key_limit,
            ),
        ],
        queue: queue.queue,
    }
}

/// The limit that three fields describe; none when the number of jobs is empty.
fn limit(form: &Form, name: &str) -> Result<Option<Limit>, Problem> {
    let field = |part: &str| form.text(&format!("{name}_{part}")).map_or("", str::trim);
    if field("count").is_empty() {
        return Ok(None);
    }
    let wrong = |part: &str| {
        Problem::invalid_at(Place::Body, format!("/{name}_{part}"), "format", "is not of the expected form")
            .detail(
                "Jobs and burst are whole numbers from 1 to 1000000, seconds a number from 0.001 to 86400.",
            )
    };
    let whole = |part: &str| {
        field(part).parse().ok().filter(|number| (1..=1_000_000).contains(number)).ok_or_else(|| wrong(part))
    };
    let seconds: f64 = field("seconds").parse().map_err(|_| wrong("seconds"))?;
    if !(0.001..=86_400.0).contains(&seconds) {
        return Err(wrong("seconds"));
    }
    Ok(Some(Limit { count: whole("count")?, per: Duration::from_secs_f64(seconds), burst: whole("burst")? }))
}
