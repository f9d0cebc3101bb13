use poem::{Response, http::StatusCode};
use punctual_core::{
    Error,
    bookings::{self, StaffMessage},
    types::{ExpectedRev, Note, Rev},
};
use serde::Serialize;
use uuid::Uuid;

use super::{
    Desk, DeskPage, Notice,
    booking::{self, BookingView},
};
use crate::{contract::Operation, http::problem::Problem, pages::form::Form, pages::named};

/// `/desk/b/{id}/{verb}`: actions on a booking. Cancelling and declining have a form with a message to the customer.
pub struct Act;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Confirm,
    Decline,
    Cancel,
    Complete,
    NoShow,
}

#[derive(Serialize)]
struct Facts {
    #[serde(flatten)]
    booking: BookingView,
    verb: &'static str,
    /// The message so far.
    message: String,
    no_mail: bool,
    fault: Option<&'static str>,
    /// Whether it can only be confirmed outside open hours.
    overriding: bool,
}

/// The form's fields beside the revision.
#[derive(Default)]
pub(super) struct MessageForm {
    pub message: String,
    pub no_mail: bool,
}

impl Verb {
    fn of(desk: &Desk) -> Result<Self, Problem> {
        Ok(match desk.visit.step(3) {
            Some("confirm") => Self::Confirm,
            Some("decline") => Self::Decline,
            Some("cancel") => Self::Cancel,
            Some("complete") => Self::Complete,
            Some("no-show") => Self::NoShow,
            _ => return Err(Error::NotFound("action").into()),
        })
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Decline => "decline",
            Self::Cancel => "cancel",
            Self::Complete => "complete",
            Self::NoShow => "no-show",
        }
    }

    /// Whether its form has its own page.
    const fn asks(self) -> bool {
        matches!(self, Self::Cancel | Self::Decline)
    }
}

impl MessageForm {
    pub fn of(form: &Form) -> Self {
        let text = form.text("message").unwrap_or_default().replace("\r\n", "\n");
        Self { message: text.chars().take(4000).collect(), no_mail: form.text("no_mail").is_some() }
    }

    /// The notification for the use case; none: the text is too long.
    pub fn message(&self) -> Option<StaffMessage> {
        let text = Note::parse(self.message.trim()).ok()?;
        Some(StaffMessage::new(Some(text), Some(!self.no_mail)))
    }
}

impl DeskPage for Act {
    const OPERATION: &'static Operation = &named("deskAct");
    const PATTERN: &'static str = "/desk/b/{id}/{verb}";
    const POSTS: bool = true;

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        let (id, verb) = (booking::id(desk)?, Verb::of(desk)?);
        if !verb.asks() {
            return Ok(desk.go(&format!("/b/{id}"), &[]));
        }
        ask(desk, id, verb, StatusCode::OK, &MessageForm::default(), Refused::default()).await
    }

    async fn submit(desk: &Desk, form: Form) -> Result<Response, Problem> {
        let (id, verb) = (booking::id(desk)?, Verb::of(desk)?);
        let rev = form.value("rev", |text| text.parse().ok().map(Rev))?;
        let message_form = MessageForm::of(&form);
        let Some(message) = message_form.message() else {
            let refused = Refused { fault: Some("notice_note_long"), ..Refused::default() };
            return ask(desk, id, verb, StatusCode::UNPROCESSABLE_ENTITY, &message_form, refused).await;
        };
        let (core, actor, expected) = (desk.core(), desk.actor(), ExpectedRev::Exactly(rev));
        let overriding = form.text("override").is_some();
        let done = match verb {
            Verb::Confirm if overriding => bookings::confirm_overriding(core, &actor, id, expected).await,
            Verb::Confirm => bookings::confirm(core, &actor, id, expected).await,
            Verb::Decline => bookings::decline_with(core, &actor, id, expected, message).await,
            Verb::Cancel => bookings::cancel_with(core, &actor, id, expected, message).await,
            Verb::Complete => bookings::complete(core, &actor, id, expected).await,
            Verb::NoShow => bookings::no_show(core, &actor, id, expected).await,
        };
        let Err(error) = done else {
            return Ok(desk.go(&format!("/b/{id}"), &[("done", verb.as_str())]));
        };
        let (words, overriding) = match &error {
            Error::RevMismatch { .. } => ("desk_stale", false),
            Error::InvalidTransition { .. } => ("notice_not_possible", false),
            Error::OutsideHours if verb == Verb::Confirm => ("desk_confirm_outside", true),
            Error::SlotTaken { .. } if verb == Verb::Confirm => ("desk_confirm_taken", false),
            _ => return Err(error.into()),
        };
        let gone = matches!(error, Error::InvalidTransition { .. });
        let status = Problem::from(error).code.status();
        let notice = Some((words, "alert"));
        if (verb.asks() && !gone) || overriding {
            let refused = Refused { notice, seen: Some(rev), overriding, fault: None };
            return ask(desk, id, verb, status, &message_form, refused).await;
        }
        booking::render(desk, id, status, notice, Some(rev)).await
    }
}

/// Why a form is shown again.
#[derive(Default)]
struct Refused {
    notice: Notice,
    seen: Option<Rev>,
    fault: Option<&'static str>,
    overriding: bool,
}

/// The form of an action that needs input.
async fn ask(
    desk: &Desk,
    id: Uuid,
    verb: Verb,
    status: StatusCode,
    message_form: &MessageForm,
    refused: Refused,
) -> Result<Response, Problem> {
    let (core, actor) = (desk.core(), desk.actor());
    let booking = bookings::get(core, &actor, id).await?;
    let events = bookings::events(core, &actor, id).await?;
    let facts = Facts {
        booking: BookingView::new(desk, &booking, &events, refused.seen),
        verb: verb.as_str(),
        message: message_form.message.clone(),
        no_mail: message_form.no_mail,
        fault: refused.fault,
        overriding: refused.overriding,
    };
    desk.page(status, "desk/act.html.j2", "day", refused.notice, &facts)
}
