use poem::{Response, http::header};

use crate::{
    contract::Operation,
    http::problem::Problem,
    pages::{Page, named, visit::Visit},
};

/// `/ops/live.js`
pub struct Script;

impl Page for Script {
    const OPERATION: &'static Operation = &named("opsScript");
    const PATTERN: &'static str = "/ops/live.js";
    const POSTS: bool = false;

    async fn show(_: Visit) -> Result<Response, Problem> {
        Ok(Response::builder()
            .content_type("text/javascript; charset=utf-8")
            .header(header::CACHE_CONTROL, "no-cache")
            .body(include_str!("../../../templates/ops/live.js")))
    }
}
