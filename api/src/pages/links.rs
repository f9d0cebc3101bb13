//! `/links`: mails the links of an address's bookings, for customers without an account who lost their mails.

use std::sync::Arc;

use poem::{Response, http::StatusCode};
use punctual_core::{customers, types::EmailAddress};
use serde::Serialize;

use super::{
    book::{BookPage, Site, Visitor},
    form::Form,
    html, named,
};
use crate::{
    contract::Operation,
    http::{even_time::at_whole_ticks, problem::Problem},
    throttle::{Allowance, Policy},
};

/// `/links`
pub struct Links;

#[derive(Serialize)]
struct Facts {
    /// Whether the form was just accepted.
    sent: bool,
    email: String,
    fault: Option<&'static str>,
}

impl BookPage for Links {
    const OPERATION: &'static Operation = &named("pageLinks");
    const PATTERN: &'static str = "/links";
    const POSTS: bool = true;

    async fn show(visitor: &Visitor) -> Result<Response, Problem> {
        let sent = visitor.visit.query_param("done") == Some("sent");
        render(visitor, StatusCode::OK, &Facts { sent, email: String::new(), fault: None }).await
    }

    async fn submit(visitor: &Visitor, form: Form) -> Result<Response, Problem> {
        let text = form.text("email").unwrap_or_default();
        let Ok(email) = EmailAddress::parse(text) else {
            let fault = Some(if text.trim().is_empty() { "fault_required" } else { "fault_email" });
            let facts = Facts { sent: false, email: text.chars().take(254).collect(), fault };
            return render(visitor, StatusCode::UNPROCESSABLE_ENTITY, &facts).await;
        };
        let state = &visitor.visit.state;
        let limits = &[Policy::LinksAddress, Policy::LinksEmail];
        let allowance = Allowance::new(Arc::clone(state), limits, visitor.visit.address);
        allowance.for_client().await?;
        allowance.for_email(&email).await?;
        at_whole_ticks(customers::mail_booking_links(&state.core, email)).await?;
        Ok(html::see_other(&format!("./links{}", visitor.carry_with(&[("done", "sent")]))))
    }
}

async fn render(visitor: &Visitor, status: StatusCode, facts: &Facts) -> Result<Response, Problem> {
    Site::of(visitor).await?.page(visitor, status, "links.html.j2", facts)
}
