use std::sync::Arc;

use poem::Response;
use punctual_core::{links::Purpose, types::Role, users};

use super::{Form, Page, Stage, Visit, linked, named, render};
use crate::{
    auth::password_rules::{self, Weakness},
    contract::Operation,
    http::problem::Problem,
    pages::signed_in::session,
    throttle::{Allowance, Policy},
};

/// `/r/{token}`: choose an account's password, for the first time or after it was forgotten.
pub struct ChoosePassword;

const TEMPLATE: &str = "password.html.j2";

impl Page for ChoosePassword {
    const OPERATION: &'static Operation = &named("pageChoosePassword");
    const PATTERN: &'static str = "/r/{token}";
    const POSTS: bool = true;

    async fn show(visit: Visit) -> Result<Response, Problem> {
        let account = linked(&visit, Purpose::SetPassword).await?;
        render(visit, TEMPLATE, account, Stage::Asked).await
    }

    async fn submit(visit: Visit, form: Form) -> Result<Response, Problem> {
        let account = linked(&visit, Purpose::SetPassword).await?;
        let password = form.text("password").unwrap_or_default();
        let checked = password_rules::check(password, account.email.as_str(), Some(account.name.as_str()));
        if let Err(weakness) = checked {
            return render(visit, TEMPLATE, account, Stage::Refused(Weakness::code(weakness))).await;
        }
        let allowance = Allowance::new(Arc::clone(&visit.state), &[Policy::ResetAddress], visit.address);
        allowance.for_client().await?;
        let permit = allowance.for_new_password(&account.email);
        let hash = visit.state.passwords.hash(password.to_owned(), permit).await?;
        users::set_password_by_link(&visit.state.core, &visit.state.links, &visit.token, hash).await?;
        let user = users::get(&visit.state.core.pool, account.user_id).await?;
        if user.role == Role::Customer {
            return render(visit, TEMPLATE, account, Stage::Done).await;
        }
        // Staff continue to the desk: they have just proven address and password.
        session::begin(&visit.state, user.id, user.token_epoch, "../desk").await
    }
}
