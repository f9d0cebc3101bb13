//! Stores what a batch accepted, with one statement for each table.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::decide::{Accepted, AcceptedPlace, Customer};
use super::entries::Entries;
use super::entry::{Outcome, Pending, RequestKind};
use crate::bookings::audit::BookingChange;
use crate::bookings::held::BookedHold;
use crate::bookings::insert::{NewRow, insert};
use crate::bookings::mails::{self, NewBookingMails};
use crate::bookings::place::Placement;
use crate::bookings::row::Row;
use crate::bookings::{Booking, BookingStatus, held, resources};
use crate::customers::{self, Booked, Contact};
use crate::idempotency::{self, Answer, Request};
use crate::slots::ServiceTerms;
use crate::types::{Actor, ChangeKind, EventDetails, Note};
use crate::{Error, Result, staff};

/// A stored booking or hold.
struct Stored<'a> {
    row: Row,
    change: BookingChange<'a>,
}

impl<'a> Entries<'a> {
    /// Stores what was accepted, with its mails and answers.
    pub(super) async fn store<'t>(
        &mut self,
        tx: &mut PgConnection,
        mut accepted: Vec<Accepted<'t>>,
        terms: &'t HashMap<Uuid, ServiceTerms>,
    ) -> Result<()>
    where
        'a: 't,
    {
        accepted.sort_unstable_by_key(|accepted| accepted.at);
        let customers = self.insert_customers(tx, &accepted).await?;
        let stored = self.write_bookings(tx, accepted, &customers, terms).await?;
        let with_mails: Vec<NewBookingMails<'_>> = stored
            .iter()
            .map(|(at, Stored { row, change })| {
                let terms = terms.get(&row.booking.service.id);
                let rules = terms.map(|terms| terms.reminders.as_slice()).unwrap_or_default();
                NewBookingMails { row, change, rules, span: &self.pending[*at].span }
            })
            .collect();
        mails::plan_many(tx, self.now, &with_mails).await?;
        self.has_mails = stored.values().any(|stored| stored.change.kind != ChangeKind::Held);
        let staff_ids: BTreeSet<Uuid> = stored.values().map(|stored| stored.row.booking.staff.id).collect();
        staff::increment_revs(tx, &staff_ids.into_iter().collect::<Vec<_>>()).await?;
        let values: Vec<(usize, Booking)> = stored
            .into_iter()
            .map(|(at, stored)| (at, stored.row.seen_by(&self.pending[at].entry.actor)))
            .collect();
        let answers: Vec<(&Request, &Booking)> = values
            .iter()
            .filter_map(|(at, value)| Some((self.pending[*at].entry.request.as_ref()?, value)))
            .collect();
        if !answers.is_empty() {
            idempotency::store_many(tx, self.now, &answers).await?;
        }
        for (at, value) in values {
            self.outcomes[at] = Some(Outcome::reply(Ok(Answer { value, replayed: false })));
        }
        Ok(())
    }

    /// Books the holds and inserts the others; the result is keyed by position in the batch.
    async fn write_bookings<'t>(
        &self,
        tx: &mut PgConnection,
        accepted: Vec<Accepted<'t>>,
        customers: &HashMap<usize, Booked<'t>>,
        terms: &HashMap<Uuid, ServiceTerms>,
    ) -> Result<BTreeMap<usize, Stored<'t>>>
    where
        'a: 't,
    {
        let mut stored: BTreeMap<usize, Stored<'t>> = BTreeMap::new();
        let (mut places, mut rows) = (Vec::new(), Vec::new());
        let (mut hold_places, mut holds) = (Vec::new(), Vec::new());
        let no_note = Note::empty();
        for Accepted { at, place, .. } in accepted {
            let pending = self.pending[at];
            let customer = customers.get(&at);
            match place {
                AcceptedPlace::Slot { id, placement, seats_before } => {
                    places.push(at);
                    rows.push(pending.new_row(self.now, id, placement, seats_before, customer, &no_note));
                }
                AcceptedPlace::Hold { new, hold } => {
                    let missing = |what| Error::internal("booking a hold", what);
                    let customer = customer.ok_or_else(|| missing("it has no customer"))?;
                    let terms = terms.get(&hold.service_id()).ok_or_else(|| missing("it has no service"))?;
                    let actor = &pending.entry.actor;
                    let status = held::first_status(actor, terms.requires_confirmation);
                    hold_places.push(at);
                    holds.push(BookedHold { hold, actor, new, status, customer });
                }
            }
        }
        if !holds.is_empty() {
            let booked = held::book(tx, self.now, &holds).await?;
            for ((at, row), hold) in hold_places.into_iter().zip(booked).zip(holds) {
                let BookingChange { kind, overridden, details, .. } = hold.change();
                let change = BookingChange { kind, actor: self.actor(at), overridden, details };
                stored.insert(at, Stored { row, change });
            }
        }
        if !rows.is_empty() {
            let inserted = insert(tx, self.now, &rows).await?;
            resources::allocate(tx, rows.iter().map(|row| (row.id, &row.placement))).await?;
            for ((at, row), new) in places.into_iter().zip(inserted).zip(rows) {
                let BookingChange { kind, overridden, details, .. } = new.change;
                let change = BookingChange { kind, actor: self.actor(at), overridden, details };
                stored.insert(at, Stored { row, change });
            }
        }
        Ok(stored)
    }

    fn actor(&self, at: usize) -> &'a Actor {
        let pending: &'a Pending = self.pending[at];
        &pending.entry.actor
    }

    /// The customers of the accepted bookings by position in the batch; missing ones are inserted.
    async fn insert_customers<'t>(
        &self,
        tx: &mut PgConnection,
        accepted: &[Accepted<'t>],
    ) -> Result<HashMap<usize, Booked<'t>>> {
        let mut booked = HashMap::with_capacity(accepted.len());
        let mut account_holders: Vec<(usize, Uuid)> = Vec::new();
        let mut contacts: Vec<(usize, &'t Contact)> = Vec::new();
        for Accepted { at, customer, .. } in accepted {
            match customer {
                Some(Customer::Known(id)) => drop(booked.insert(*at, Booked { id: *id, contact: None })),
                Some(Customer::NewAccountHolder(user_id)) => account_holders.push((*at, *user_id)),
                Some(Customer::Contact(contact)) => contacts.push((*at, contact)),
                None => {}
            }
        }
        if !account_holders.is_empty() {
            let user_ids: BTreeSet<Uuid> = account_holders.iter().map(|(_, user_id)| *user_id).collect();
            let user_ids: Vec<Uuid> = user_ids.into_iter().collect();
            let ids = customers::insert_account_holders(tx, self.now, &user_ids).await?;
            for (at, user_id) in account_holders {
                let id = *ids.get(&user_id).ok_or(Error::SessionEnded)?;
                booked.insert(at, Booked { id, contact: None });
            }
        }
        if !contacts.is_empty() {
            let (places, contacts): (Vec<usize>, Vec<&Contact>) = contacts.into_iter().unzip();
            booked.extend(places.into_iter().zip(customers::of_contacts(tx, self.now, &contacts).await?));
        }
        Ok(booked)
    }
}

