use poem::Response;
use punctual_core::{
    Error, bookings,
    operators::{self, Action, Operator},
    pool::again_if_cut,
};
use serde::Serialize;

use super::{
    AdminVisit, OpsPage,
    booking::{actor, id_at, word},
};
use crate::{
    contract::Operation,
    http::problem::Problem,
    pages::{form::Form, named},
};

/// `/ops/bookings/{id}/{mail}`: asks for confirmation, then sends the mail again.
pub struct Resend;

#[derive(Serialize)]
struct Facts {
    question: String,
    what: &'static str,
    button: &'static str,
    danger: bool,
    back: String,
}

impl OpsPage for Resend {
    const OPERATION: &'static Operation = &named("opsResend");
    const PATTERN: &'static str = "/ops/bookings/{id}/{mail}";
    const POSTS: bool = true;

    async fn show(admin: AdminVisit) -> Result<Response, Problem> {
        let core = &admin.visit.state.core;
        let (id, mail, actor) = (id_at(&admin, 2)?, id_at(&admin, 3)?, actor(&admin));
        let mails = again_if_cut(|| bookings::notifications(core, &actor, id)).await?;
        let found =
            mails.into_iter().find(|found| found.id == mail).ok_or(Error::NotFound("notification"))?;
        let facts = Facts {
            question: format!("Send the {} again?", word(&found.kind)),
            what: "With the same Message-ID. Look for it in the relay's log first: if the relay has taken it, the customer gets it twice. A mail that the booking has outrun is refused.",
            button: "Send again",
            danger: false,
            back: format!("ops/bookings/{id}"),
        };
        admin.page("confirm.html.j2", &facts)
    }

    async fn submit(admin: AdminVisit, _: Form) -> Result<Response, Problem> {
        let (id, mail) = (id_at(&admin, 2)?, id_at(&admin, 3)?);
        let resend = Action::Resend { booking_id: id, notification_id: mail };
        operators::act(&admin.visit.state.core, Operator::Admin(admin.operator), resend).await?;
        Ok(admin.go(&format!("ops/bookings/{id}")))
    }
}
