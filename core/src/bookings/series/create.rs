//! Booking a series.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use punctual_queue::new_id;
use sqlx::PgConnection;
use uuid::Uuid;

use super::read::{StoredUnit, load};
use super::{COUNTS, Mode, NewSeries, SeriesMade};
use crate::advisory_lock::lock_names;
use crate::bookings::create::authorize;
use crate::bookings::mails;
use crate::bookings::performers::performers;
use crate::bookings::place::{Placement, first_place, staff_for};
use crate::bookings::together::{NewPlace, book_together, customer};
use crate::bookings::{Booker, RequestedSlot, SlotSource, calendars, resources};
use crate::calendar::{Every, Limits, Refusal, occurrences};
use crate::customers;
use crate::idempotency::{self, Answer, Claim, Guest, IdempotencyKey, Request};
use crate::slots::{self, LoadedCalendars, ServiceTerms, StartQuery};
use crate::transaction::{Outcome, Write, write};
use crate::types::{Actor, ParseError};
use crate::{Core, Error, Occurrence, Result, staff};

/// Books a series in one transaction; only staff may. The limits are those of a booking except notice and horizon, which are
/// for customers. The same member of staff performs all occurrences if possible.
///
/// # Errors
/// [`Error::SeriesConflict`] if an occurrence cannot be booked, or with [`Mode::Available`] none can; `Forbidden`,
/// `StaffOnly`; `Invalid`; `NotFound` for service, staff or customer; those of an idempotency key; `Overloaded`.
pub async fn create_series(
    core: &Core,
    actor: &Actor,
    key: &IdempotencyKey,
    new: NewSeries,
) -> Result<Answer<SeriesMade>> {
    let slot = check(actor, &new)?.clone();
    let request = Request::new("series.create", actor, Guest::Unknown, key, &new)?;
    let key_guard = request.lock(core).await?;
    match decide(core, actor, Some(request), new, &slot, key_guard).await? {
        Decided::Made(answer) => Ok(answer),
        Decided::Refused(occurrences) | Decided::Tried(occurrences) => {
            Err(Error::SeriesConflict(with_alternatives(core, &slot, occurrences).await))
        }
    }
}

/// The result that [`create_series`] would have now; books nothing.
///
/// # Errors
/// As [`create_series`], except `SeriesConflict`.
pub async fn try_series(core: &Core, actor: &Actor, new: NewSeries) -> Result<SeriesMade> {
    let slot = check(actor, &new)?.clone();
    match decide(core, actor, None, new, &slot, ()).await? {
        Decided::Made(answer) => Ok(answer.value),
        Decided::Refused(occurrences) | Decided::Tried(occurrences) => {
            let occurrences = with_alternatives(core, &slot, occurrences).await;
            Ok(SeriesMade { id: None, series: None, occurrences })
        }
    }
}

/// The slot of the first occurrence.
///
/// # Errors
/// `Forbidden`, `StaffOnly`, `Invalid`.
fn check<'a>(actor: &Actor, new: &'a NewSeries) -> Result<&'a RequestedSlot> {
    if !actor.is_staff() {
        return Err(Error::Forbidden);
    }
    authorize(actor, &new.first)?;
    let invalid =
        |pointer, code, message| Err(Error::Invalid { pointer, error: ParseError::new(code, message) });
    if matches!(new.first.booker, Booker::Myself) {
        return invalid("/customer_id", "required", "say for whom: send customer_id or contact");
    }
    if !COUNTS.contains(&new.count) {
        return invalid("/count", "out_of_range", "a series has 2 to 52 occurrences");
    }
    let (least, most) = match new.every {
        Every::Days(n) => (n, 366),
        Every::Weeks(n) => (n, 52),
        Every::Months(n) => (n, 12),
    };
    if least == 0 || least > most {
        return invalid("/every", "out_of_range", "every is 1 to 366 days, 1 to 52 weeks or 1 to 12 months");
    }
    match &new.first.slot {
        SlotSource::Slot(slot) => Ok(slot),
        SlotSource::Hold(_) => invalid("/hold_id", "conflict", "a series is booked without a hold"),
    }
}

