use poem::{Response, http::StatusCode};
use punctual_core::{
    Error, bookings,
    types::{ExpectedRev, Rev},
};
use serde::Serialize;

use super::{Appointment, Page, Visit, appointment, holder, html, managed, shown, unchanged};
use crate::{
    contract::Operation,
    http::problem::Problem,
    pages::{form::Form, named},
};

/// `/m/{token}/cancel`
pub struct Cancel;

#[derive(Serialize)]
struct Facts {
    #[serde(flatten)]
    appointment: Appointment,
    base: String,
}

impl Page for Cancel {
    const OPERATION: &'static Operation = &named("pageCancel");
    const PATTERN: &'static str = "/m/{token}/cancel";
    const POSTS: bool = true;

    async fn show(visit: Visit) -> Result<Response, Problem> {
        let managed = managed(&visit).await?;
        if !managed.can_cancel {
            return Ok(html::see_other(&format!("../{}", visit.token)));
        }
        let facts = Facts { appointment: appointment(&managed), base: format!("../{}", visit.token) };
        html::show(StatusCode::OK, "cancel.html.j2", managed.locale, &facts, &shown(&managed))
    }

    async fn submit(visit: Visit, form: Form) -> Result<Response, Problem> {
        let managed = managed(&visit).await?;
        let rev = form.value("rev", |text| text.parse().ok().map(Rev))?;
        let (core, id) = (&visit.state.core, managed.booking.id);
        match bookings::cancel(core, &holder(&managed), id, ExpectedRev::Exactly(rev)).await {
            Ok(_) => Ok(html::see_other(&format!("../{}?done=cancelled", visit.token))),
            Err(
                error @ (Error::RevMismatch { .. } | Error::InvalidTransition { .. } | Error::NoticePassed),
            ) => unchanged(&visit, error).await,
            Err(error) => Err(error.into()),
        }
    }
}
