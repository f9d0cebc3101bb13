//! Decides the entries of a batch in order of arrival. Calendars, holders and addresses are locked.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use punctual_queue::new_id;
use sqlx::PgConnection;
use uuid::Uuid;

use super::entries::Entries;
use super::entry::{Outcome, Pending, RequestKind};
use crate::batch_queue::LockMode;
use crate::bookings::held::{Hold, RequestedHold};
use crate::bookings::held_time::HeldTime;
use crate::bookings::place::{Placement, first_place, staff_for};
use crate::bookings::{Booker, NewBooking, RequestedSlot, SlotSource, held};
use crate::customers::{self, AccountHolder, Contact};
use crate::slots::{self, LoadedCalendars, ServiceTerms, StartQuery};
use crate::{Error, Result};

/// The customer of a booking. A new one is inserted after the booking was accepted.
#[derive(Clone, Copy)]
pub(super) enum Customer<'a> {
    Known(Uuid),
    NewAccountHolder(Uuid),
    Contact(&'a Contact),
}

/// The customers of a batch that are looked up before slots are decided.
pub(super) struct Customers {
    holders: HashMap<Uuid, AccountHolder>,
    on_file: HashSet<Uuid>,
}

/// An accepted entry.
pub(super) struct Accepted<'a> {
    pub(super) at: usize,
    /// None for a hold.
    pub(super) customer: Option<Customer<'a>>,
    pub(super) place: AcceptedPlace<'a>,
}

