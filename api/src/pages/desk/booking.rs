use poem::{Response, http::StatusCode};
use punctual_core::{
    Error,
    bookings::{self, Booking, BookingEvent},
    notifications::{Notification, NotificationState},
    pool::again_if_cut,
    types::{BookingAction, Locale, Rev, Zone},
    wording::{When, price},
};
use serde::Serialize;
use uuid::Uuid;

use super::{
    Desk, DeskPage, Notice,
    occurrences::{self, OneOf},
};
use crate::{contract::Operation, http::problem::Problem, pages::named};

/// `/desk/b/{id}`: a booking, its history, its mails, and the possible actions.
pub struct Show;

#[derive(Serialize)]
struct Facts {
    #[serde(flatten)]
    booking: BookingView,
    /// Names of the possible actions.
    actions: Vec<&'static str>,
    back: String,
    history: Vec<Change>,
    mails: Vec<Mail>,
    /// The rooms and equipment it has.
    resources: Vec<String>,
    /// The other appointments of its series; empty: it does not repeat.
    occurrences: Vec<OneOf>,
}

/// A booking on pages of the desk.
#[derive(Serialize)]
pub struct BookingView {
    pub when: When,
    status: &'static str,
    service: String,
    price: Option<String>,
    staff: String,
    staff_href: String,
    pub customer: String,
    phone: Option<String>,
    phone_digits: String,
    email: Option<String>,
    /// Their page.
    customer_href: Option<String>,
    customer_note: String,
    staff_note: String,
    pub rev: i32,
    /// Path of the booking's page.
    pub base: String,
    /// Changes by others since the form was opened; newest last.
    pub since: Vec<Change>,
}

/// A line of the history.
#[derive(Serialize)]
pub struct Change {
    kind: &'static str,
    by: &'static str,
    at: String,
    /// The previous time, if it was moved.
    from: Option<String>,
    to: Option<String>,
    message: Option<String>,
    no_mail: bool,
    overridden: bool,
}

#[derive(Serialize)]
struct Mail {
    kind: &'static str,
    state: &'static str,
    to: String,
    at: String,
    alert: bool,
    reply: Option<String>,
}

impl DeskPage for Show {
    const OPERATION: &'static Operation = &named("deskBooking");
    const PATTERN: &'static str = "/desk/b/{id}";

    async fn show(desk: &Desk) -> Result<Response, Problem> {
        let notice = match desk.visit.query_param("done") {
            Some("confirm") => Some(("desk_done_confirm", "status")),
            Some("decline") => Some(("desk_done_decline", "status")),
            Some("cancel") => Some(("desk_done_cancel", "status")),
            Some("complete") => Some(("desk_done_complete", "status")),
            Some("no-show") => Some(("desk_done_no_show", "status")),
            Some("move") => Some(("desk_done_move", "status")),
            Some("new") => Some(("desk_done_new", "status")),
            Some("series") => Some(("desk_done_series", "status")),
            Some("visit") => Some(("desk_done_visit", "status")),
            Some("series-move") => Some(("desk_done_series_move", "status")),
            Some("series-cancel") => Some(("desk_done_series_cancel", "status")),
            _ => None,
        };
        render(desk, id(desk)?, StatusCode::OK, notice, None).await
    }
}

/// The booking of the path.
///
/// # Errors
/// `not_found`.
pub fn id(desk: &Desk) -> Result<Uuid, Problem> {
    let id = desk.visit.step(2).and_then(|text| Uuid::try_parse(text).ok());
    Ok(id.ok_or(Error::NotFound("booking"))?)
}

