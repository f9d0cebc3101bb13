use chrono::TimeDelta;
use poem::{Response, http::StatusCode};
use punctual_core::{
    Error,
    bookings::{BookingStatus, Managed},
    links::{Link, Purpose},
    wording::When,
};
use serde::Serialize;

use super::{Appointment, Page, Visit, appointment, calendar::WebCalendars, html, managed, shown};
use crate::{
    contract::Operation,
    http::problem::Problem,
    pages::{appointment::span, named},
};

/// `/m/{token}`
pub struct Show;

#[derive(Serialize)]
struct Facts {
    #[serde(flatten)]
    appointment: Appointment,
    /// Relative path of the page.
    base: String,
    notice: Option<&'static str>,
    /// `status` for success, `alert` for errors.
    notice_role: &'static str,
    can_cancel: bool,
    can_move: bool,
    /// Until when cancelling or moving was possible, if that has passed for an active booking.
    cancel_notice: Option<String>,
    move_notice: Option<String>,
    /// The deadline for cancelling or moving, while there is one.
    cancel_by: Option<String>,
    move_by: Option<String>,
    /// Whether the appointment is in the future: it has a calendar file, and its note can be changed.
    to_come: bool,
    google: String,
    outlook: String,
    /// The customer's note.
    note: String,
    /// Whether reminders of this booking are on; none if there is no choice.
    reminders: Option<bool>,
    /// Link to book the same again.
    again: Option<String>,
    /// The other bookings of its visit.
    rest_of_visit: Vec<Part>,
}

/// Another booking of the visit.
#[derive(Serialize)]
struct Part {
    href: String,
    when: When,
    service: String,
    staff: String,
    status: &'static str,
}

impl Page for Show {
    const OPERATION: &'static Operation = &named("pageManage");
    const PATTERN: &'static str = "/m/{token}";
    const POSTS: bool = false;

    async fn show(visit: Visit) -> Result<Response, Problem> {
        let managed = managed(&visit).await?;
        let status = managed.booking.status;
        // The notice must match the booking, whatever the URL says.
        let notice = match visit.query_param("done") {
            Some("cancelled") if status == BookingStatus::Cancelled => Some("notice_cancelled"),
            Some("booked") if status == BookingStatus::Confirmed => Some("notice_booked"),
            Some("booked" | "visit") if status == BookingStatus::Pending => Some("notice_requested"),
            // One of its other bookings may have to be confirmed.
            Some("visit") if status == BookingStatus::Confirmed => {
                let pending = managed.rest_of_visit.iter().any(|part| part.status == BookingStatus::Pending);
                Some(if pending { "notice_requested" } else { "notice_visit_booked" })
            }
            Some("reminders") if managed.booking.reminders => Some("notice_reminder_on"),
            Some("reminders") => Some("notice_reminder_off"),
            Some("noted") => Some("notice_noted"),
            Some("moved") if status == BookingStatus::Pending => Some("notice_move_requested"),
            Some("moved") if status == BookingStatus::Confirmed => Some("notice_moved"),
            _ => None,
        };
        let base = format!("./{}", visit.token);
        render(&visit, &managed, StatusCode::OK, base, notice.map(|notice| (notice, "status")))
    }
}

/// The booking with its possible actions; `base` is the relative path to `/m/{token}`, `notice` a message and its role.
pub(super) fn render(
    visit: &Visit,
    managed: &Managed,
    status: StatusCode,
    base: String,
    notice: Option<(&'static str, &'static str)>,
) -> Result<Response, Problem> {
    let to_come = managed.booking.status.blocks() && visit.state.core.now() < managed.booking.start;
    let passed = |can: bool, minutes: u32| (to_come && !can).then(|| span(minutes, managed.locale));
    let booking = &managed.booking;
    let calendars = WebCalendars::of(booking, &managed.business);
    let again = format!("{base}/../../book/{}/{}", booking.service.id, booking.staff.id);
    let again = Some(again).filter(|_| visit.state.config.booking_page);
    let rest = managed.rest_of_visit.iter().map(|part| {
        let link = Link { purpose: Purpose::Manage, id: part.id, epoch: part.link_epoch };
        Part {
            href: format!("{base}/../{}", link.token(&visit.state.links)),
            when: When::new(part.start, part.end, booking.zone, managed.locale),
            service: part.service.clone(),
            staff: part.staff.clone(),
            status: part.status.as_str(),
        }
    });
    let facts = Facts {
        rest_of_visit: rest.collect(),
        appointment: appointment(managed),
        base,
        notice: notice.map(|(words, _)| words),
        notice_role: notice.map_or("status", |(_, role)| role),
        can_cancel: managed.can_cancel,
        can_move: managed.can_move,
        cancel_notice: passed(managed.can_cancel, managed.cancel_notice_min),
        move_notice: passed(managed.can_move, managed.reschedule_notice_min),
        cancel_by: last_moment(managed, managed.can_cancel, managed.cancel_notice_min),
        move_by: last_moment(managed, managed.can_move, managed.reschedule_notice_min),
        to_come,
        google: calendars.google,
        outlook: calendars.outlook,
        reminders: (to_come && managed.wants_any_reminders && managed.has_reminders)
            .then_some(booking.reminders),
        note: managed.booking.customer_note.as_str().to_owned(),
        again,
    };
    html::show(status, "manage.html.j2", managed.locale, &facts, &shown(managed))
}

/// A deadline some time before the start, in the business's zone.
fn last_moment(managed: &Managed, possible: bool, notice_min: u32) -> Option<String> {
    let booking = &managed.booking;
    let until = booking.start.to_utc() - TimeDelta::minutes(i64::from(notice_min));
    let words = When::new(until, until, booking.zone, managed.locale);
    (possible && notice_min > 0).then_some(words.short)
}

/// After a refused change: the booking's current state and the reason. Other errors are returned.
pub(super) async fn unchanged(visit: &Visit, error: Error) -> Result<Response, Problem> {
    let notice = match error {
        Error::RevMismatch { .. } => "notice_stale",
        Error::InvalidTransition { .. } => "notice_not_possible",
        Error::NoticePassed => "notice_too_late",
        error => return Err(error.into()),
    };
    let status = Problem::from(error).code.status();
    let base = format!("../{}", visit.token);
    render(visit, &managed(visit).await?, status, base, Some((notice, "alert")))
}
