use std::{future::Future, marker::PhantomData};

use poem::{Response, http::StatusCode};
use serde::Serialize;

use super::session::{self, SignedIn};
use crate::{
    contract::Operation,
    http::problem::{Code, Problem},
    pages::{
        book::{BookPage, Site, Visitor},
        form::Form,
        html::see_other,
    },
};

/// A page for logged-in customers; others are redirected to the login.
pub(super) trait AccountPage: Send + Sync + 'static {
    /// Name in the metrics.
    const OPERATION: &'static Operation;
    /// Path pattern in the log.
    const PATTERN: &'static str;
    /// Whether it has a form.
    const POSTS: bool;

    /// Renders the page. Changes nothing.
    fn show(visitor: &Visitor, who: SignedIn) -> impl Future<Output = Result<Response, Problem>> + Send;

    /// Executes its form.
    fn submit(_: &Visitor, _: SignedIn, _: Form) -> impl Future<Output = Result<Response, Problem>> + Send {
        async { Err(Problem::method_not_allowed("GET, HEAD, OPTIONS".to_owned())) }
    }
}

/// An [`AccountPage`] behind the login.
pub(super) struct LoginRequired<P>(PhantomData<P>);

impl<P: AccountPage> BookPage for LoginRequired<P> {
    const OPERATION: &'static Operation = P::OPERATION;
    const PATTERN: &'static str = P::PATTERN;
    const POSTS: bool = P::POSTS;

    async fn show(visitor: &Visitor) -> Result<Response, Problem> {
        match session::of(&visitor.visit.state, &visitor.visit.headers).await? {
            Some(who) => P::show(visitor, who).await,
            None => Ok(to_login(visitor)),
        }
    }

    async fn submit(visitor: &Visitor, form: Form) -> Result<Response, Problem> {
        let Some(who) = session::of(&visitor.visit.state, &visitor.visit.headers).await? else {
            return Ok(to_login(visitor));
        };
        if form.text("form_token") != Some(&who.token.form_token()) {
            return Err(Problem::new(Code::Forbidden).detail("The form is not of this session."));
        }
        P::submit(visitor, who, form).await
    }
}

fn to_login(visitor: &Visitor) -> Response {
    see_other(&format!("{}account/login{}", visitor.visit.root(), visitor.carry()))
}

/// Redirects to a page: its path below `/account`, empty for the list of appointments.
pub(super) fn go(visitor: &Visitor, path: &str, done: Option<&str>) -> Response {
    let query = match done {
        Some(done) => visitor.carry_with(&[("done", done)]),
        None => visitor.carry(),
    };
    see_other(&format!("{}account{path}{query}", visitor.visit.root()))
}

#[derive(Serialize)]
struct Facts<'a, F: Serialize> {
    form_token: Option<String>,
    notice: Option<&'a str>,
    notice_role: &'a str,
    #[serde(flatten)]
    of_page: &'a F,
}

/// Renders a page of an account, its login or registration.
///
/// # Errors
/// `internal_error` if the template fails.
pub(super) async fn render(
    visitor: &Visitor,
    who: Option<&SignedIn>,
    status: StatusCode,
    template: &str,
    notice: Option<(&str, &str)>,
    facts: &impl Serialize,
) -> Result<Response, Problem> {
    let site = Site::of(visitor).await?;
    let facts = Facts {
        form_token: who.map(|who| who.token.form_token()),
        notice: notice.map(|(words, _)| words),
        notice_role: notice.map_or("status", |(_, role)| role),
        of_page: facts,
    };
    site.page(visitor, status, template, &facts)
}
