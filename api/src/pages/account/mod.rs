//! Pages of the links in account mails. A link is valid once; the page shows the action and a form executes it.

mod choose_password;
mod verify;

use poem::{Response, http::StatusCode};
use punctual_core::{
    links::Purpose,
    settings,
    users::{self, LinkedAccount},
};
use serde::Serialize;

use super::{Page, form::Form, html, named, visit::Visit};
use crate::{http::problem::Problem, state::State};

pub use choose_password::ChoosePassword;
pub use verify::VerifyEmail;

/// Data of both pages.
#[derive(Serialize)]
struct Facts {
    business_name: String,
    email: String,
    token: String,
    /// Whether the action has just been done.
    done: bool,
    /// Why the form was refused.
    fault: Option<String>,
}

/// The account of the link.
async fn linked(visit: &Visit, purpose: Purpose) -> Result<LinkedAccount, Problem> {
    let State { core, links, .. } = &*visit.state;
    Ok(users::linked_account(&core.pool, core.now(), links, purpose, &visit.token).await?)
}

/// State of the page.
enum Stage {
    Asked,
    /// With the code of the error.
    Refused(&'static str),
    Done,
}

async fn render(
    visit: Visit,
    template: &str,
    account: LinkedAccount,
    stage: Stage,
) -> Result<Response, Problem> {
    let business = settings::get(&visit.state.core.pool).await?;
    let (status, done, fault) = match stage {
        Stage::Asked => (StatusCode::OK, false, None),
        Stage::Refused(code) => (StatusCode::UNPROCESSABLE_ENTITY, false, Some(format!("password_{code}"))),
        Stage::Done => (StatusCode::OK, true, None),
    };
    let email = account.email.as_str().to_owned();
    let facts = Facts { business_name: business.name, email, token: visit.token, done, fault };
    html::page(status, template, account.locale, &facts)
}
