//! Resources that pages load: logo, photos, scripts for embedding in other sites; and `/robots.txt`.

mod picture;
mod script;

use poem::{Response, Route};

use super::{Page, PageEndpoint, named, visit::Visit};
use crate::{contract::Operation, http::problem::Problem};

/// Adds them to the routes.
pub(super) fn add_to(routes: Route) -> Route {
    routes
        .at("/look/logo", PageEndpoint::<picture::Logo>::new())
        .at("/look/staff/:id", PageEndpoint::<picture::Photo>::new())
        .at("/look/frame.js", PageEndpoint::<script::Frame>::new())
        .at("/widget.js", PageEndpoint::<script::Widget>::new())
        .at("/robots.txt", PageEndpoint::<Robots>::new())
}

/// `/robots.txt`
struct Robots;

impl Page for Robots {
    const OPERATION: &'static Operation = &named("pageRobots");
    const PATTERN: &'static str = "/robots.txt";
    const POSTS: bool = false;

    async fn show(_: Visit) -> Result<Response, Problem> {
        // Other paths are excluded from search engines by the answer's header.
        let text = "User-agent: *\nAllow: /book\nDisallow: /v1/\nDisallow: /h/\nDisallow: /m/\nDisallow: /desk\nDisallow: /ops\n";
        Ok(Response::builder().content_type("text/plain; charset=utf-8").body(text))
    }
}
