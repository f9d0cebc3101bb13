use std::marker::PhantomData;

use poem::{Response, http::StatusCode};
use serde::Serialize;
use uuid::Uuid;

use super::{html, session};
use crate::{
    contract::Operation,
    http::problem::{Code, Problem},
    pages::{Page, form::Form, html::see_other, session_cookie::SessionToken, visit::Visit},
};

/// A visit of a logged-in administrator.
pub struct AdminVisit {
    pub visit: Visit,
    pub operator: Uuid,
    pub token: SessionToken,
}

impl AdminVisit {
    /// Renders a page.
    pub fn page(&self, template: &str, facts: &impl Serialize) -> Result<Response, Problem> {
        html::page(StatusCode::OK, template, self.visit.root(), Some(&self.token.form_token()), facts)
    }

    /// Redirects after an accepted form.
    pub fn go(&self, path: &str) -> Response {
        see_other(&format!("{}{path}", self.visit.root()))
    }
}

/// One page behind the login.
pub trait OpsPage: Send + Sync + 'static {
    /// Name in the metrics.
    const OPERATION: &'static Operation;
    /// Path pattern in the log.
    const PATTERN: &'static str;
    /// Whether it has a form.
    const POSTS: bool = false;

    /// Renders the page. Changes nothing.
    fn show(visit: AdminVisit) -> impl Future<Output = Result<Response, Problem>> + Send;

    /// Executes its form.
    fn submit(_: AdminVisit, _: Form) -> impl Future<Output = Result<Response, Problem>> + Send {
        async { Err(Problem::new(Code::NotFound)) }
    }
}

/// The page for administrators, the login for everybody else.
pub struct LoginRequired<P>(PhantomData<P>);

impl<P: OpsPage> Page for LoginRequired<P> {
    const OPERATION: &'static Operation = P::OPERATION;
    const PATTERN: &'static str = P::PATTERN;
    const POSTS: bool = P::POSTS;

    async fn show(visit: Visit) -> Result<Response, Problem> {
        let root = visit.root();
        let Some((token, operator)) = session::of(&visit.state, &visit.headers).await? else {
            return Ok(to_login(&visit));
        };
        told(P::show(AdminVisit { visit, operator, token }).await, root)
    }

    async fn submit(visit: Visit, form: Form) -> Result<Response, Problem> {
        let root = visit.root();
        let Some((token, operator)) = session::of(&visit.state, &visit.headers).await? else {
            return Ok(to_login(&visit));
        };
        if form.text("form_token") != Some(&token.form_token()) {
            return Err(Problem::new(Code::Forbidden).detail("The form is not of this session."));
        }
        told(P::submit(AdminVisit { visit, operator, token }, form).await, root)
    }
}

fn to_login(visit: &Visit) -> Response {
    see_other(&format!("{}ops/login?next={}", visit.root(), visit.steps().join("/")))
}

/// Renders a client error as a page; server errors are passed on to be logged.
fn told(answer: Result<Response, Problem>, root: String) -> Result<Response, Problem> {
    match answer {
        Err(problem) if problem.code.status().is_client_error() => {
            #[derive(Serialize)]
            struct ErrorContext<'a> {
                title: &'static str,
                detail: &'a str,
            }
            let detail = problem.detail.as_deref().unwrap_or(problem.code.meaning());
            let facts = ErrorContext { title: problem.code.title(), detail };
            html::page(problem.code.status(), "problem.html.j2", root, None, &facts)
        }
        answer => answer,
    }
}
