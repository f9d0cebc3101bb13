use poem::Response;
use punctual_core::{links::Purpose, users};

use super::{Form, Page, Stage, Visit, linked, named, render};
use crate::{contract::Operation, http::problem::Problem};

/// `/v/{token}`: prove an account's address.
pub struct VerifyEmail;

const TEMPLATE: &str = "verify.html.j2";

impl Page for VerifyEmail {
    const OPERATION: &'static Operation = &named("pageVerifyEmail");
    const PATTERN: &'static str = "/v/{token}";
    const POSTS: bool = true;

    async fn show(visit: Visit) -> Result<Response, Problem> {
        let account = linked(&visit, Purpose::VerifyEmail).await?;
        render(visit, TEMPLATE, account, Stage::Asked).await
    }

    async fn submit(visit: Visit, _: Form) -> Result<Response, Problem> {
        let account = linked(&visit, Purpose::VerifyEmail).await?;
        users::verify_email(&visit.state.core, &visit.state.links, &visit.token).await?;
        render(visit, TEMPLATE, account, Stage::Done).await
    }
}
