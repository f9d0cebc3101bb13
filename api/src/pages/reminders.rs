use poem::{Response, http::StatusCode};
use punctual_core::{
    customers::{self, ReminderChoice},
    links::{Link, Purpose},
};
use serde::Serialize;

use super::{Page, form::Form, html, named, visit::Visit};
use crate::{contract::Operation, http::problem::Problem};

/// `/u/{token}`: whether a person wants reminders. Mail programs post to it too (RFC 8058): every post means no, except
/// this page's own yes.
pub struct Reminders;

#[derive(Serialize)]
struct Facts {
    business_name: String,
    wanted: bool,
    token: String,
}

impl Page for Reminders {
    const OPERATION: &'static Operation = &named("pageReminders");
    const PATTERN: &'static str = "/u/{token}";
    const POSTS: bool = true;

    async fn show(visit: Visit) -> Result<Response, Problem> {
        let Link { id, epoch, .. } = visit.link(Purpose::Unsubscribe)?;
        let choice = customers::reminder_choice(&visit.state.core, id, epoch).await?;
        render(visit, choice)
    }

    async fn submit(visit: Visit, form: Form) -> Result<Response, Problem> {
        let Link { id, epoch, .. } = visit.link(Purpose::Unsubscribe)?;
        let wanted = form.text("reminders") == Some("on");
        let choice = customers::choose_reminders(&visit.state.core, id, epoch, wanted).await?;
        render(visit, choice)
    }
}

fn render(visit: Visit, choice: ReminderChoice) -> Result<Response, Problem> {
    let facts = Facts { business_name: choice.business_name, wanted: choice.wanted, token: visit.token };
    html::page(StatusCode::OK, "reminders.html.j2", choice.locale, &facts)
}
