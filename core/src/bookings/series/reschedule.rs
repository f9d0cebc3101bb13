//! Moving the occurrences of a series from a number on.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::create::refusal_of;
use super::locked::{has_begun, kept, lock, place_of, staff_of, stands};
use super::read::load;
use super::{MoveSeries, SeriesChange, UnchangedOccurrence, UnchangedReason};
use crate::bookings::audit::BookingChange;
use crate::bookings::change_status::next_status;
use crate::bookings::mails::{self, NewBookingMails};
use crate::bookings::mails_of_several::plan_together;
use crate::bookings::place::{Placement, first_place};
use crate::bookings::reschedule::put;
use crate::bookings::row::Row;
use crate::bookings::{calendars, resources};
use crate::calendar::{Limits, moved_occurrence};
use crate::slots::{self, LoadedCalendars, ServiceTerms, StartQuery};
use crate::transaction::{Outcome, Write, write};
use crate::types::{Actor, BookingAction, ChangeKind, EventDetails, ExpectedRev, ParseError, Position};
use crate::{Core, Error, Occurrence, Result};

/// Moves the active future occurrences from number `from` on, all or none, in one transaction; only staff may. An
/// individually moved one is not moved, unless it is that of number `from`. Each keeps its promised terms. The limits are
/// those of [`super::create_series`].
///
/// # Errors
/// [`Error::SeriesConflict`] with each of them if one has no place; `Forbidden`; `NotFound` for the series, the number or the
/// member of staff; `RevMismatch`; `InvalidTransition` if the one of number `from` cannot be moved; `Overloaded`.
pub async fn move_series(
    core: &Core,
    actor: &Actor,
    id: Uuid,
    expected: ExpectedRev,
    to: MoveSeries,
) -> Result<SeriesChange> {
    reschedule(core, actor, id, expected, to, false).await
}

/// What [`move_series`] would do now; nothing is changed. The series of the answer is as it would be afterwards.
///
/// # Errors
/// As [`move_series`].
pub async fn try_move_series(
    core: &Core,
    actor: &Actor,
    id: Uuid,
    expected: ExpectedRev,
    to: MoveSeries,
) -> Result<SeriesChange> {
    reschedule(core, actor, id, expected, to, true).await
}

async fn reschedule(
    core: &Core,
    actor: &Actor,
    id: Uuid,
    expected: ExpectedRev,
    to: MoveSeries,
    dry_run: bool,
) -> Result<SeriesChange> {
    if !actor.is_staff() || matches!(actor, Actor::StaffLink { .. }) {
        return Err(Error::Forbidden);
    }
    let to = &to;
    let moved = calendars::follow(core, id, || async move {
        let mut staff_ids = staff_of(core, id).await?;
        staff_ids.extend(to.staff_id.filter(|id| !staff_ids.contains(id)));
        let guards = calendars::lock_in_process(core, &staff_ids).await?;
        let work = Reschedule { actor: *actor, id, expected, to: to.clone(), dry_run, staff_ids };
        write(core, Arc::new(work), guards).await
    })
    .await;
    match moved {
        Err(Error::SeriesConflict(occurrences)) => {
            Err(Error::SeriesConflict(with_alternatives(core, to.staff_id, occurrences).await))
        }
        done => done,
    }
}

struct Reschedule {
    actor: Actor,
    id: Uuid,
    expected: ExpectedRev,
    to: MoveSeries,
    /// Whether all is rolled back.
    dry_run: bool,
    /// The members of staff as read before the lock, and the new one.
    staff_ids: Vec<Uuid>,
}

/// An occurrence to move.
struct Target<'a> {
    no: i16,
    row: &'a Row,
    start: DateTime<Utc>,
    terms: ServiceTerms,
    staff_ids: [Uuid; 1],
}

impl Write for Reschedule {
    /// None: a booking was moved to other staff, whose calendar is not locked.
    type Output = Option<SeriesChange>;

