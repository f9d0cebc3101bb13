use std::sync::Arc;

use poem::{Response, http::StatusCode};
use punctual_core::{
    pool::again_if_cut,
    types::EmailAddress,
    users::{self, LoginUser},
};
use serde::Serialize;

use super::{page::render, session};
use crate::{
    auth::Verified,
    contract::Operation,
    http::problem::Problem,
    pages::{
        book::{BookPage, Visitor},
        form::Form,
        html::see_other,
        named,
    },
    state::State,
    throttle::{Allowance, Policy},
};

/// `/account/login`
pub struct Login;

#[derive(Serialize)]
struct Facts {
    email: String,
    refused: bool,
}

impl BookPage for Login {
    const OPERATION: &'static Operation = &named("pageLogin");
    const PATTERN: &'static str = "/account/login";
    const POSTS: bool = true;

    async fn show(visitor: &Visitor) -> Result<Response, Problem> {
        if session::of(&visitor.visit.state, &visitor.visit.headers).await?.is_some() {
            return Ok(see_other(&format!("../account{}", visitor.carry())));
        }
        let facts = Facts { email: String::new(), refused: false };
        render(visitor, None, StatusCode::OK, "account/login.html.j2", None, &facts).await
    }

    async fn submit(visitor: &Visitor, form: Form) -> Result<Response, Problem> {
        let state = &visitor.visit.state;
        // Shares the limits of logins over the API.
        let limits = &[Policy::LoginAddress, Policy::LoginGuesses, Policy::LoginAccount];
        let allowance = Allowance::new(Arc::clone(state), limits, visitor.visit.address);
        let answer = password_matches(state, &form, &allowance).await;
        let status = match &answer {
            Ok(Some(_)) => StatusCode::SEE_OTHER,
            Ok(None) => StatusCode::UNAUTHORIZED,
            Err(problem) => problem.code.status(),
        };
        allowance.settle(status.as_u16(), false).await;
        if let Some(user) = answer? {
            let location = format!("../account{}", visitor.carry());
            return session::begin(state, user.id, user.token_epoch, &location).await;
        }
        let email: String = form.text("email").unwrap_or_default().chars().take(254).collect();
        let facts = Facts { email, refused: true };
        render(visitor, None, StatusCode::UNAUTHORIZED, "account/login.html.j2", None, &facts).await
    }
}

/// The account, if the password matches. A refusal shows no reason, and takes the same time for all.
pub(in crate::pages) async fn password_matches(
    state: &State,
    form: &Form,
    allowance: &Allowance,
) -> Result<Option<LoginUser>, Problem> {
    allowance.for_client().await?;
    let password = form.text("password").unwrap_or_default();
    let email = EmailAddress::parse(form.text("email").unwrap_or_default()).ok();
    let (Some(email), true) = (email, password.len() <= 512) else { return Ok(None) };
    let permit = allowance.for_password(&email).await?;
    let user = again_if_cut(|| users::find_for_login(&state.core.pool, &email)).await?;
    let hash = user.as_ref().and_then(|user| user.password_hash.clone());
    let verified = state.passwords.verify(password.to_owned(), hash, permit).await?;
    Ok(user.filter(|_| verified == Verified::Yes))
}
