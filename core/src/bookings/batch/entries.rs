//! The entries of a batch: locks their keys and calendars, loads what decides, and decides each in order of arrival.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use punctual_queue::new_id;
use sqlx::PgConnection;
use uuid::Uuid;

use super::transaction::Stage;
use super::{Outcome, Pending, What};
use crate::batch_queue::LockMode;
use crate::bookings::place::{Placement, first_place, staff_for};
use crate::bookings::{Booker, Booking, NewBooking, Wanted, WantedSlot, calendars, held};
use crate::calendar::Limits;
use crate::customers::{self, AccountHolder};
use crate::idempotency::{self, Answer, KeyState, Request};
use crate::slots::{self, Board, ServiceTerms, StartQuery};
use crate::types::Actor;
use crate::{Error, Result, staff};

/// The entries of a batch and what became of them so far.
pub(super) struct Entries<'a> {
    pub(super) now: DateTime<Utc>,
    pub(super) entries: &'a [&'a Pending],
    mode: LockMode,
    pub(super) outcomes: Vec<Option<Outcome>>,
    /// Whether mails were planned; holds have none.
    pub(super) has_mails: bool,
}

/// A customer of a booking before its slot is decided.
#[derive(Clone, Copy)]
pub(super) enum Customer<'a> {
    Known(Uuid),
    NewAccountHolder(Uuid),
    Contact(&'a customers::Contact),
}

/// An entry that got its place.
pub(super) struct Accepted<'a> {
    pub(super) at: usize,
    pub(super) place: AcceptedPlace<'a>,
}

