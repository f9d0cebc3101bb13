//! The trait of a page, and its endpoint.

use std::{future::Future, marker::PhantomData};

use poem::{
    Endpoint, Request, Response, Result,
    http::{Method, StatusCode, header},
};

use super::{form::Form, visit::Visit};
use crate::{
    contract::{Access, Matched, Operation},
    http::problem::Problem,
};

/// Name of a page in the metrics.
pub(super) const fn named(id: &'static str) -> Operation {
    Operation::new(id, Access::Public)
}

/// One page.
pub(super) trait Page: Send + Sync + 'static {
    /// Name in the metrics.
    const OPERATION: &'static Operation;
    /// Path pattern in the log, which must not contain the token.
    const PATTERN: &'static str;
    /// Whether it has a form.
    const POSTS: bool;

    /// Renders the page. Changes nothing.
    fn show(visit: Visit) -> impl Future<Output = Result<Response, Problem>> + Send;

    /// Executes its form.
    fn submit(_: Visit, _: Form) -> impl Future<Output = Result<Response, Problem>> + Send {
        async { Err(Problem::method_not_allowed(allow(false).to_owned())) }
    }
}

const fn allow(posts: bool) -> &'static str {
    if posts { "GET, HEAD, POST, OPTIONS" } else { "GET, HEAD, OPTIONS" }
}

/// A page as an endpoint: GET and HEAD show it, POST submits its form.
pub(super) struct PageEndpoint<P>(PhantomData<P>);

impl<P: Page> PageEndpoint<P> {
    pub(super) const fn new() -> Self {
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

impl<P: Page> Endpoint for PageEndpoint<P> {
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
