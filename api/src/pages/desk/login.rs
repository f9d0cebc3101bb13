//! Login and logout. The session is that of an account. The page needs no business, so that the first one can be set up.

use std::sync::Arc;

use poem::{Response, http::StatusCode};
use punctual_core::{sessions, types::Locale};
use serde::Serialize;

use super::{Desk, DeskPage, look};
use crate::{
    contract::Operation,
    http::problem::Problem,
    pages::{
        Page,
        form::Form,
        html::{self, PageOptions, accepted_language, see_other},
        named,
        signed_in::{password_matches, session},
        visit::Visit,
    },
    throttle::{Allowance, Policy},
};

/// `/desk/login`
pub struct Login;

#[derive(Serialize)]
struct Facts {
    email: String,
    refused: bool,
    style_version: &'static str,
}

impl Page for Login {
    const OPERATION: &'static Operation = &named("deskLogin");
    const PATTERN: &'static str = "/desk/login";
    const POSTS: bool = true;

    async fn show(visit: Visit) -> Result<Response, Problem> {
        if session::of(&visit.state, &visit.headers).await?.is_some() {
            return Ok(see_other(&next(&visit)));
        }
        render(&visit, StatusCode::OK, String::new())
    }

    async fn submit(visit: Visit, form: Form) -> Result<Response, Problem> {
        let state = &visit.state;
        // Shares the limits of logins over the API and of customers.
        let limits = &[Policy::LoginAddress, Policy::LoginGuesses, Policy::LoginAccount];
        let allowance = Allowance::new(Arc::clone(state), limits, visit.address);
        let answer = password_matches(state, &form, &allowance).await;
        let status = match &answer {
            Ok(Some(_)) => StatusCode::SEE_OTHER,
            Ok(None) => StatusCode::UNAUTHORIZED,
            Err(problem) => problem.code.status(),
        };
        allowance.settle(status.as_u16(), false).await;
        if let Some(user) = answer? {
            session::begin(state, user.id, user.token_epoch, &next(&visit)).await
        } else {
            let email = form.text("email").unwrap_or_default().chars().take(254).collect();
            render(&visit, StatusCode::UNAUTHORIZED, email)
        }
    }
}

fn render(visit: &Visit, status: StatusCode, email: String) -> Result<Response, Problem> {
    let locale = requested_locale(visit).unwrap_or_else(|| accepted_language(&visit.headers));
    let facts = Facts { refused: !email.is_empty(), email, style_version: look::version() };
    let root = visit.root();
    let shown = PageOptions { root: &root, desk: true, ..PageOptions::default() };
    html::show(status, "desk/login.html.j2", locale, &facts, &shown)
}

fn requested_locale(visit: &Visit) -> Option<Locale> {
    visit.query_param("lang").and_then(|text| Locale::parse(text).ok())
}

/// The page that was requested before the login. Only paths of the desk are accepted.
fn next(visit: &Visit) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-".contains(c);
    let asked = visit.query_param("next").filter(|path| path.starts_with("desk") && path.chars().all(plain));
    let language = requested_locale(visit).map(|locale| format!("?lang={}", locale.as_str()));
    format!("{}{}{}", visit.root(), asked.unwrap_or("desk"), language.unwrap_or_default())
}

/// `/desk/logout`
pub struct Logout;

impl DeskPage for Logout {
    const OPERATION: &'static Operation = &named("deskLogout");
    const PATTERN: &'static str = "/desk/logout";
    const POSTS: bool = true;

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        Ok(desk.go("", &[]))
    }

    async fn submit(desk: &Desk, _: Form) -> Result<Response, Problem> {
        sessions::logout(&desk.core().pool, desk.core().now(), &desk.who.token.hash()).await?;
        let mut response = desk.go("/login", &[]);
        session::clear(&mut response);
        Ok(response)
    }
}
