use poem::Response;
use punctual_core::{
    operators::{self, OperatorAction},
    pool::again_if_cut,
    types::{Cursor, PageSize},
};
use serde::Serialize;

use super::{AdminVisit, OpsPage, words};
use crate::{contract::Operation, http::problem::Problem, pages::named};

/// `/ops/actions`
pub struct Actions;

#[derive(Serialize)]
struct Facts {
    actions: Vec<Row>,
    next: Option<String>,
}

#[derive(Serialize)]
struct Row {
    at: String,
    who: String,
    verb: &'static str,
    queue: String,
    job: Option<i64>,
    details: String,
}

impl OpsPage for Actions {
    const OPERATION: &'static Operation = &named("opsActions");
    const PATTERN: &'static str = "/ops/actions";

    async fn show(admin: AdminVisit) -> Result<Response, Problem> {
        let core = &admin.visit.state.core;
        let cursor = admin.visit.query_param("cursor").and_then(|text| Cursor::parse(text).ok());
        let page = again_if_cut(|| operators::actions(core, None, PageSize::default(), cursor)).await?;
        let facts = Facts {
            actions: page.data.into_iter().map(row).collect(),
            next: page.next_cursor.map(|next| next.encode()),
        };
        admin.page("actions.html.j2", &facts)
    }
}

fn row(action: OperatorAction) -> Row {
    Row {
        at: words::instant(action.at),
        who: action.user_id.map_or_else(|| "command line".to_owned(), |id| format!("admin {id}")),
        verb: action.verb.as_str(),
        queue: action.queue,
        job: action.job_id.map(|id| id.0),
        details: action.details.to_string(),
    }
}
