use std::sync::Arc;

use poem::{Response, http::StatusCode};
use punctual_core::users::{self, PasswordChange};

use super::{
    page::{AccountPage, go},
    session::{self, ACCOUNT, SignedIn},
};
use crate::{
    auth::{
        Verified,
        password_rules::{self, Weakness},
    },
    contract::Operation,
    http::problem::Problem,
    pages::{book::Visitor, form::Form, named},
    throttle::{Allowance, HashPermit, Policy},
};

/// `/account/password`: changes the password. All other sessions end.
pub struct Password;

/// Limits of password guesses, shared with the API.
pub const GUESSES: &[Policy] = &[Policy::LoginAddress, Policy::LoginGuesses, Policy::LoginAccount];

impl AccountPage for Password {
    const OPERATION: &'static Operation = &named("pagePassword");
    const PATTERN: &'static str = "/account/password";
    const POSTS: bool = true;

    async fn show(visitor: &Visitor, _: SignedIn) -> Result<Response, Problem> {
        Ok(go(visitor, "/profile", None))
    }

    async fn submit(visitor: &Visitor, who: SignedIn, form: Form) -> Result<Response, Problem> {
        let state = &visitor.visit.state;
        let password = form.text("new_password").unwrap_or_default();
        let owner = users::password_owner(&state.core.pool, who.user_id).await?;
        if let Err(weakness) = password_rules::check(password, owner.email.as_str(), None) {
            return Ok(go(visitor, "/profile", Some(&format!("password_{}", Weakness::code(weakness)))));
        }
        let Some(permit) = prove_owner(visitor, &who, &form).await? else {
            return Ok(go(visitor, "/profile", Some("wrong")));
        };
        let new_hash = state.passwords.hash(password.to_owned(), permit).await?;
        let token = ACCOUNT.new_token();
        let change = PasswordChange {
            user_id: who.user_id,
            old_hash: owner.password_hash,
            new_hash,
            token: token.hash(),
            expires_at: session::ends(state, state.core.now()),
        };
        users::change_password(&state.core, change).await?;
        let mut response = go(visitor, "", Some("password"));
        session::give(&token, state, &mut response);
        Ok(response)
    }
}

/// Whether the form's password is the account's. Wrong ones are counted with failed logins.
///
/// # Errors
/// `too_many_requests`, `overloaded`.
pub async fn is_owner(visitor: &Visitor, who: &SignedIn, form: &Form) -> Result<bool, Problem> {
    Ok(prove_owner(visitor, who, form).await?.is_some())
}

async fn prove_owner(visitor: &Visitor, who: &SignedIn, form: &Form) -> Result<Option<HashPermit>, Problem> {
    let state = &visitor.visit.state;
    let allowance = Allowance::new(Arc::clone(state), GUESSES, visitor.visit.address);
    let answer = guess(visitor, who, form, &allowance).await;
    let status = match &answer {
        Ok(Some(_)) => StatusCode::OK,
        Ok(None) => StatusCode::UNAUTHORIZED,
        Err(problem) => problem.code.status(),
    };
    allowance.settle(status.as_u16(), false).await;
    answer
}

async fn guess(
    visitor: &Visitor,
    who: &SignedIn,
    form: &Form,
    allowance: &Allowance,
) -> Result<Option<HashPermit>, Problem> {
    let state = &visitor.visit.state;
    allowance.for_client().await?;
    let owner = users::password_owner(&state.core.pool, who.user_id).await?;
    let permit = allowance.for_password(&owner.email).await?;
    let sent = form.text("password").unwrap_or_default();
    if sent.len() > 512 {
        return Ok(None);
    }
    let verified = state.passwords.verify(sent.to_owned(), owner.password_hash, permit).await?;
    Ok((verified == Verified::Yes).then_some(permit))
}
