use poem::Response;
use punctual_core::{
    Error, bookings,
    types::{ExpectedRev, Rev},
};

use super::{Page, Visit, decided, html, unchanged};
use crate::{
    contract::Operation,
    http::problem::Problem,
    pages::{form::Form, named},
};

/// `/d/{token}/confirm`
pub struct Confirm;

impl Page for Confirm {
    const OPERATION: &'static Operation = &named("pageConfirm");
    const PATTERN: &'static str = "/d/{token}/confirm";
    const POSTS: bool = true;

    /// The button is on the booking's page.
    async fn show(visit: Visit) -> Result<Response, Problem> {
        decided(&visit).await?;
        Ok(html::see_other(&format!("../{}", visit.token)))
    }

    async fn submit(visit: Visit, form: Form) -> Result<Response, Problem> {
        let decided = decided(&visit).await?;
        let rev = form.value("rev", |text| text.parse().ok().map(Rev))?;
        let (core, id) = (&visit.state.core, decided.booking.id);
        match bookings::confirm(core, &decided.actor, id, ExpectedRev::Exactly(rev)).await {
            Ok(_) => Ok(html::see_other(&format!("../{}?done=confirmed", visit.token))),
            Err(error @ (Error::RevMismatch { .. } | Error::InvalidTransition { .. })) => {
                unchanged(&visit, error).await
            }
            Err(error) => Err(error.into()),
        }
    }
}