impl Pending {
    fn new_row<'r>(
        &'r self,
        now: DateTime<Utc>,
        id: Uuid,
        placement: Placement<'r>,
        seats_before: i32,
        customer: Option<&'r Booked<'r>>,
        no_note: &'r Note,
    ) -> NewRow<'r> {
        let actor = &self.entry.actor;
        let reminders = !matches!(&self.entry.what, RequestKind::Booking(new) if !new.reminders);
        let for_whom = match &self.entry.what {
            RequestKind::Booking(new) => new.for_whom.as_ref(),
            RequestKind::Hold { .. } => None,
        };
        let (kind, overridden, status, customer_note, staff_note, held_by) = match &self.entry.what {
            RequestKind::Booking(new) => {
                let status = held::first_status(actor, placement.terms.requires_confirmation);
                (ChangeKind::Created, new.overriding, status, &new.customer_note, &new.staff_note, None)
            }
            RequestKind::Hold { held_by, .. } => {
                (ChangeKind::Held, false, BookingStatus::Held, no_note, no_note, Some(held_by.as_str()))
            }
        };
        let no_mail = matches!(&self.entry.what, RequestKind::Booking(new) if new.no_mail);
        let details = EventDetails { no_mail, ..placement.details() };
        NewRow {
            id,
            change: BookingChange { kind, actor, overridden, details },
            placement,
            seats_before,
            status,
            customer,
            for_whom,
            customer_note,
            staff_note,
            reminders,
            hold_expires_at: self.held_until(now),
            held_by,
        }
    }
}
