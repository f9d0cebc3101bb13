use std::sync::Arc;

use poem::{
    Response,
    http::{StatusCode, header},
};
use punctual_core::{pool::again_if_cut, sessions, types::EmailAddress, types::Role, users};
use serde::Serialize;

use super::{
    html,
    session::{LIFETIME, OPS},
};
use crate::{
    auth::Verified,
    contract::Operation,
    http::problem::Problem,
    pages::{Page, form::Form, html::see_other, named, session_cookie::SessionToken, visit::Visit},
    throttle::{Allowance, Policy},
};

/// `/ops/login`
pub struct Login;

#[derive(Serialize)]
struct Facts {
    /// Path to open after the login.
    next: String,
    refused: bool,
}

impl Page for Login {
    const OPERATION: &'static Operation = &named("opsLogin");
    const PATTERN: &'static str = "/ops/login";
    const POSTS: bool = true;

    async fn show(visit: Visit) -> Result<Response, Problem> {
        let next = safe(visit.query_param("next"));
        html::page(StatusCode::OK, "login.html.j2", visit.root(), None, &Facts { next, refused: false })
    }

    async fn submit(visit: Visit, form: Form) -> Result<Response, Problem> {
        let next = safe(form.text("next"));
        // Shares the limits of logins over the API.
        let allowance = Allowance::new(Arc::clone(&visit.state), Policy::PASSWORD, visit.address);
        let answer = log_in(&visit, &form, &allowance).await;
        let status = match &answer {
            Ok(Some(_)) => StatusCode::SEE_OTHER,
            Ok(None) => StatusCode::UNAUTHORIZED,
            Err(problem) => problem.code.status(),
        };
        allowance.settle(status.as_u16(), false).await;
        if let Some(token) = answer? {
            let mut response = see_other(&format!("{}{next}", visit.root()));
            response.headers_mut().insert(header::SET_COOKIE, token.set_cookie(LIFETIME.num_seconds()));
            return Ok(response);
        }
        let facts = Facts { next, refused: true };
        html::page(StatusCode::UNAUTHORIZED, "login.html.j2", visit.root(), None, &facts)
    }
}

/// Begins a session if the password is that of an administrator. A refusal shows no reason, and takes the same time for
/// all.
async fn log_in(visit: &Visit, form: &Form, allowance: &Allowance) -> Result<Option<SessionToken>, Problem> {
    allowance.for_client().await?;
    let (core, pool) = (&visit.state.core, &visit.state.core.pool);
    let password = form.text("password").unwrap_or_default();
    let email = EmailAddress::parse(form.text("email").unwrap_or_default()).ok();
    let (Some(email), true) = (email, password.len() <= 512) else { return Ok(None) };
    let permit = allowance.for_password(&email).await?;
    let user = again_if_cut(|| users::find_for_login(pool, &email)).await?;
    let hash = user.as_ref().and_then(|user| user.password_hash.clone());
    let verified = visit.state.passwords.verify(password.to_owned(), hash, permit).await?;
    let admin = |user: &users::LoginUser| verified == Verified::Yes && user.role == Role::Admin;
    let Some(user) = user.filter(admin) else { return Ok(None) };
    let (token, now) = (OPS.new_token(), core.now());
    sessions::start(pool, now, user.id, user.token_epoch, &token.hash(), now + LIFETIME).await?;
    tracing::info!(user_id = %user.id, "an administrator logged in to the ops page");
    Ok(Some(token))
}

/// Accepts only paths of the ops pages.
fn safe(next: Option<&str>) -> String {
    let plain =
        |text: &&str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_.-".contains(&byte));
    let ours = |text: &&str| *text == "ops" || text.starts_with("ops/");
    next.filter(ours)
        .filter(plain)
        .filter(|text| !text.contains("..") && !text.contains("//"))
        .unwrap_or("ops")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::safe;

    #[test]
    fn a_login_leads_to_a_page_of_ours() {
        assert_eq!(safe(Some("ops/jobs/12")), "ops/jobs/12");
        for other in
            ["//evil.example", "https://evil.example", "opsx", "ops/../m/x", "ops//x", "ops/\u{e4}", ""]
        {
            assert_eq!(safe(Some(other)), "ops", "{other}");
        }
        assert_eq!(safe(None), "ops");
    }
}
