use std::sync::Arc;

use poem::{Response, http::StatusCode};
use punctual_core::{
    Error,
    types::{EmailAddress, PersonName},
    users::{self, NewUser, User},
};
use serde::Serialize;

use super::{page::render, session};
use crate::{
    auth::password_rules,
    contract::Operation,
    http::problem::Problem,
    pages::{
        book::{BookPage, Visitor},
        form::Form,
        named,
    },
    throttle::{Allowance, Policy},
};

/// `/account/register`
pub struct Register;

#[derive(Default, Serialize)]
struct Facts {
    name: String,
    email: String,
    /// Message keys of wrong fields.
    name_fault: Option<&'static str>,
    email_fault: Option<&'static str>,
    password_fault: Option<String>,
}

impl BookPage for Register {
    const OPERATION: &'static Operation = &named("pageRegister");
    const PATTERN: &'static str = "/account/register";
    const POSTS: bool = true;

    async fn show(visitor: &Visitor) -> Result<Response, Problem> {
        render(visitor, None, StatusCode::OK, "account/register.html.j2", None, &Facts::default()).await
    }

    async fn submit(visitor: &Visitor, form: Form) -> Result<Response, Problem> {
        let state = &visitor.visit.state;
        let limits = &[Policy::RegisterAddress, Policy::RegisterEmail];
        let allowance = Allowance::new(Arc::clone(state), limits, visitor.visit.address);
        let answer = register(visitor, &form, &allowance).await;
        let status = match &answer {
            Ok(Ok(_)) => StatusCode::CREATED,
            Ok(Err(_)) => StatusCode::UNPROCESSABLE_ENTITY,
            Err(problem) => problem.code.status(),
        };
        allowance.settle(status.as_u16(), false).await;
        match answer? {
            Ok(user) => {
                let location = format!("../account{}", visitor.carry_with(&[("done", "registered")]));
                session::begin(state, user.id, user.token_epoch, &location).await
            }
            Err(facts) => {
                let template = "account/register.html.j2";
                render(visitor, None, StatusCode::UNPROCESSABLE_ENTITY, template, None, &*facts).await
            }
        }
    }
}

/// The new account, or the form with its errors.
async fn register(
    visitor: &Visitor,
    form: &Form,
    allowance: &Allowance,
) -> Result<Result<User, Box<Facts>>, Problem> {
    allowance.for_client().await?;
    let state = &visitor.visit.state;
    let text = |name| form.text(name).unwrap_or_default();
    let short = |name| text(name).chars().take(254).collect::<String>();
    let mut facts = Facts { name: short("name"), email: short("email"), ..Facts::default() };
    let (name, email) = (PersonName::parse(text("name")), EmailAddress::parse(text("email")));
    facts.name_fault = name.is_err().then_some("fault_name");
    facts.email_fault = email.is_err().then_some("fault_email");
    let (Ok(name), Ok(email)) = (name, email) else { return Ok(Err(Box::new(facts))) };
    if let Err(weakness) = password_rules::check(text("password"), email.as_str(), Some(name.as_str())) {
        facts.password_fault = Some(format!("password_{}", weakness.code()));
        return Ok(Err(Box::new(facts)));
    }
    if let Err(refusal) = allowance.for_email(&email).await {
        if users::find_for_login(&state.core.pool, &email).await?.is_none() {
            return Err(refusal);
        }
        facts.email_fault = Some("fault_email_taken");
        return Ok(Err(Box::new(facts)));
    }
    let hash = state.passwords.hash(text("password").to_owned(), allowance.for_new_password(&email)).await?;
    let user = NewUser { email, name, phone: None, locale: Some(visitor.locale), zone: visitor.zone };
    match users::register(&state.core, user, hash).await {
        Ok(user) => Ok(Ok(user)),
        Err(Error::EmailTaken) => {
            facts.email_fault = Some("fault_email_taken");
            Ok(Err(Box::new(facts)))
        }
        Err(error) => Err(Problem::from(error)),
    }
}
