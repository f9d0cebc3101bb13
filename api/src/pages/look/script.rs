use poem::{Response, http::header};

use crate::{
    contract::Operation,
    http::problem::Problem,
    pages::{Page, named, visit::Visit},
};

/// `/widget.js`: embeds the booking page in another site.
pub struct Widget;

impl Page for Widget {
    const OPERATION: &'static Operation = &named("pageWidget");
    const PATTERN: &'static str = "/widget.js";
    const POSTS: bool = false;

    async fn show(_: Visit) -> Result<Response, Problem> {
        Ok(script(include_str!("../../../templates/look/widget.js"), "public, max-age=3600"))
    }
}

/// `/look/frame.js`: reports the page's height to that site.
pub struct Frame;

impl Page for Frame {
    const OPERATION: &'static Operation = &named("pageFrame");
    const PATTERN: &'static str = "/look/frame.js";
    const POSTS: bool = false;

    async fn show(_: Visit) -> Result<Response, Problem> {
        Ok(script(include_str!("../../../templates/look/frame.js"), "no-cache"))
    }
}

fn script(text: &'static str, kept: &'static str) -> Response {
    Response::builder()
        .content_type("text/javascript; charset=utf-8")
        .header(header::CACHE_CONTROL, kept)
        .body(text)
}