    async fn run(&self, tx: &mut PgConnection, now: DateTime<Utc>) -> Result<Outcome<Self::Output>> {
        let Some(rows) = lock(tx, now, &self.actor, self.id, self.expected, &self.staff_ids).await? else {
            return Ok(Outcome::Unchanged(None));
        };
        let (targets, kept) = self.targets(tx, now, &rows).await?;
        if targets.is_empty() {
            let series = load(tx, &self.actor, self.id).await?;
            return Ok(Outcome::Unchanged(Some(SeriesChange { series, changed: Vec::new(), kept })));
        }
        calendars::expire_dead_holds(tx, now, &self.staff_ids).await?;
        let placements = self.place(tx, now, &targets).await?;
        let moved = self.store(tx, now, &targets, &placements).await?;
        let span = tracing::Span::current();
        let with_mails: Vec<NewBookingMails<'_>> = moved
            .iter()
            .zip(&targets)
            .map(|((row, change), target)| NewBookingMails {
                row,
                change,
                rules: &target.terms.reminders,
                span: &span,
            })
            .collect();
        plan_together(tx, now, &with_mails).await?;
        let changed = moved.iter().map(|(row, _)| row.booking.id).collect();
        let series = load(tx, &self.actor, self.id).await?;
        let done = Some(SeriesChange { series, changed, kept });
        Ok(if self.dry_run { Outcome::Unchanged(done) } else { Outcome::Changed(done, mails::QUEUES) })
    }
}

