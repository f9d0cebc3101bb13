//! Moving a whole class.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{ClassAt, lock_participants};
use crate::bookings::audit::BookingChange;
use crate::bookings::place::{Placement, first_place};
use crate::bookings::row::Row;
use crate::bookings::{Booking, StaffMessage, calendars, mails, reschedule, resources};
use crate::calendar::Limits;
use crate::slots::{self, ServiceTerms, StartQuery};
use crate::transaction::{Outcome, Write, write};
use crate::types::{Actor, BookingAction, ChangeKind, EventDetails, Money, Position};
use crate::{Core, Error, Result, services, staff};

/// Where a class is moved to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassMove {
    /// New start.
    pub start: DateTime<Utc>,
    /// New member of staff; none: the same as before.
    pub staff_id: Option<Uuid>,
    /// Bypass grid, hours, notice and horizon, never another booking.
    pub overriding: bool,
    /// What staff tell the customers.
    pub message: StaffMessage,
}

/// Moves all pending and confirmed bookings of a class, each under the terms it was promised and with one mail that carries
/// the message, all or none, in one transaction. Its holds are given up. A class of a timetable is called off at its start
/// and planned at the new one, where its weekly starts need not be. Returned are the bookings, by seat.
///
/// # Errors
/// [`Error::Forbidden`]; [`Error::NotFound`] for a class without bookings, and for staff who do not perform the service;
/// [`Error::InvalidTransition`] for a class that has begun; [`Error::SlotTaken`] also when another class there has too few
/// seats left; the other refusals of the calendar; [`Error::Overloaded`].
pub async fn move_class(core: &Core, actor: &Actor, class: ClassAt, to: ClassMove) -> Result<Vec<Booking>> {
    if !actor.is_staff() {
        return Err(Error::Forbidden);
    }
    let staff_ids = [class.staff_id, to.staff_id.unwrap_or(class.staff_id)];
    let guards = calendars::lock_in_process(core, &staff_ids).await?;
    write(core, Arc::new(MoveClass { actor: *actor, class, to }), guards).await
}

struct MoveClass {
    actor: Actor,
    class: ClassAt,
    to: ClassMove,
}

impl Write for MoveClass {
    type Output = Vec<Booking>;

    async fn run(&self, tx: &mut PgConnection, now: DateTime<Utc>) -> Result<Outcome<Self::Output>> {
        let service_id = self.class.service_id;
        let staff_id = self.to.staff_id.unwrap_or(self.class.staff_id);
        staff::lock(tx, &[self.class.staff_id, staff_id]).await?;
        calendars::expire_dead_holds(tx, now, &[self.class.staff_id, staff_id]).await?;
        let rows = lock_participants(tx, now, self.class).await?;
        let Some(first) = rows.first() else { return Err(Error::NotFound("class")) };
        let from = Position { start: self.class.start, staff_id: self.class.staff_id };
        let to = Position { start: self.to.start, staff_id };
        if from == to {
            let same = rows.into_iter().map(|row| row.seen_by(&self.actor));
            return Ok(Outcome::Unchanged(same.collect()));
        }
        for row in &rows {
            if row.status_at().after(BookingAction::Reschedule, now).is_none() {
                let allowed = row.status_at().allowed(&self.actor, now);
                return Err(Error::InvalidTransition { from: row.booking.status, allowed });
            }
        }
        let terms = slots::terms_of_booking(tx, first.booking.id, service_id, Some(staff_id)).await?;
        if terms.rules.timetabled {
            services::put_date(tx, service_id, from.staff_id, from.start, false).await?;
            services::put_date(tx, service_id, to.staff_id, to.start, true).await?;
            services::count_up(tx, now, service_id).await?;
        }
        let ask = StartQuery {
            start: to.start,
            seats: rows.iter().map(|row| row.booking.seats.unsigned_abs()).sum(),
            limits: if self.to.overriding { Limits::Overridden } else { Limits::Enforced },
            // A one-to-one booking is a class of its own.
            exclude: Some(if rows.len() == 1 { first.booking.id } else { self.class.id() }),
        };
        let (staff_id, place) = first_place(slots::check_start(tx, now, &terms, &[staff_id], ask).await?)?;
        // The old and the new time may overlap: no booking of the class blocks while they are moved one by one.
        let ids: Vec<Uuid> = rows.iter().map(|row| row.booking.id).collect();
        resources::release(tx, &ids).await?;
        sqlx::query!("UPDATE bookings SET status = 'expired' WHERE id = ANY($1)", &ids)
            .execute(&mut *tx)
            .await?;
        let mut moved = Vec::with_capacity(rows.len());
        for row in &rows {
            let seats = row.booking.seats.unsigned_abs();
            let own = promised(&terms, row);
            let placement = Placement { terms: &own, staff_id, place, seats };
            let change = BookingChange {
                kind: ChangeKind::Rescheduled,
                actor: &self.actor,
                overridden: self.to.overriding,
                details: EventDetails {
                    from: Some(from),
                    ..placement.details().with_message(&self.to.message)
                },
            };
            let row = reschedule::put(tx, now, row, &placement, row.booking.status, &change).await?;
            resources::allocate(tx, [(row.booking.id, &placement)].into_iter()).await?;
            mails::plan(tx, now, &row, &change, &own.reminders).await?;
            moved.push(row.seen_by(&self.actor));
        }
        Ok(Outcome::Changed(moved, mails::QUEUES))
    }
}

/// The terms with the name and the price that this booking was promised.
fn promised(terms: &ServiceTerms, row: &Row) -> ServiceTerms {
    let Money { minor, currency } = row.booking.service.price;
    let minor = minor / i64::from(row.booking.seats.max(1));
    ServiceTerms { name: row.booking.service.name.clone(), price: Money { minor, currency }, ..terms.clone() }
}
