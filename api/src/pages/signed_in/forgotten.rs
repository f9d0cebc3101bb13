use std::sync::Arc;

use poem::{Response, http::StatusCode};
use punctual_core::{types::EmailAddress, users};
use serde::Serialize;

use super::page::render;
use crate::{
    contract::Operation,
    http::{even_time::at_whole_ticks, problem::Problem},
    pages::{
        book::{BookPage, Visitor},
        form::Form,
        html::see_other,
        named,
    },
    throttle::{Allowance, Policy},
};

/// `/account/forgotten`: mails a link that sets a new password. The answer is the same for unknown addresses.
pub struct Forgotten;

#[derive(Serialize)]
struct Facts {
    /// Whether the form was just accepted.
    sent: bool,
    email: String,
    fault: Option<&'static str>,
}

impl BookPage for Forgotten {
    const OPERATION: &'static Operation = &named("pageForgotten");
    const PATTERN: &'static str = "/account/forgotten";
    const POSTS: bool = true;

    async fn show(visitor: &Visitor) -> Result<Response, Problem> {
        let sent = visitor.visit.query_param("done") == Some("sent");
        let facts = Facts { sent, email: String::new(), fault: None };
        render(visitor, None, StatusCode::OK, "account/forgotten.html.j2", None, &facts).await
    }

    async fn submit(visitor: &Visitor, form: Form) -> Result<Response, Problem> {
        let text = form.text("email").unwrap_or_default();
        let Ok(email) = EmailAddress::parse(text) else {
            let fault = Some(if text.trim().is_empty() { "fault_required" } else { "fault_email" });
            let facts = Facts { sent: false, email: text.chars().take(254).collect(), fault };
            let (status, template) = (StatusCode::UNPROCESSABLE_ENTITY, "account/forgotten.html.j2");
            return render(visitor, None, status, template, None, &facts).await;
        };
        let state = &visitor.visit.state;
        // Shares the limits of resets over the API.
        let limits = &[Policy::ResetAddress, Policy::ResetEmail];
        let allowance = Allowance::new(Arc::clone(state), limits, visitor.visit.address);
        allowance.for_client().await?;
        allowance.for_email(&email).await?;
        at_whole_ticks(users::request_password_reset(&state.core, email)).await?;
        Ok(see_other(&format!("./forgotten{}", visitor.carry_with(&[("done", "sent")]))))
    }
}