pub(super) enum AcceptedPlace<'a> {
    Slot { id: Uuid, placement: Placement<'a>, seats_before: i32 },
    Hold { new: &'a NewBooking, hold: Hold },
}

impl<'a> Entries<'a> {
    /// Looks up customers by id and by account.
    pub(super) async fn find_customers(&self, tx: &mut PgConnection) -> Result<Customers> {
        let (mut user_ids, mut customer_ids) = (BTreeSet::new(), BTreeSet::new());
        for (_, pending) in self.open() {
            match pending.booker() {
                Some(Booker::Myself) => user_ids.extend(pending.entry.actor.user_id()),
                Some(Booker::Customer(id)) => drop(customer_ids.insert(*id)),
                Some(Booker::Person(_)) | None => {}
            }
        }
        let user_ids: Vec<Uuid> = user_ids.into_iter().collect();
        let customer_ids: Vec<Uuid> = customer_ids.into_iter().collect();
        let holders = if user_ids.is_empty() {
            HashMap::new()
        } else {
            customers::find_account_holders(tx, &user_ids).await?
        };
        let on_file = if customer_ids.is_empty() {
            HashSet::new()
        } else {
            customers::find_on_file(tx, &customer_ids).await?
        };
        Ok(Customers { holders, on_file })
    }

    /// Locks the holds that are to be booked and refuses those that cannot be.
    pub(super) async fn check_holds(
        &mut self,
        tx: &mut PgConnection,
        customers: &Customers,
    ) -> Result<Vec<Accepted<'a>>> {
        let holds: Vec<(usize, &'a Pending, &'a NewBooking, Uuid)> = self
            .open()
            .filter_map(|(at, pending)| match &pending.entry.what {
                RequestKind::Booking(new) => match new.slot {
                    SlotSource::Hold(id) => Some((at, pending, new, id)),
                    SlotSource::Slot(_) => None,
                },
                RequestKind::Hold { .. } => None,
            })
            .collect();
        let mut seen = HashSet::new();
        let (first, repeated): (Vec<_>, Vec<_>) =
            holds.into_iter().partition(|(_, _, _, id)| seen.insert(*id));
        // Of several requests for one hold, one is decided in this batch and the others in a later one.
        for (at, ..) in repeated {
            self.outcomes[at] = Some(Outcome::Locked(LockMode::WaitForCalendars));
        }
        if first.is_empty() {
            return Ok(Vec::new());
        }
        let wanted: Vec<RequestedHold<'_>> = first
            .iter()
            .map(|(_, pending, _, id)| RequestedHold {
                id: *id,
                performers: &pending.entry.performers,
                limits: pending.limits(),
            })
            .collect();
        let checked = held::check(tx, self.now, &wanted).await?;
        let mut accepted: Vec<Accepted<'a>> = Vec::with_capacity(first.len());
        for ((at, pending, new, _), checked) in first.into_iter().zip(checked) {
            match checked.and_then(|hold| Ok((hold, customers.of(pending)?))) {
                Ok((hold, customer)) => {
                    accepted.push(Accepted { at, customer, place: AcceptedPlace::Hold { new, hold } });
                }
                Err(error) => self.refuse(at, error),
            }
        }
        Ok(accepted)
    }

    /// Terms of all services of requested slots and accepted holds, limited to staff with locked calendars.
    pub(super) async fn load_terms(
        &self,
        tx: &mut PgConnection,
        locked: &[Uuid],
        holds: &[Accepted<'_>],
    ) -> Result<HashMap<Uuid, ServiceTerms>> {
        let held = holds.iter().filter_map(|accepted| match &accepted.place {
            AcceptedPlace::Hold { hold, .. } => Some(hold.service_id()),
            AcceptedPlace::Slot { .. } => None,
        });
        let service_ids: BTreeSet<Uuid> = self
            .open()
            .filter_map(|(_, pending)| pending.slot())
            .map(|slot| slot.service_id)
            .chain(held)
            .collect();
        if service_ids.is_empty() {
            return Ok(HashMap::new());
        }
        slots::terms_of(tx, &service_ids.into_iter().collect::<Vec<_>>(), locked).await
    }

    /// Decides the entries for slots. Each entry sees the slots given to earlier ones.
    pub(super) async fn decide_slots<'t>(
        &mut self,
        tx: &mut PgConnection,
        terms: &'t HashMap<Uuid, ServiceTerms>,
        customers: &Customers,
    ) -> Result<Vec<Accepted<'t>>>
    where
        'a: 't,
    {
        let slots: Vec<(usize, &'a Pending, &'a RequestedSlot)> =
            self.open().filter_map(|(at, pending)| Some((at, pending, pending.slot()?))).collect();
        let mut held_time = self.load_held_time(tx, &slots).await?;
        let mut wanted = Vec::with_capacity(slots.len());
        for (at, pending, slot) in slots {
            let terms = terms.get(&slot.service_id);
            let minutes = terms.map_or(0, |terms| held_minutes(terms, slot));
            match staff_for(terms, slot, &pending.entry.performers) {
                Ok((terms, staff_ids)) => wanted.push((at, pending, slot, terms, staff_ids)),
                Err(error) => {
                    let limit =
                        pending.limited_holder().map(|holder| held_time.require_left(holder, minutes));
                    self.refuse(at, limit.and_then(Result::err).unwrap_or(error));
                }
            }
        }
        let Some(zone) = wanted.first().map(|(_, _, _, terms, _)| terms.zone) else { return Ok(Vec::new()) };
        let starts: Vec<(DateTime<Utc>, &[Uuid])> =
            wanted.iter().map(|(_, _, slot, _, staff_ids)| (slot.start, staff_ids.as_slice())).collect();
        let mut loaded = LoadedCalendars::load(tx, self.now, zone, &starts, &[]).await?;
        let needing: Vec<(DateTime<Utc>, &ServiceTerms)> =
            wanted.iter().map(|(_, _, slot, terms, _)| (slot.start, *terms)).collect();
        loaded.load_resources(tx, self.now, &needing, &[]).await?;
        let mut accepted = Vec::with_capacity(wanted.len());
        for (at, pending, slot, terms, staff_ids) in wanted {
            let holder = pending.limited_holder();
            let decided = holder
                .map_or(Ok(()), |holder| held_time.require_left(holder, held_minutes(terms, slot)))
                .and_then(|()| {
                    let query = StartQuery {
                        start: slot.start,
                        seats: slot.seats,
                        limits: pending.limits(),
                        exclude: None,
                    };
                    first_place(loaded.check_start(self.now, terms, &staff_ids, query))
                })
                .and_then(|place| Ok((place, customers.of(pending)?)));
            match decided {
                Ok(((staff_id, place), customer)) => {
                    let id = new_id(self.now);
                    let taken = (id, slot.seats);
                    let seats_before = loaded.take(staff_id, &place, taken, pending.held_until(self.now));
                    let placement = Placement { terms, staff_id, place, seats: slot.seats };
                    if let Some(holder) = holder {
                        held_time.add(holder, i64::from(placement.minutes()) * i64::from(slot.seats));
                    }
                    let place = AcceptedPlace::Slot { id, placement, seats_before };
                    accepted.push(Accepted { at, customer, place });
                }
                Err(error) => self.refuse(at, error),
            }
        }
        Ok(accepted)
    }

    async fn load_held_time(
        &self,
        tx: &mut PgConnection,
        slots: &[(usize, &'a Pending, &'a RequestedSlot)],
    ) -> Result<HeldTime<'a>> {
        let holders: BTreeSet<&'a str> =
            slots.iter().filter_map(|(_, pending, _)| pending.limited_holder()).collect();
        if holders.is_empty() {
            return Ok(HeldTime::default());
        }
        HeldTime::load(tx, self.now, &holders.into_iter().collect::<Vec<_>>()).await
    }
}

/// Minutes that a hold of this slot adds to its holder's held time.
fn held_minutes(terms: &ServiceTerms, slot: &RequestedSlot) -> i64 {
    i64::from(terms.rules.duration_min) * i64::from(slot.seats)
}

impl Customers {
    /// The customer of the entry; none for a hold.
    ///
    /// # Errors
    /// `LoginRequired`, `SessionEnded`, `NotFound`.
    fn of<'a>(&self, pending: &'a Pending) -> Result<Option<Customer<'a>>> {
        let user_id = pending.entry.actor.user_id();
        let Some(booker) = pending.booker() else { return Ok(None) };
        let customer = match (booker, user_id) {
            (Booker::Myself, None) => return Err(Error::LoginRequired),
            (Booker::Myself, Some(user_id)) => match self.holders.get(&user_id) {
                Some(AccountHolder::Known(id)) => Customer::Known(*id),
                Some(AccountHolder::New) => Customer::NewAccountHolder(user_id),
                None => return Err(Error::SessionEnded),
            },
            (Booker::Customer(id), _) if self.on_file.contains(id) => Customer::Known(*id),
            (Booker::Customer(_), _) => return Err(Error::NotFound("customer")),
            (Booker::Person(contact), _) => Customer::Contact(contact),
        };
        Ok(Some(customer))
    }
}
