//! Cancelling the occurrences of a series from a number on.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::locked::{has_begun, kept, lock, place_of, staff_of, stands};
use super::read::load;
use super::{SeriesChange, UnchangedReason};
use crate::bookings::audit::BookingChange;
use crate::bookings::change_status::{next_status, put_status, require_notice};
use crate::bookings::mails::{self, NewBookingMails};
use crate::bookings::mails_of_several::plan_together;
use crate::bookings::{StaffMessage, calendars};
use crate::slots;
use crate::transaction::{Outcome, Write, write};
use crate::types::{Actor, BookingAction, ChangeKind, EventDetails, ExpectedRev};
use crate::{Core, Error, Result};

/// Cancels the active occurrences from number `from` on in one transaction, including individually moved ones.
/// Occurrences that have begun and, for customers, those whose notice has passed are kept and listed in the answer. It is
/// no error if there is nothing to cancel.
///
/// # Errors
/// `NotFound`; `RevMismatch`; `StaffOnly` for a message of a customer; `Overloaded`.
pub async fn cancel_series(
    core: &Core,
    actor: &Actor,
    id: Uuid,
    from: i16,
    expected: ExpectedRev,
    message: StaffMessage,
) -> Result<SeriesChange> {
    cancel(core, actor, id, from, expected, message, false).await
}

/// What [`cancel_series`] would do now; nothing is changed. The series of the answer is as it would be afterwards.
///
/// # Errors
/// As [`cancel_series`].
pub async fn try_cancel_series(
    core: &Core,
    actor: &Actor,
    id: Uuid,
    from: i16,
    expected: ExpectedRev,
) -> Result<SeriesChange> {
    cancel(core, actor, id, from, expected, StaffMessage::default(), true).await
}

async fn cancel(
    core: &Core,
    actor: &Actor,
    id: Uuid,
    from: i16,
    expected: ExpectedRev,
    message: StaffMessage,
    dry_run: bool,
) -> Result<SeriesChange> {
    message.authorize(actor)?;
    let message = &message;
    calendars::follow(core, id, || async move {
        let staff_ids = staff_of(core, id).await?;
        let guards = calendars::lock_in_process(core, &staff_ids).await?;
        let work =
            CancelSeries { actor: *actor, id, from, expected, message: message.clone(), dry_run, staff_ids };
        write(core, Arc::new(work), guards).await
    })
    .await
}

struct CancelSeries {
    actor: Actor,
    id: Uuid,
    from: i16,
    expected: ExpectedRev,
    message: StaffMessage,
    /// Whether all is rolled back.
    dry_run: bool,
    /// The members of staff as read before the lock.
    staff_ids: Vec<Uuid>,
}

impl Write for CancelSeries {
    /// None: a booking was moved to other staff, whose calendar is not locked.
    type Output = Option<SeriesChange>;

    async fn run(&self, tx: &mut PgConnection, now: DateTime<Utc>) -> Result<Outcome<Self::Output>> {
        let Some(rows) = lock(tx, now, &self.actor, self.id, self.expected, &self.staff_ids).await? else {
            return Ok(Outcome::Unchanged(None));
        };
        let service_ids: BTreeSet<Uuid> = rows.iter().map(|row| row.booking.service.id).collect();
        // Only the notice of the terms is used.
        let terms = slots::terms_of(tx, &service_ids.into_iter().collect::<Vec<_>>(), &[]).await?;
        let (mut stay, mut cancelled) = (Vec::new(), Vec::new());
        for row in rows.iter().filter(|row| stands(row)) {
            let place = place_of(row)?;
            if place.no < self.from {
                continue;
            }
            let notice = terms.get(&row.booking.service.id).map_or(0, |terms| terms.cancel_notice_min);
            match require_notice(row, &self.actor, notice, now) {
                _ if has_begun(row, now) => stay.push(kept(row, place, UnchangedReason::Begun)),
                Err(Error::NoticePassed) => stay.push(kept(row, place, UnchangedReason::NoticePassed)),
                Err(error) => return Err(error),
                Ok(()) => {
                    let to = next_status(row, &self.actor, ExpectedRev::Any, BookingAction::Cancel, now)?;
                    let change = BookingChange {
                        details: EventDetails::default().with_message(&self.message),
                        ..BookingChange::in_place(ChangeKind::Cancelled, &self.actor)
                    };
                    let row = put_status(tx, now, row, to, &change).await?;
                    cancelled.push((row, change));
                }
            }
        }
        let span = tracing::Span::current();
        let with_mails: Vec<NewBookingMails<'_>> = cancelled
            .iter()
            .map(|(row, change)| NewBookingMails { row, change, rules: &[], span: &span })
            .collect();
        plan_together(tx, now, &with_mails).await?;
        let changed: Vec<Uuid> = cancelled.iter().map(|(row, _)| row.booking.id).collect();
        let done = SeriesChange { series: load(tx, &self.actor, self.id).await?, changed, kept: stay };
        Ok(if done.changed.is_empty() || self.dry_run {
            Outcome::Unchanged(Some(done))
        } else {
            Outcome::Changed(Some(done), mails::QUEUES)
        })
    }
}
