use poem::Response;
use punctual_core::bookings;

use super::{Page, Visit, holder, html, managed, show};
use crate::{
    contract::Operation,
    http::problem::{Code, Problem},
    pages::{form::Form, named},
};

/// `/m/{token}/reminders`: turns reminders of this booking on or off.
pub struct Reminders;

impl Page for Reminders {
    const OPERATION: &'static Operation = &named("pageBookingReminders");
    const PATTERN: &'static str = "/m/{token}/reminders";
    const POSTS: bool = true;

    async fn show(visit: Visit) -> Result<Response, Problem> {
        Ok(html::see_other(&format!("../{}", visit.token)))
    }

    async fn submit(visit: Visit, form: Form) -> Result<Response, Problem> {
        let managed = managed(&visit).await?;
        let core = &visit.state.core;
        let wanted = form.text("reminders") == Some("on");
        match bookings::choose_reminders(core, &holder(&managed), managed.booking.id, wanted).await {
            Ok(_) => Ok(html::see_other(&format!("../{}?done=reminders", visit.token))),
            Err(punctual_core::Error::NoticePassed) => {
                let base = format!("../{}", visit.token);
                let notice = Some(("notice_not_possible", "alert"));
                show::render(&visit, &managed, Code::NoticePassed.status(), base, notice)
            }
            Err(error) => Err(error.into()),
        }
    }
}