/// The page of a booking. `seen`: the revision of a form that was refused, to show what changed since.
pub async fn render(
    desk: &Desk,
    id: Uuid,
    status: StatusCode,
    notice: Notice,
    seen: Option<Rev>,
) -> Result<Response, Problem> {
    let (core, actor) = (desk.core(), desk.actor());
    let booking = again_if_cut(|| bookings::get(core, &actor, id)).await?;
    let events = again_if_cut(|| bookings::events(core, &actor, id)).await?;
    let mails = again_if_cut(|| bookings::notifications(core, &actor, id)).await?;
    let used = bookings::used_resources(core, &actor, id).await?;
    let occurrences = match booking.series {
        Some(place) => {
            let series = again_if_cut(|| bookings::get_series(core, &actor, place.id)).await?;
            occurrences::occurrences(desk, &series, id)
        }
        None => Vec::new(),
    };
    let actions = bookings::allowed_actions(&booking, &actor, core.now());
    let zone = booking.zone;
    let day = booking.start.date_naive().to_string();
    let facts = Facts {
        actions: actions.into_iter().map(BookingAction::as_str).collect(),
        back: desk.link("", &[("date", &day)]),
        history: events.iter().rev().map(|event| change(event, zone, desk.locale)).collect(),
        mails: mails.into_iter().map(|mail| of_mail(mail, zone, desk.locale)).collect(),
        resources: used.into_iter().map(|used| used.name).collect(),
        occurrences,
        booking: BookingView::new(desk, &booking, &events, seen),
    };
    desk.page(status, "desk/booking.html.j2", "day", notice, &facts)
}

impl BookingView {
    /// `seen` is the revision that a form had.
    pub fn new(desk: &Desk, booking: &Booking, events: &[BookingEvent], seen: Option<Rev>) -> Self {
        let customer = booking.customer.as_ref();
        let phone = customer.and_then(|customer| Some(customer.phone.as_ref()?.as_str().to_owned()));
        let is_digit = |c: &char| c.is_ascii_digit() || *c == '+';
        let since = events.iter().filter(|event| seen.is_some_and(|seen| event.rev > seen));
        let day = booking.start.date_naive().to_string();
        let note = booking.staff_note.as_ref().map(|note| note.as_str().to_owned());
        Self {
            when: When::new(booking.start.to_utc(), booking.end.to_utc(), booking.zone, desk.locale),
            status: booking.status.as_str(),
            service: booking.what(),
            price: (booking.service.price.minor > 0).then(|| price(booking.service.price, desk.locale)),
            staff: booking.staff.name.clone(),
            staff_href: desk.link(&format!("/week/{}", booking.staff.id), &[("date", &day)]),
            customer: customer
                .and_then(|customer| Some(customer.name.as_ref()?.as_str().to_owned()))
                .unwrap_or_default(),
            phone_digits: phone.iter().flat_map(|phone| phone.chars()).filter(is_digit).collect(),
            phone,
            email: customer.and_then(|customer| Some(customer.email.as_ref()?.as_str().to_owned())),
            customer_href: customer.map(|customer| desk.link(&format!("/customers/{}", customer.id), &[])),
            customer_note: booking.customer_note.as_str().trim().to_owned(),
            staff_note: note.unwrap_or_default(),
            rev: booking.rev.0,
            base: format!("{}desk/b/{}", desk.visit.root(), booking.id),
            since: since.map(|event| change(event, booking.zone, desk.locale)).collect(),
        }
    }
}

fn change(event: &BookingEvent, zone: Zone, locale: Locale) -> Change {
    let at = |instant| When::new(instant, instant, zone, locale).short;
    let moved = event.details.from.filter(|_| event.change.as_str() == "rescheduled");
    Change {
        kind: event.change.as_str(),
        by: event.actor.as_str(),
        at: at(event.at),
        from: moved.map(|from| at(from.start)),
        to: event.details.to.filter(|_| moved.is_some()).map(|to| at(to.start)),
        message: event.details.message.as_ref().map(|message| message.as_str().to_owned()),
        no_mail: event.details.no_mail,
        overridden: event.overridden,
    }
}

fn of_mail(mail: Notification, zone: Zone, locale: Locale) -> Mail {
    let at = mail.accepted_at.or(mail.next_try_at).unwrap_or(mail.send_at);
    Mail {
        kind: mail.kind.as_str(),
        state: mail.state.as_str(),
        to: mail.recipient.unwrap_or_default(),
        at: When::new(at, at, zone, locale).short,
        alert: matches!(
            mail.state,
            NotificationState::Failed | NotificationState::InDoubt | NotificationState::Expired
        ),
        reply: mail.reply.filter(|_| mail.state != NotificationState::Sent),
    }
}
