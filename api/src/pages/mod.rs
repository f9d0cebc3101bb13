//! Pages for people, behind secret links from mails or a login: outside `/v1` and the document, in HTML also where they fail.
//!
//! Link scanners open what they find, so GET and HEAD change nothing. A page is a file: what it shows, what its form
//! does. Its template and its words are in `api/templates/`.

mod account;
mod appointment;
mod decide;
mod feed;
mod form;
mod html;
mod manage;
mod ops;
mod reminders;
mod trouble;
mod visit;

use std::{future::Future, marker::PhantomData};

use poem::{
    Endpoint, Request, Response, Result, Route,
    http::{Method, StatusCode, header},
};

use crate::{
    contract::{Access, Matched, Operation},
    http::problem::Problem,
};

use form::Form;
use visit::Visit;

pub use html::accepted_language;
pub use trouble::trouble;

/// First steps of the paths that people open.
const ROOTS: [&str; 7] = ["/m/", "/d/", "/u/", "/f/", "/v/", "/r/", "/ops/"];

/// Adds the pages to the routes.
pub fn add_to(routes: Route) -> Route {
    ops::add_to(routes)
        .at("/m/:token", Served::<manage::Show>::new())
        .at("/m/:token/cancel", Served::<manage::Cancel>::new())
        .at("/m/:token/move", Served::<manage::Move>::new())
        .at("/d/:token", Served::<decide::Show>::new())
        .at("/d/:token/confirm", Served::<decide::Confirm>::new())
        .at("/d/:token/decline", Served::<decide::Decline>::new())
        .at("/u/:token", Served::<reminders::Reminders>::new())
        .at("/v/:token", Served::<account::VerifyEmail>::new())
        .at("/r/:token", Served::<account::ChoosePassword>::new())
        .at("/f/:token", Served::<feed::Feed>::new())
}

/// Whether a person opened this path, who is to be answered in HTML.
pub fn is_for_people(path: &str) -> bool {
    path == "/ops" || ROOTS.iter().any(|root| path.starts_with(root))
}

/// How a page is called in the metrics.
const fn named(id: &'static str) -> Operation {
    Operation { id, access: Access::Public, problems: &[], headers: &[], limits: &[] }
}

/// One page.
trait Page: Send + Sync + 'static {
    /// For the metrics.
    const OPERATION: &'static Operation;
    /// For the log, in which the token must not stand.
    const PATTERN: &'static str;
    /// Whether it has a form.
    const POSTS: bool;

    /// Shows it, and changes nothing.
    fn show(visit: Visit) -> impl Future<Output = Result<Response, Problem>> + Send;

    /// Does what its form says.
    fn submit(_: Visit, _: Form) -> impl Future<Output = Result<Response, Problem>> + Send {
        async { Err(Problem::method_not_allowed(allow(false).to_owned())) }
    }
}

const fn allow(posts: bool) -> &'static str {
    if posts { "GET, HEAD, POST, OPTIONS" } else { "GET, HEAD, OPTIONS" }
}

struct Served<P>(PhantomData<P>);

impl<P: Page> Served<P> {
    const fn new() -> Self {
        Self(PhantomData)
    }

    async fn serve(mut request: Request) -> Result<Response, Problem> {
        match *request.method() {
            Method::GET | Method::HEAD => P::show(Visit::of(&request)?).await,
            Method::POST if P::POSTS => {
                let visit = Visit::of(&request)?;
                let form = Form::read(&mut request).await?;
                P::submit(visit, form).await
            }
            Method::OPTIONS => Ok(Response::builder()
                .status(StatusCode::NO_CONTENT)
                .header(header::ALLOW, allow(P::POSTS))
                .finish()),
            _ => Err(Problem::method_not_allowed(allow(P::POSTS).to_owned())),
        }
    }
}

impl<P: Page> Endpoint for Served<P> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let matched =
            Matched { operation: P::OPERATION, pattern: P::PATTERN.into(), caller: None, limits: None };
        match Self::serve(request).await {
            Ok(mut response) => {
                response.set_data(matched);
                Ok(response)
            }
            Err(problem) => {
                let mut error = poem::Error::from(problem);
                error.set_data(matched);
                Err(error)
            }
        }
    }
}
