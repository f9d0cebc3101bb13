//! Changing the status of a booking.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::audit::{BookingChange, write_booking};
use super::read::visible;
use super::row::{self, Row};
use super::transitions::is_for_staff;
use super::{Booking, BookingStatus, StaffMessage, calendars, mails, place};
use crate::calendar::Limits;
use crate::pool::again_if_cut;
use crate::transaction::{Outcome, Write, write};
use crate::types::{Actor, BookingAction, ChangeKind, EventDetails, ExpectedRev};
use crate::{Core, Error, Result, slots, staff};

/// Executes `action` and returns the booking after it.
pub(super) async fn change_status(
    core: &Core,
    actor: &Actor,
    id: Uuid,
    expected: ExpectedRev,
    action: BookingAction,
    options: StatusOptions,
) -> Result<Booking> {
    let options = &options;
    calendars::follow(core, id, || async move {
        let staff_id = again_if_cut(|| visible(core, actor, id)).await?.booking.staff.id;
        if is_for_staff(action) && !actor.is_staff() {
            return Err(Error::Forbidden);
        }
        options.message.authorize(actor)?;
        let guards = calendars::lock_in_process(core, &[staff_id]).await?;
        let work = ChangeStatus { actor: *actor, id, staff_id, expected, action, options: options.clone() };
        write(core, Arc::new(work), guards).await
    })
    .await
}

struct ChangeStatus {
    actor: Actor,
    id: Uuid,
    staff_id: Uuid,
    expected: ExpectedRev,
    action: BookingAction,
    options: StatusOptions,
}

/// Options of a change of status.
#[derive(Clone, Default)]
pub(super) struct StatusOptions {
    /// Message of staff to the customer.
    pub message: StaffMessage,
    /// Whether staff confirm a booking outside open hours.
    pub overriding: bool,
}

impl Write for ChangeStatus {
    /// None: the booking was moved to other staff, whose calendar is not locked.
    type Output = Option<Booking>;

    async fn run(&self, tx: &mut PgConnection, now: DateTime<Utc>) -> Result<Outcome<Self::Output>> {
        staff::lock(tx, &[self.staff_id]).await?;
        let row = locked(tx, &self.actor, self.id).await?;
        if row.booking.staff.id != self.staff_id {
            return Ok(Outcome::Unchanged(None));
        }
        if self.action == BookingAction::Cancel && row.booking.status == BookingStatus::Cancelled {
            return Ok(Outcome::Unchanged(Some(row.seen_by(&self.actor))));
        }
        let to = next_status(&row, &self.actor, self.expected, self.action, now)?;
        let service_id = row.booking.service.id;
        let reminders = match self.action {
            BookingAction::Cancel => {
                let terms = slots::terms(tx, service_id, None).await?;
                require_notice(&row, &self.actor, terms.cancel_notice_min, now)?;
                Vec::new()
            }
            BookingAction::Confirm => {
                let limits = if self.options.overriding { Limits::Overridden } else { Limits::Enforced };
                place::still_fits(tx, now, &row.booking, limits).await?;
                slots::terms(tx, service_id, None).await?.reminders
            }
            _ => Vec::new(),
        };
        let change = BookingChange {
            details: EventDetails::default().with_message(&self.options.message),
            overridden: self.options.overriding,
            ..BookingChange::in_place(kind_of(self.action), &self.actor)
        };
        let row = put_status(tx, now, &row, to, &change).await?;
        mails::plan(tx, now, &row, &change, &reminders).await?;
        Ok(Outcome::Changed(Some(row.seen_by(&self.actor)), mails::QUEUES))
    }
}

/// Stores the new status of a locked booking.
pub(super) async fn put_status(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    row: &Row,
    to: BookingStatus,
    change: &BookingChange<'_>,
) -> Result<Row> {
    write_booking!(
        "UPDATE bookings SET status = $9, rev = rev + 1, updated_at = $6 WHERE id = $7 AND rev = $8",
        now,
        change,
        row.booking.id,
        row.booking.rev.0,
        to as BookingStatus,
    )
    .fetch_optional(tx)
    .await?
    .ok_or_else(|| Error::internal("changing a status", "the booking changed under its lock"))
}

/// The audit trail's name of an action.
fn kind_of(action: BookingAction) -> ChangeKind {
    match action {
        BookingAction::Confirm => ChangeKind::Confirmed,
        BookingAction::Cancel => ChangeKind::Cancelled,
        BookingAction::Decline => ChangeKind::Declined,
        BookingAction::Complete => ChangeKind::Completed,
        BookingAction::NoShow => ChangeKind::NoShow,
        BookingAction::Expire => ChangeKind::Expired,
        BookingAction::Book => ChangeKind::Booked,
        BookingAction::Reschedule => ChangeKind::Rescheduled,
        BookingAction::Update => ChangeKind::Updated,
    }
}

/// Locks the booking, if the actor may see it.
pub(super) async fn locked(tx: &mut PgConnection, actor: &Actor, id: Uuid) -> Result<Row> {
    row::lock(tx, id).await?.filter(|row| row.is_visible_to(actor)).ok_or(Error::NotFound("booking"))
}

/// The status after the action.
///
/// # Errors
/// `RevMismatch` if the booking is not of the expected revision; `InvalidTransition` if its status does not allow the
/// action.
pub(super) fn next_status(
    row: &Row,
    actor: &Actor,
    expected: ExpectedRev,
    action: BookingAction,
    now: DateTime<Utc>,
) -> Result<BookingStatus> {
    if !expected.matches(row.booking.rev) {
        return Err(Error::RevMismatch { current: row.booking.rev });
    }
    row.status_at().after(action, now).and_then(|to| to.first().copied()).ok_or_else(|| {
        Error::InvalidTransition { from: row.booking.status, allowed: row.status_at().allowed(actor, now) }
    })
}

/// Checks the notice: customers may change a booking until this many minutes before its start, inclusive; staff at any time.
///
/// # Errors
/// `NoticePassed`.
pub(super) fn require_notice(row: &Row, actor: &Actor, notice_min: u32, now: DateTime<Utc>) -> Result<()> {
    let late = row.booking.start.to_utc() - now < TimeDelta::minutes(i64::from(notice_min));
    if late && !actor.is_staff() { Err(Error::NoticePassed) } else { Ok(()) }
}
