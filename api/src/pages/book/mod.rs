//! `/book`: where a customer chooses a service, somebody and a time, and books it. No script, no account, no cookie.
//!
//! A look changes nothing: a time is kept by a form. That form carries a token with the idempotency key of the hold, and
//! the hold's own token is the key of the booking, so that back, reload and a second press make nothing twice.

mod choice;
mod contact;
mod form_token;
mod hold;
mod linked_data;
mod services;
mod site;
mod summary;
mod taken;
mod times;
mod trouble;
mod visitor;
mod zones;

use std::future::Future;

use poem::{Response, Route};
use punctual_core::services::Service;
use uuid::Uuid;

use super::{Page, Served, form::Form, visit::Visit};
use crate::{contract::Operation, problem::Problem};

use visitor::Visitor;

/// Adds the pages to the routes.
pub(super) fn add_to(routes: Route) -> Route {
    routes
        .at("/", Served::<services::Front>::new())
        .at("/book", Served::<OfBook<services::Services>>::new())
        .at("/book/:service", Served::<OfBook<times::Anyone>>::new())
        .at("/book/:service/:who", Served::<OfBook<times::Times>>::new())
        .at("/book/:service/:who/:start", Served::<OfBook<choice::Choice>>::new())
        .at("/h/:token", Served::<OfBook<contact::Contact>>::new())
        .at("/h/:token/renew", Served::<OfBook<hold::Renew>>::new())
        .at("/h/:token/release", Served::<OfBook<hold::Release>>::new())
}

/// A page of the booking page: like [`Page`], but it knows its visitor's language, and what fails is told as a page of
/// the business.
trait BookPage: Send + Sync + 'static {
    /// For the metrics.
    const OPERATION: &'static Operation;
    /// For the log.
    const PATTERN: &'static str;
    /// Whether it has a form.
    const POSTS: bool;

    /// Shows it, and changes nothing.
    fn show(visitor: &Visitor) -> impl Future<Output = Result<Response, Problem>> + Send;

    /// Does what its form says.
    fn submit(visitor: &Visitor, form: Form) -> impl Future<Output = Result<Response, Problem>> + Send;
}

struct OfBook<P>(std::marker::PhantomData<P>);

impl<P: BookPage> Page for OfBook<P> {
    const OPERATION: &'static Operation = P::OPERATION;
    const PATTERN: &'static str = P::PATTERN;
    const POSTS: bool = P::POSTS;

    async fn show(visit: Visit) -> Result<Response, Problem> {
        let visitor = Visitor::of(visit)?;
        let answer = P::show(&visitor).await;
        told(&visitor, answer).await
    }

    async fn submit(visit: Visit, form: Form) -> Result<Response, Problem> {
        let visitor = Visitor::of(visit)?;
        let answer = P::submit(&visitor, form).await;
        told(&visitor, answer).await
    }
}

/// A problem as a page of the business, if the business can be read.
async fn told(visitor: &Visitor, answer: Result<Response, Problem>) -> Result<Response, Problem> {
    match answer {
        Ok(response) => Ok(response),
        Err(problem) => trouble::page(visitor, problem).await,
    }
}

/// The service that the second step of the path names, if it can be booked.
///
/// # Errors
/// `not_found`.
async fn service(visitor: &Visitor) -> Result<Service, Problem> {
    use punctual_core::{Error, services};
    let id = visitor.visit.step(1).and_then(|text| Uuid::try_parse(text).ok());
    let id = id.ok_or(Error::NotFound("service"))?;
    let service = services::get(&visitor.visit.state.core, id).await?;
    if service.spec.active { Ok(service) } else { Err(Error::NotFound("service").into()) }
}
