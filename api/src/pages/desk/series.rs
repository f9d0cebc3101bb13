use poem::{Response, http::StatusCode};
use punctual_core::{
    Error, Occurrence,
    bookings::{self, Booking, MoveSeries},
    types::{BookingStatus, ExpectedRev, Rev},
};
use serde::Serialize;
use uuid::Uuid;

use super::{
    Desk, DeskPage, Notice,
    act::MessageForm,
    booking::{self, BookingView},
    occurrences::{OneOf, occurrences},
    people::Person,
    repeat::{Line, lines},
    reschedule::instant,
};
use crate::{contract::Operation, http::problem::Problem, pages::form::Form, pages::named};

/// `/desk/b/{id}/series`: an appointment and all later ones of its series, to move or to cancel.
pub struct SeriesActions;

#[derive(Serialize)]
struct Facts {
    #[serde(flatten)]
    booking: BookingView,
    no: i16,
    series_rev: i32,
    occurrences: Vec<OneOf>,
    /// Whether this one can be moved.
    can_move: bool,
    date: String,
    time: String,
    people: Vec<Person>,
    overriding: bool,
    message: String,
    no_mail: bool,
    fault: Option<&'static str>,
    /// Requested occurrences that are not free.
    wanted: Vec<Line>,
}

/// Fields and reason of a refused form.
#[derive(Default)]
struct Refused {
    notice: Notice,
    fault: Option<&'static str>,
    message_form: MessageForm,
    /// Date, time and member of staff.
    wish: Option<(String, String, Option<Uuid>)>,
    overriding: bool,
    occurrences: Vec<Occurrence>,
}

impl DeskPage for SeriesActions {
    const OPERATION: &'static Operation = &named("deskSeries");
    const PATTERN: &'static str = "/desk/b/{id}/series";
    const POSTS: bool = true;

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        render(desk, booking::id(desk)?, StatusCode::OK, Refused::default()).await
    }

    async fn submit(desk: &Desk, form: Form) -> Result<Response, Problem> {
        let (core, actor, id) = (desk.core(), desk.actor(), booking::id(desk)?);
        let (_, place) = in_series(desk, id).await?;
        let expected = ExpectedRev::Exactly(form.value("rev", |text| text.parse().ok().map(Rev))?);
        let message_form = MessageForm::of(&form);
        let is_move = form.text("do") == Some("move");
        let text = |name| form.text(name).unwrap_or_default().to_owned();
        let staff_id = form.text("staff").and_then(|text| Uuid::try_parse(text).ok());
        let wish = is_move.then(|| (text("date"), text("time"), staff_id));
        let overriding = form.text("override").is_some();
        let mut refused = Refused { wish, overriding, ..Refused::default() };
        let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
        let Some(message) = message_form.message() else {
            return render(
                desk,
                id,
                unprocessable,
                Refused { fault: Some("notice_note_long"), message_form, ..refused },
            )
            .await;
        };
        let done = if is_move {
            let Some(start) = instant(desk.zone()?, &text("date"), &text("time")) else {
                let notice = Some(("desk_fault_time", "alert"));
                return render(desk, id, unprocessable, Refused { notice, message_form, ..refused }).await;
            };
            let to = MoveSeries { from: place.no, start, staff_id, overriding, message };
            bookings::move_series(core, &actor, place.id, expected, to).await
        } else {
            bookings::cancel_series(core, &actor, place.id, place.no, expected, message).await
        };
        let Err(error) = done else {
            let done = if is_move { "series-move" } else { "series-cancel" };
            return Ok(desk.go(&format!("/b/{id}"), &[("done", done)]));
        };
        let words = match &error {
            Error::RevMismatch { .. } => "desk_stale_series",
            Error::SeriesConflict(occurrences) => {
                refused.occurrences.clone_from(occurrences);
                "desk_series_conflict"
            }
            Error::InvalidTransition { .. } => "notice_not_possible",
            Error::NotFound("staff") | Error::Invalid { .. } => "desk_not_performed",
            _ => return Err(error.into()),
        };
        let status = Problem::from(error).code.status();
        render(desk, id, status, Refused { notice: Some((words, "alert")), message_form, ..refused }).await
    }
}

/// The booking, if it is of a series.
async fn in_series(desk: &Desk, id: Uuid) -> Result<(Booking, bookings::InSeries), Problem> {
    let booking = bookings::get(desk.core(), &desk.actor(), id).await?;
    let place = booking.series.ok_or(Error::NotFound("series"))?;
    Ok((booking, place))
}

async fn render(desk: &Desk, id: Uuid, status: StatusCode, refused: Refused) -> Result<Response, Problem> {
    let (core, actor) = (desk.core(), desk.actor());
    let (booking, place) = in_series(desk, id).await?;
    let series = bookings::get_series(core, &actor, place.id).await?;
    let events = bookings::events(core, &actor, id).await?;
    let staff = &desk.front()?.front.staff;
    let performers = staff.iter().filter(|member| member.service_ids.contains(&booking.service.id));
    let (date, time, staff_id) = refused.wish.unwrap_or_else(|| {
        let start = booking.start;
        (start.format("%Y-%m-%d").to_string(), start.format("%H:%M").to_string(), None)
    });
    let facts = Facts {
        no: place.no,
        series_rev: series.rev.0,
        occurrences: occurrences(desk, &series, id),
        can_move: stands(&booking) && booking.start.to_utc() > core.now(),
        date,
        time,
        people: performers.map(|member| Person::new(member, staff_id)).collect(),
        overriding: refused.overriding,
        message: refused.message_form.message,
        no_mail: refused.message_form.no_mail,
        fault: refused.fault,
        wanted: lines(&refused.occurrences, desk.zone()?, desk.locale),
        booking: BookingView::new(desk, &booking, &events, None),
    };
    desk.page(status, "desk/series.html.j2", "day", refused.notice, &facts)
}

fn stands(booking: &Booking) -> bool {
    matches!(booking.status, BookingStatus::Pending | BookingStatus::Confirmed)
}