impl Reschedule {
    /// The occurrences to move with their targets, and those that are not moved.
    async fn targets<'a>(
        &self,
        tx: &mut PgConnection,
        now: DateTime<Utc>,
        rows: &'a [Row],
    ) -> Result<(Vec<Target<'a>>, Vec<UnchangedOccurrence>)> {
        let is_first = |row: &&Row| row.booking.series.is_some_and(|place| place.no == self.to.from);
        let first = rows.iter().find(is_first).ok_or(Error::NotFound("occurrence"))?;
        next_status(first, &self.actor, ExpectedRev::Any, BookingAction::Reschedule, now)?;
        let zone = first.booking.zone;
        let wall = zone.wall(self.to.start);
        let by = wall.date() - zone.wall(place_of(first)?.planned_start.to_utc()).date();
        let (mut targets, mut stay) = (Vec::new(), Vec::new());
        for row in rows.iter().filter(|row| stands(row)) {
            let (place, booking) = (place_of(row)?, &row.booking);
            if place.no < self.to.from {
                continue;
            }
            if has_begun(row, now) {
                stay.push(kept(row, place, UnchangedReason::Begun));
                continue;
            }
            if place.moved && place.no != self.to.from {
                stay.push(kept(row, place, UnchangedReason::MovedByItself));
                continue;
            }
            let staff_id = self.to.staff_id.unwrap_or(booking.staff.id);
            let start = if place.no == self.to.from {
                self.to.start
            } else {
                moved_occurrence(zone, place.planned_start.to_utc(), by, wall.time())
            };
            if booking.start.to_utc() == start && booking.staff.id == staff_id {
                continue;
            }
            let terms = self.terms(tx, row, staff_id).await?;
            targets.push(Target { no: place.no, row, start, terms, staff_ids: [staff_id] });
        }
        Ok((targets, stay))
    }

    async fn terms(&self, tx: &mut PgConnection, row: &Row, staff_id: Uuid) -> Result<ServiceTerms> {
        let booking = &row.booking;
        match slots::terms_of_booking(tx, booking.id, booking.service.id, Some(staff_id)).await {
            // The request names no member of staff: this is the booking's own.
            Err(Error::NotFound("staff")) if self.to.staff_id.is_none() => Err(Error::Invalid {
                pointer: "/staff_id",
                error: ParseError::new(
                    "staff_unavailable",
                    "the member of staff of a booking no longer performs this service: name another one",
                ),
            }),
            terms => terms,
        }
    }

    /// Decides all of them, in order. The places that they leave count as free.
    async fn place<'t>(
        &self,
        tx: &mut PgConnection,
        now: DateTime<Utc>,
        targets: &'t [Target<'_>],
    ) -> Result<Vec<Placement<'t>>> {
        let leaving: Vec<Uuid> = targets.iter().map(|target| target.row.booking.id).collect();
        let wanted: Vec<(DateTime<Utc>, &[Uuid])> =
            targets.iter().map(|target| (target.start, target.staff_ids.as_slice())).collect();
        let Some(zone) = targets.first().map(|target| target.terms.zone) else { return Ok(Vec::new()) };
        let mut loaded = LoadedCalendars::load(tx, now, zone, &wanted, &leaving).await?;
        let needing: Vec<_> = targets.iter().map(|target| (target.start, &target.terms)).collect();
        loaded.load_resources(tx, now, &needing, &leaving).await?;
        let limits = if self.to.overriding { Limits::Overridden } else { Limits::Series };
        let (mut placements, mut occurrences) = (Vec::new(), Vec::new());
        for target in targets {
            let seats = target.row.booking.seats.unsigned_abs();
            let ask = StartQuery { start: target.start, seats, limits, exclude: None };
            let answers = loaded.check_start(now, &target.terms, &target.staff_ids, ask);
            let refusal = refusal_of(&answers);
            let mut occurrence = Occurrence {
                no: target.no,
                start: zone.at(target.start),
                staff_id: None,
                booking_id: Some(target.row.booking.id),
                code: None,
                alternatives: Vec::new(),
            };
            match (first_place(answers), refusal) {
                (Ok((staff_id, place)), _) => {
                    loaded.take(staff_id, &place, (target.row.booking.id, seats), None);
                    occurrence.staff_id = Some(staff_id);
                    placements.push(Placement { terms: &target.terms, staff_id, place, seats });
                }
                (Err(_), Some(refusal)) => occurrence.code = Some(refusal.code().to_owned()),
                (Err(error), None) => return Err(error),
            }
            occurrences.push(occurrence);
        }
        if placements.len() < targets.len() {
            Err(Error::SeriesConflict(occurrences))
        } else {
            Ok(placements)
        }
    }

    /// Stores the new places, in the order of the targets.
    async fn store<'a>(
        &'a self,
        tx: &mut PgConnection,
        now: DateTime<Utc>,
        targets: &[Target<'_>],
        placements: &[Placement<'_>],
    ) -> Result<Vec<(Row, BookingChange<'a>)>> {
        let ids: Vec<Uuid> = targets.iter().map(|target| target.row.booking.id).collect();
        // One may take the place that another leaves: all leave theirs first, or a constraint would refuse the first of them.
        sqlx::query!("UPDATE bookings SET status = 'cancelled' WHERE id = ANY($1)", &ids)
            .execute(&mut *tx)
            .await?;
        resources::release(tx, &ids).await?;
        let mut moved = Vec::with_capacity(targets.len());
        for (target, placement) in targets.iter().zip(placements) {
            let booking = &target.row.booking;
            let from = Position { start: booking.start.to_utc(), staff_id: booking.staff.id };
            let change = BookingChange {
                kind: ChangeKind::Rescheduled,
                actor: &self.actor,
                overridden: self.to.overriding,
                details: EventDetails {
                    from: Some(from),
                    ..placement.details().with_message(&self.to.message)
                },
            };
            let row = put(tx, now, target.row, placement, booking.status, &change).await?;
            moved.push((row, change));
        }
        resources::allocate(tx, ids.iter().copied().zip(placements)).await?;
        sqlx::query!("UPDATE bookings SET series_start = lower(during) WHERE id = ANY($1)", &ids)
            .execute(tx)
            .await?;
        Ok(moved)
    }
}

/// Adds slots near those that have no place. Runs after the transaction, so that no lock is held meanwhile.
async fn with_alternatives(
    core: &Core,
    staff_id: Option<Uuid>,
    mut occurrences: Vec<Occurrence>,
) -> Vec<Occurrence> {
    let now = core.now();
    let search = async {
        let mut db = core.pool.acquire().await?;
        for occurrence in occurrences.iter_mut().filter(|occurrence| occurrence.code.is_some()) {
            let Some(id) = occurrence.booking_id else { continue };
            let booking = sqlx::query!("SELECT service_id, staff_id, seats FROM bookings WHERE id = $1", id)
                .fetch_one(&mut *db)
                .await?;
            let staff_id = Some(staff_id.unwrap_or(booking.staff_id));
            let terms =
                slots::terms_of_booking(&mut db, id, booking.service_id, staff_id).await?.for_series();
            let start = occurrence.start.to_utc();
            occurrence.alternatives =
                slots::alternatives(&mut db, now, &terms, start, booking.seats.unsigned_abs(), Some(id))
                    .await?;
        }
        Ok::<_, Error>(())
    };
    if let Err(error) = search.await {
        tracing::warn!(%error, "no alternatives for occurrences of a series");
    }
    occurrences
}
