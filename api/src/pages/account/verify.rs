use std::sync::Arc;

use poem::Response;
use punctual_core::links::Purpose;

use super::{Form, Page, Stage, Visit, linked, named, render};
use crate::{
    auth::prove_email,
    contract::Operation,
    http::problem::Problem,
    throttle::{Allowance, Policy},
};

/// `/v/{token}`: verify an account's address.
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

    async fn submit(visit: Visit, form: Form) -> Result<Response, Problem> {
        let account = linked(&visit, Purpose::VerifyEmail).await?;
        let password = form.text("password").filter(|password| !password.is_empty()).map(str::to_owned);
        let allowance = Allowance::new(Arc::clone(&visit.state), Policy::PASSWORD, visit.address);
        let mut weakness = None;
        let proven = prove_email(&visit.state, &allowance, &visit.token, password, |weak| {
            weakness = Some(weak);
            weak.at("/password")
        })
        .await;
        allowance
            .settle(proven.as_ref().map_or_else(|problem| problem.code.status().as_u16(), |_| 200), false)
            .await;
        match (proven, weakness) {
            (Ok(_), _) => render(visit, TEMPLATE, account, Stage::Done).await,
            (Err(_), Some(weak)) => render(visit, TEMPLATE, account, Stage::Refused(weak.code())).await,
            (Err(problem), None) => Err(problem),
        }
    }
}