pub(super) enum AcceptedPlace<'a> {
    Slot { id: Uuid, placement: Placement<'a>, seats_before: i32 },
    Hold { new: &'a NewBooking, hold: held::Hold },
}

impl<'a> Entries<'a> {
    pub(super) fn new(now: DateTime<Utc>, entries: &'a [&'a Pending], mode: LockMode) -> Self {
        Self { now, entries, mode, outcomes: entries.iter().map(|_| None).collect(), has_mails: false }
    }

    /// Entries without an outcome, with their place.
    fn open(&self) -> impl Iterator<Item = (usize, &'a Pending)> {
        let open = self.outcomes.iter().map(Option::is_none);
        self.entries.iter().copied().enumerate().zip(open).filter_map(|(entry, open)| open.then_some(entry))
    }

    fn refuse(&mut self, at: usize, error: Error) {
        self.outcomes[at] = Some(Outcome::Reply(Err(error)));
    }

    pub(super) fn into_outcomes(self) -> Vec<Outcome> {
        let missing = || Outcome::Reply(Err(Error::internal("a batch of bookings", "no outcome")));
        self.outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(missing)).collect()
    }

    /// Returns whether there is something to commit.
    pub(super) async fn decide_and_store(
        &mut self,
        tx: &mut PgConnection,
        stage: &mut Stage,
    ) -> Result<bool> {
        self.lock_keys(tx).await?;
        let locked = self.lock_calendars(tx).await?;
        *stage = Stage::Working;
        if self.open().next().is_none() {
            return Ok(false);
        }
        self.check_guests_and_expire_holds(tx, &locked).await?;
        let customers = self.find_customers(tx).await?;
        let mut accepted = self.check_holds(tx).await?;
        let terms = self.load_terms(tx).await?;
        accepted.extend(self.decide_slots(tx, &terms).await?);
        if accepted.is_empty() {
            return Ok(false);
        }
        self.store(tx, accepted, &customers, &terms).await?;
        Ok(true)
    }

    /// Locks the idempotency keys and answers repeated requests.
    async fn lock_keys(&mut self, tx: &mut PgConnection) -> Result<()> {
        let keyed: Vec<(usize, &Request)> =
            self.open().filter_map(|(at, pending)| Some((at, pending.entry.request.as_ref()?))).collect();
        if keyed.is_empty() {
            return Ok(());
        }
        let requests: Vec<&Request> = keyed.iter().map(|(_, request)| *request).collect();
        let wait = self.mode == LockMode::Wait;
        let states = idempotency::lock_keys::<Booking>(tx, self.now, &requests, wait).await?;
        for ((at, _), state) in keyed.into_iter().zip(states) {
            self.outcomes[at] = match state {
                KeyState::Ours => None,
                KeyState::Locked => Some(Outcome::Locked(LockMode::Wait)),
                KeyState::Answered(value) => Some(Outcome::Reply(Ok(Answer { value, replayed: true }))),
                KeyState::Reused => Some(Outcome::Reply(Err(Error::IdempotencyKeyReused))),
            };
        }
        Ok(())
    }

    /// Locks the calendars of all entries by one statement and returns their ids.
    async fn lock_calendars(&mut self, tx: &mut PgConnection) -> Result<Vec<Uuid>> {
        let wanted: BTreeSet<Uuid> =
            self.open().flat_map(|(_, pending)| pending.entry.performers.iter().copied()).collect();
        let wanted: Vec<Uuid> = wanted.into_iter().collect();
        if wanted.is_empty() {
            return Ok(wanted);
        }
        let locked = staff::lock_for_batch(tx, &wanted, self.mode != LockMode::Skip).await?;
        if self.mode == LockMode::Skip && locked.len() < wanted.len() {
            let have: HashSet<Uuid> = locked.iter().copied().collect();
            let left: Vec<usize> = self
                .open()
                .filter(|(_, pending)| !pending.entry.performers.iter().all(|id| have.contains(id)))
                .map(|(at, _)| at)
                .collect();
            for at in left {
                self.outcomes[at] = Some(Outcome::Locked(LockMode::WaitForCalendars));
            }
        }
        Ok(locked)
    }

    /// Refuses guests unless the business allows booking without an account, and expires holds in these calendars whose
    /// time is up, for they would still keep others out by the constraint.
    async fn check_guests_and_expire_holds(&mut self, tx: &mut PgConnection, locked: &[Uuid]) -> Result<()> {
        let facts = sqlx::query!(
            r#"SELECT guests_allowed, EXISTS (
                   SELECT FROM bookings WHERE staff_id = ANY($1) AND status = 'held' AND hold_expires_at <= $2
               ) AS "dead_holds!"
               FROM settings"#,
            locked,
            self.now,
        )
        .fetch_optional(&mut *tx)
        .await?;
        let (guests_allowed, dead_holds) =
            facts.map_or((false, false), |facts| (facts.guests_allowed, facts.dead_holds));
        if !guests_allowed {
            let guests: Vec<usize> = self
                .open()
                .filter(|(_, pending)| matches!(pending.entry.actor, Actor::Guest))
                .map(|(at, _)| at)
                .collect();
            for at in guests {
                self.refuse(at, Error::LoginRequired);
            }
        }
        if dead_holds {
            calendars::expire_dead_holds(tx, self.now, locked).await?;
        }
        Ok(())
    }

    /// Finds the customers of the bookings and refuses those that cannot have one. New ones are inserted once the booking
    /// has its place.
    async fn find_customers(&mut self, tx: &mut PgConnection) -> Result<HashMap<usize, Customer<'a>>> {
        let bookings: Vec<(usize, &Actor, &'a Booker)> = self
            .open()
            .filter_map(|(at, pending)| match &pending.entry.what {
                What::Booking(new) => Some((at, &pending.entry.actor, &new.booker)),
                What::Hold(_) => None,
            })
            .collect();
        let user_ids: BTreeSet<Uuid> = bookings
            .iter()
            .filter(|(_, _, booker)| matches!(booker, Booker::Myself))
            .filter_map(|(_, actor, _)| actor.user_id())
            .collect();
        let user_ids: Vec<Uuid> = user_ids.into_iter().collect();
        let holders = if user_ids.is_empty() {
            HashMap::new()
        } else {
            customers::find_account_holders(tx, &user_ids).await?
        };
        let mut found = HashMap::with_capacity(bookings.len());
        for (at, actor, booker) in bookings {
            let customer = match (booker, actor.user_id()) {
                (Booker::Myself, None) => Err(Error::LoginRequired),
                (Booker::Myself, Some(user_id)) => match holders.get(&user_id) {
                    Some(AccountHolder::Known(id)) => Ok(Customer::Known(*id)),
                    Some(AccountHolder::New) => Ok(Customer::NewAccountHolder(user_id)),
                    None => Err(Error::SessionEnded),
                },
                (Booker::Customer(id), _) => match customers::on_file(tx, *id).await {
                    Err(Error::NotFound(what)) => Err(Error::NotFound(what)),
                    found => Ok(Customer::Known(found?)),
                },
                (Booker::Person(contact), _) => Ok(Customer::Contact(contact)),
            };
            match customer {
                Ok(customer) => drop(found.insert(at, customer)),
                Err(error) => self.refuse(at, error),
            }
        }
        Ok(found)
    }

    /// Locks the holds that are to be booked and refuses those that cannot be.
    async fn check_holds(&mut self, tx: &mut PgConnection) -> Result<Vec<Accepted<'a>>> {
        let holds: Vec<(usize, &'a Pending, &'a NewBooking, Uuid)> = self
            .open()
            .filter_map(|(at, pending)| match &pending.entry.what {
                What::Booking(new) => match new.slot {
                    Wanted::Hold(id) => Some((at, pending, new, id)),
                    Wanted::Slot(_) => None,
                },
                What::Hold(_) => None,
            })
            .collect();
        let mut accepted: Vec<Accepted<'a>> = Vec::with_capacity(holds.len());
        let mut seen = HashSet::new();
        for (at, pending, new, id) in holds {
            let checked = if seen.insert(id) {
                held::check(tx, self.now, &pending.entry.performers, id).await
            } else {
                Err(Error::HoldExpired)
            };
            match checked {
                Ok(hold) => accepted.push(Accepted { at, place: AcceptedPlace::Hold { new, hold } }),
                Err(error) => {
                    // An error of the database has aborted the transaction.
                    if sqlx::raw_sql("SELECT 1").execute(&mut *tx).await.is_err() {
                        return Err(error);
                    }
                    seen.remove(&id);
                    self.refuse(at, error);
                }
            }
        }
        Ok(accepted)
    }

    async fn load_terms(&self, tx: &mut PgConnection) -> Result<HashMap<Uuid, ServiceTerms>> {
        let service_ids: BTreeSet<Uuid> =
            self.open().filter_map(|(_, pending)| pending.slot()).map(|slot| slot.service_id).collect();
        if service_ids.is_empty() {
            return Ok(HashMap::new());
        }
        slots::terms_of(tx, &service_ids.into_iter().collect::<Vec<_>>()).await
    }

    /// Decides the entries that want a slot, in order of arrival.
    async fn decide_slots<'t>(
        &mut self,
        tx: &mut PgConnection,
        terms: &'t HashMap<Uuid, ServiceTerms>,
    ) -> Result<Vec<Accepted<'t>>>
    where
        'a: 't,
    {
        let mut wanted = Vec::new();
        let slots: Vec<(usize, &'a Pending, &'a WantedSlot)> =
            self.open().filter_map(|(at, pending)| Some((at, pending, pending.slot()?))).collect();
        for (at, pending, slot) in slots {
            match staff_for(terms.get(&slot.service_id), slot, &pending.entry.performers) {
                Ok((terms, staff_ids)) => wanted.push((at, pending, slot, terms, staff_ids)),
                Err(error) => self.refuse(at, error),
            }
        }
        let Some(zone) = wanted.first().map(|(_, _, _, terms, _)| terms.zone) else { return Ok(Vec::new()) };
        let starts: Vec<(DateTime<Utc>, &[Uuid])> =
            wanted.iter().map(|(_, _, slot, _, staff_ids)| (slot.start, staff_ids.as_slice())).collect();
        let mut board = Board::load(tx, self.now, zone, &starts).await?;
        let mut accepted = Vec::with_capacity(wanted.len());
        for (at, pending, slot, terms, staff_ids) in wanted {
            let query = StartQuery { start: slot.start, limits: pending.limits(), exclude: None };
            match first_place(board.check_start(self.now, terms, &staff_ids, query)) {
                Ok((staff_id, place)) => {
                    let id = new_id(self.now);
                    let seats_before = board.take(staff_id, &place, id, pending.held_until(self.now));
                    let placement = Placement { terms, staff_id, place };
                    accepted
                        .push(Accepted { at, place: AcceptedPlace::Slot { id, placement, seats_before } });
                }
                Err(error) => self.refuse(at, error),
            }
        }
        Ok(accepted)
    }
}

impl Pending {
    /// The slot it wants; none for a booking from a hold.
    fn slot(&self) -> Option<&WantedSlot> {
        match &self.entry.what {
            What::Booking(NewBooking { slot: Wanted::Slot(slot), .. }) => Some(slot),
            What::Booking(_) => None,
            What::Hold(new) => Some(&new.slot),
        }
    }

    fn limits(&self) -> Limits {
        match &self.entry.what {
            What::Booking(new) if new.overriding => Limits::Overridden,
            _ => Limits::Enforced,
        }
    }

    pub(super) fn held_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match &self.entry.what {
            What::Booking(_) => None,
            What::Hold(new) => Some(now + TimeDelta::minutes(i64::from(new.minutes))),
        }
    }
}
