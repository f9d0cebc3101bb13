use poem::Response;
use punctual_core::{bookings, types};

use super::{Page, Visit, holder, html, managed, show};
use crate::{
    contract::Operation,
    http::problem::{Code, Problem},
    pages::{form::Form, named},
};

/// `/m/{token}/note`: the customer's note.
pub struct Note;

impl Page for Note {
    const OPERATION: &'static Operation = &named("pageNote");
    const PATTERN: &'static str = "/m/{token}/note";
    const POSTS: bool = true;

    async fn show(visit: Visit) -> Result<Response, Problem> {
        Ok(html::see_other(&format!("../{}", visit.token)))
    }

    async fn submit(visit: Visit, form: Form) -> Result<Response, Problem> {
        let managed = managed(&visit).await?;
        let text = form.text("note").unwrap_or_default().replace("\r\n", "\n");
        let refused = |code: Code, notice| {
            let base = format!("../{}", visit.token);
            show::render(&visit, &managed, code.status(), base, Some((notice, "alert")))
        };
        let Ok(note) = types::Note::parse(text.trim()) else {
            return refused(Code::Unprocessable, "notice_note_long");
        };
        match bookings::write_note(&visit.state.core, &holder(&managed), managed.booking.id, &note).await {
            Ok(_) => Ok(html::see_other(&format!("../{}?done=noted", visit.token))),
            Err(punctual_core::Error::NoticePassed) => refused(Code::NoticePassed, "notice_not_possible"),
            Err(error) => Err(error.into()),
        }
    }
}