async fn decide(
    core: &Core,
    actor: &Actor,
    request: Option<Request>,
    new: NewSeries,
    slot: &RequestedSlot,
    key_guard: impl Send + 'static,
) -> Result<Decided> {
    let performers = performers(core, slot).await?;
    let guards = calendars::lock_in_process(core, &performers).await?;
    let work = CreateSeries { actor: *actor, request, new, slot: slot.clone(), performers };
    write(core, Arc::new(work), (guards, key_guard)).await
}

struct CreateSeries {
    actor: Actor,
    /// None: nothing is booked.
    request: Option<Request>,
    new: NewSeries,
    slot: RequestedSlot,
    performers: Vec<Uuid>,
}

enum Decided {
    Made(Answer<SeriesMade>),
    Refused(Vec<Occurrence>),
    /// The result of a dry run.
    Tried(Vec<Occurrence>),
}

/// An occurrence that has a place, with its number.
type Placed<'a> = (i16, NewPlace<'a>);

impl Write for CreateSeries {
    type Output = Decided;

    async fn run(&self, tx: &mut PgConnection, now: DateTime<Utc>) -> Result<Outcome<Decided>> {
        if let Some(request) = &self.request
            && let Claim::Answered(value) = idempotency::claim(tx, now, request).await?
        {
            return Ok(Outcome::Unchanged(Decided::Made(Answer { value, replayed: true })));
        }
        staff::lock(tx, &self.performers).await?;
        if let Booker::Person(contact) = &self.new.first.booker {
            lock_names(tx, &[customers::contact_lock_name(contact)], true).await?;
        }
        let wanted = resources::ResourceChange {
            services: &[self.slot.service_id],
            bookings: &[],
            staff: &self.performers,
        };
        resources::lock(tx, now, wanted, true).await?;
        calendars::expire_dead_holds(tx, now, &self.performers).await?;
        let customer = customer(tx, now, &self.actor, &self.new.first.booker).await?;
        let terms = slots::terms_of(tx, &[self.slot.service_id], &self.performers)
            .await?
            .remove(&self.slot.service_id);
        let (terms, staff_ids) = staff_for(terms.as_ref(), &self.slot, &self.performers)?;
        let (placed, mut occurrences) = self.place(tx, now, terms, &staff_ids).await?;
        let conflict = match self.new.mode {
            Mode::All => placed.len() < occurrences.len(),
            Mode::Available => placed.is_empty(),
        };
        let Some(request) = &self.request else { return Ok(Outcome::Unchanged(Decided::Tried(occurrences))) };
        if conflict {
            return Ok(Outcome::Unchanged(Decided::Refused(occurrences)));
        }
        let booked = placed.iter().map(|(no, new)| (*no, new.id)).collect::<Vec<_>>();
        let id = new_id(now);
        let new = placed.into_iter().map(|(_, new)| new).collect();
        book_together(tx, now, &self.actor, &self.new.first, new, &customer).await?;
        self.number(tx, now, id, &booked).await?;
        for occurrence in &mut occurrences {
            occurrence.booking_id =
                booked.iter().find(|(no, _)| *no == occurrence.no).map(|(_, booking_id)| *booking_id);
        }
        let value = SeriesMade { id: Some(id), series: Some(load(tx, &self.actor, id).await?), occurrences };
        idempotency::store(tx, request, &value).await?;
        Ok(Outcome::Changed(Decided::Made(Answer { value, replayed: false }), mails::QUEUES))
    }
}

