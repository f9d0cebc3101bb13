//! The entries of a batch, and the locks that they take: keys, calendars, then holders and addresses.

use std::collections::{BTreeSet, HashSet};

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::entry::{Outcome, Pending, Stage};
use crate::advisory_lock::lock_names;
use crate::batch_queue::LockMode;
use crate::bookings::{Booking, calendars, resources};
use crate::idempotency::{self, Answer, KeyState, Request};
use crate::types::Actor;
use crate::{Error, Result, staff};

/// The entries of a batch and their outcomes so far.
pub(super) struct Entries<'a> {
    pub(super) now: DateTime<Utc>,
    pub(super) pending: &'a [&'a Pending],
    mode: LockMode,
    pub(super) outcomes: Vec<Option<Outcome>>,
    /// Whether mails were planned; holds have none.
    pub(super) has_mails: bool,
}

impl<'a> Entries<'a> {
    pub(super) fn new(now: DateTime<Utc>, pending: &'a [&'a Pending], mode: LockMode) -> Self {
        Self { now, pending, mode, outcomes: pending.iter().map(|_| None).collect(), has_mails: false }
    }

    /// Entries without an outcome, with their position.
    pub(super) fn open(&self) -> impl Iterator<Item = (usize, &'a Pending)> {
        let open = self.outcomes.iter().map(Option::is_none);
        self.pending.iter().copied().enumerate().zip(open).filter_map(|(entry, open)| open.then_some(entry))
    }

    pub(super) fn refuse(&mut self, at: usize, error: Error) {
        self.outcomes[at] = Some(Outcome::reply(Err(error)));
    }

    pub(super) fn into_outcomes(self) -> Vec<Outcome> {
        let missing = || Outcome::reply(Err(Error::internal("a batch of bookings", "no outcome")));
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
        self.lock_holders_and_addresses(tx).await?;
        if self.open().next().is_none() {
            return Ok(false);
        }
        self.check_guests_and_expire_holds(tx, &locked).await?;
        let customers = self.find_customers(tx).await?;
        let mut accepted = self.check_holds(tx, &customers).await?;
        let terms = self.load_terms(tx, &locked, &accepted).await?;
        accepted.extend(self.decide_slots(tx, &terms, &customers).await?);
        if accepted.is_empty() {
            return Ok(false);
        }
        self.store(tx, accepted, &terms).await?;
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
                KeyState::Answered(value) => Some(Outcome::reply(Ok(Answer { value, replayed: true }))),
                KeyState::Reused => Some(Outcome::reply(Err(Error::IdempotencyKeyReused))),
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

    /// Locks the accounts and guests whose held time is limited, and the addresses whose customer is looked up. After the
    /// calendars: a transaction with one of these locks has locked all its calendars.
    async fn lock_holders_and_addresses(&mut self, tx: &mut PgConnection) -> Result<()> {
        let wanted: Vec<(usize, String)> =
            self.open().filter_map(|(at, pending)| Some((at, pending.lock_name()?))).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let (places, names): (Vec<usize>, Vec<String>) = wanted.into_iter().unzip();
        let locked = lock_names(tx, &names, self.mode != LockMode::Skip).await?;
        for at in places.into_iter().zip(locked).filter_map(|(at, locked)| (!locked).then_some(at)) {
            self.outcomes[at] = Some(Outcome::Locked(LockMode::WaitForCalendars));
        }
        Ok(())
    }

    /// Locks the resources that the slots can need, and those of expired holds, which are released. If another transaction has
    /// locked a resource, the entry runs again in a batch that waits for locks.
    async fn lock_resources(&mut self, tx: &mut PgConnection, staff_ids: &[Uuid]) -> Result<()> {
        let service_ids: BTreeSet<Uuid> =
            self.open().filter_map(|(_, pending)| Some(pending.slot()?.service_id)).collect();
        let service_ids: Vec<Uuid> = service_ids.into_iter().collect();
        let wanted = resources::ResourceChange { services: &service_ids, bookings: &[], staff: staff_ids };
        let wait = self.mode != LockMode::Skip;
        let locked = resources::lock(tx, self.now, wanted, wait).await?;
        if wait {
            return Ok(());
        }
        let needed = resources::needed_by(tx, &service_ids).await?;
        let missing: HashSet<Uuid> = needed
            .iter()
            .filter(|needed| !locked.contains(&needed.resource_id))
            .map(|needed| needed.service_id)
            .collect();
        let left: Vec<usize> = self
            .open()
            .filter(|(_, pending)| pending.slot().is_some_and(|slot| missing.contains(&slot.service_id)))
            .map(|(at, _)| at)
            .collect();
        for at in left {
            self.outcomes[at] = Some(Outcome::Locked(LockMode::WaitForCalendars));
        }
        Ok(())
    }

    /// Refuses guests unless the business allows booking without an account. Marks outdated holds in these calendars as
    /// expired, because the exclusion constraint still counts them.
    async fn check_guests_and_expire_holds(&mut self, tx: &mut PgConnection, locked: &[Uuid]) -> Result<()> {
        let facts = sqlx::query!(
            r#"SELECT guests_allowed, EXISTS (
                   SELECT FROM bookings WHERE staff_id = ANY($1) AND status = 'held' AND hold_expires_at <= $2
               ) AS "dead_holds!", EXISTS (SELECT FROM resources) AS "resources!"
               FROM settings"#,
            locked,
            self.now,
        )
        .fetch_optional(&mut *tx)
        .await?;
        let (guests_allowed, dead_holds, resources) = facts
            .map_or((false, false, false), |facts| (facts.guests_allowed, facts.dead_holds, facts.resources));
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
        if resources {
            self.lock_resources(tx, if dead_holds { locked } else { &[] }).await?;
        }
        if dead_holds {
            calendars::expire_dead_holds(tx, self.now, locked).await?;
        }
        Ok(())
    }
}
