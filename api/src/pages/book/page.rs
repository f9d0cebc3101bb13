//! The trait of a page of `/book`: with its visitor, and with errors as pages of the business.

use std::{future::Future, marker::PhantomData};

use poem::Response;
use punctual_core::{Error, services::Service};
use uuid::Uuid;

use super::{error_page, visitor::Visitor};
use crate::{
    contract::Operation,
    http::problem::Problem,
    pages::{form::Form, page::Page, visit::Visit},
};

/// A page of `/book`: like [`Page`], with the visitor's language, and with errors as pages of the business.
pub(in crate::pages) trait BookPage: Send + Sync + 'static {
    /// Name in the metrics.
    const OPERATION: &'static Operation;
    /// Path pattern in the log.
    const PATTERN: &'static str;
    /// Whether it has a form.
    const POSTS: bool;

    /// Renders the page. Changes nothing.
    fn show(visitor: &Visitor) -> impl Future<Output = Result<Response, Problem>> + Send;

    /// Executes its form.
    fn submit(visitor: &Visitor, form: Form) -> impl Future<Output = Result<Response, Problem>> + Send;
}

/// A [`BookPage`] as a [`Page`].
pub(in crate::pages) struct OfBook<P>(PhantomData<P>);

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

/// Renders a problem as a page of the business, if that can be read.
async fn told(visitor: &Visitor, answer: Result<Response, Problem>) -> Result<Response, Problem> {
    match answer {
        Ok(response) => Ok(response),
        Err(problem) => error_page::page(visitor, problem).await,
    }
}

/// The service in the path's second segment, if it can be booked.
///
/// # Errors
/// `not_found`.
pub(super) async fn service(visitor: &Visitor) -> Result<Service, Problem> {
    let id = visitor.visit.step(1).and_then(|text| Uuid::try_parse(text).ok());
    let id = id.ok_or(Error::NotFound("service"))?;
    Ok(visitor.storefront().await?.front.service(id)?.clone())
}