impl CreateSeries {
    /// Decides every occurrence in order. Each sees the places of those before it.
    async fn place<'t>(
        &self,
        tx: &mut PgConnection,
        now: DateTime<Utc>,
        terms: &'t ServiceTerms,
        staff_ids: &[Uuid],
    ) -> Result<(Vec<Placed<'t>>, Vec<Occurrence>)> {
        let starts = occurrences(terms.zone, self.slot.start, self.new.every, self.new.count);
        let wanted: Vec<(DateTime<Utc>, &[Uuid])> = starts.iter().map(|start| (*start, staff_ids)).collect();
        let mut loaded = LoadedCalendars::load(tx, now, terms.zone, &wanted, &[]).await?;
        let needing: Vec<_> = starts.iter().map(|start| (*start, terms)).collect();
        loaded.load_resources(tx, now, &needing, &[]).await?;
        let limits = if self.new.first.overriding { Limits::Overridden } else { Limits::Series };
        let (mut placed, mut decided): (Vec<Placed<'t>>, _) = (Vec::new(), Vec::with_capacity(starts.len()));
        for (no, start) in (1..).zip(starts) {
            let seats = self.slot.seats;
            let ask = StartQuery { start, seats, limits, exclude: None };
            let mut answers = loaded.check_start(now, terms, staff_ids, ask);
            // The member of staff of the first comes first; the sort keeps the order of the others.
            let known = placed.first().map(|(_, first)| first.placement.staff_id);
            answers.sort_by_key(|answer| Some(answer.staff_id) != known);
            let refusal = refusal_of(&answers);
            let mut occurrence = Occurrence {
                no,
                start: terms.zone.at(start),
                staff_id: None,
                booking_id: None,
                code: None,
                alternatives: Vec::new(),
            };
            match (first_place(answers), refusal) {
                (Ok((staff_id, place)), _) => {
                    let id = new_id(now);
                    let seats_before = loaded.take(staff_id, &place, (id, seats), None);
                    occurrence.staff_id = Some(staff_id);
                    let placement = Placement { terms, staff_id, place, seats };
                    placed.push((no, NewPlace { id, placement, seats_before }));
                }
                (Err(_), Some(refusal)) => occurrence.code = Some(refusal.code().to_owned()),
                (Err(error), None) => return Err(error),
            }
            decided.push(occurrence);
        }
        Ok((placed, decided))
    }

    /// Stores the series and the place of its bookings in it.
    async fn number(
        &self,
        tx: &mut PgConnection,
        now: DateTime<Utc>,
        series_id: Uuid,
        booked: &[(i16, Uuid)],
    ) -> Result<()> {
        let (numbers, booking_ids): (Vec<i16>, Vec<Uuid>) = booked.iter().copied().unzip();
        let (unit, n) = StoredUnit::of(self.new.every);
        let numbered = sqlx::query!(
            "WITH made AS (
                 INSERT INTO series (id, every_n, every_unit, wanted, created_at) VALUES ($1, $2, $3, $4, $5)
             )
             UPDATE bookings SET series_id = $1, series_no = i.no, series_start = lower(during)
             FROM unnest($6::uuid[], $7::smallint[]) AS i (id, no) WHERE bookings.id = i.id",
            series_id,
            n,
            unit as StoredUnit,
            i16::try_from(self.new.count).unwrap_or(i16::MAX),
            now,
            &booking_ids,
            &numbers,
        )
        .execute(tx)
        .await?;
        if usize::try_from(numbered.rows_affected()).ok() == Some(booking_ids.len()) {
            Ok(())
        } else {
            Err(Error::internal("making a series", "a booking is missing"))
        }
    }
}

/// The refusal as in [`first_place`]: `SlotTaken` if the slot is taken in one calendar, else the first.
pub(super) fn refusal_of(answers: &[slots::StaffAnswer]) -> Option<Refusal> {
    let mut refusals = answers.iter().filter_map(|answer| answer.place.err());
    let first = refusals.next();
    let is_taken = |refusal: &Refusal| matches!(refusal, Refusal::Taken | Refusal::ResourceTaken(_));
    if first.as_ref().is_some_and(is_taken) { first } else { refusals.find(is_taken).or(first) }
}

/// Adds slots near those occurrences that have no place. Runs after the transaction, so that no lock is held meanwhile.
async fn with_alternatives(
    core: &Core,
    slot: &RequestedSlot,
    mut occurrences: Vec<Occurrence>,
) -> Vec<Occurrence> {
    let now = core.now();
    let search = async {
        let mut db = core.pool.acquire().await?;
        let terms = slots::terms(&mut db, slot.service_id, slot.staff_id).await?.for_series();
        for occurrence in occurrences.iter_mut().filter(|occurrence| occurrence.code.is_some()) {
            let start = occurrence.start.to_utc();
            occurrence.alternatives =
                slots::alternatives(&mut db, now, &terms, start, slot.seats, None).await?;
        }
        Ok::<_, Error>(())
    };
    if let Err(error) = search.await {
        tracing::warn!(%error, "no alternatives for occurrences of a series");
    }
    occurrences
}
