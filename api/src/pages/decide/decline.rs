use poem::{Response, http::StatusCode};
use punctual_core::{
    Error, bookings,
    types::{ExpectedRev, Rev},
};

use super::{Page, Visit, decided, facts, html, unchanged};
use crate::{
    contract::Operation,
    http::problem::Problem,
    pages::{form::Form, named},
};

/// `/d/{token}/decline`
pub struct Decline;

impl Page for Decline {
    const OPERATION: &'static Operation = &named("pageDecline");
    const PATTERN: &'static str = "/d/{token}/decline";
    const POSTS: bool = true;

    async fn show(visit: Visit) -> Result<Response, Problem> {
        let decided = decided(&visit).await?;
        let base = format!("../{}", visit.token);
        if !decided.is_open {
            return Ok(html::see_other(&base));
        }
        html::page(StatusCode::OK, "decline.html.j2", decided.locale, &facts(&decided, base))
    }

    async fn submit(visit: Visit, form: Form) -> Result<Response, Problem> {
        let decided = decided(&visit).await?;
        let rev = form.value("rev", |text| text.parse().ok().map(Rev))?;
        let (core, id) = (&visit.state.core, decided.booking.id);
        match bookings::decline(core, &decided.actor, id, ExpectedRev::Exactly(rev)).await {
            Ok(_) => Ok(html::see_other(&format!("../{}?done=declined", visit.token))),
            Err(error @ (Error::RevMismatch { .. } | Error::InvalidTransition { .. })) => {
                unchanged(&visit, error).await
            }
            Err(error) => Err(error.into()),
        }
    }
}
