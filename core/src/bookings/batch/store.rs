//! Stores what a batch accepted: one statement for each table.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::entries::{Accepted, AcceptedPlace, Customer, Entries};
use super::{Outcome, Pending, What};
use crate::bookings::audit::{BookingChange, ChangeKind, EventDetails};
use crate::bookings::insert::{NewRow, insert};
use crate::bookings::mails::{self, Made};
use crate::bookings::place::Placement;
use crate::bookings::row::Row;
use crate::bookings::{Booking, BookingStatus, held};
use crate::customers;
use crate::idempotency::{self, Answer, Request};
use crate::slots::ServiceTerms;
use crate::types::Note;
use crate::{Error, Result, staff};

impl<'a> Entries<'a> {
    /// Stores what was accepted, with its mails and answers.
    pub(super) async fn store<'t>(
        &mut self,
        tx: &mut PgConnection,
        mut accepted: Vec<Accepted<'t>>,
        customers: &HashMap<usize, Customer<'a>>,
        terms: &'t HashMap<Uuid, ServiceTerms>,
    ) -> Result<()>
    where
        'a: 't,
    {
        accepted.sort_unstable_by_key(|accepted| accepted.at);
        let customer_ids = self.insert_customers(tx, &accepted, customers).await?;
        let mut rows: BTreeMap<usize, (Row, ChangeKind)> = BTreeMap::new();
        let mut hold_terms: HashMap<usize, ServiceTerms> = HashMap::new();
        let (mut places, mut new_rows) = (Vec::new(), Vec::new());
        let no_note = Note::empty();
        for Accepted { at, place } in accepted {
            let pending = self.entries[at];
            let customer_id = customer_ids.get(&at).copied();
            match place {
                AcceptedPlace::Slot { id, placement, seats_before } => {
                    places.push(at);
                    new_rows.push(pending.new_row(
                        self.now,
                        id,
                        placement,
                        seats_before,
                        customer_id,
                        &no_note,
                    ));
                }
                AcceptedPlace::Hold { new, hold } => {
                    let customer_id =
                        customer_id.ok_or_else(|| Error::internal("booking a hold", "it has no customer"))?;
                    let actor = &pending.entry.actor;
                    let (row, terms) = held::book(tx, self.now, actor, new, hold, customer_id).await?;
                    rows.insert(at, (row, ChangeKind::Booked));
                    hold_terms.insert(at, terms);
                }
            }
        }
        if !new_rows.is_empty() {
            let inserted = insert(tx, self.now, &new_rows).await?;
            let kinds = new_rows.iter().map(|row| row.change.kind);
            rows.extend(places.into_iter().zip(inserted.into_iter().zip(kinds)));
        }
        let made: Vec<Made<'_>> = rows
            .iter()
            .map(|(at, (row, change))| {
                let terms = hold_terms.get(at).or_else(|| terms.get(&row.booking.service.id));
                let rules = terms.map(|terms| terms.reminders.as_slice()).unwrap_or_default();
                Made { row, change: *change, rules, span: &self.entries[*at].span }
            })
            .collect();
        mails::plan_many(tx, self.now, &made).await?;
        self.has_mails = made.iter().any(|made| made.change != ChangeKind::Held);
        let staff_ids: BTreeSet<Uuid> = rows.values().map(|(row, _)| row.booking.staff.id).collect();
        staff::count_up(tx, &staff_ids.into_iter().collect::<Vec<_>>()).await?;
        let values: Vec<(usize, Booking)> =
            rows.into_iter().map(|(at, (row, _))| (at, row.seen_by(&self.entries[at].entry.actor))).collect();
        let answers: Vec<(&Request, &Booking)> = values
            .iter()
            .filter_map(|(at, value)| Some((self.entries[*at].entry.request.as_ref()?, value)))
            .collect();
        if !answers.is_empty() {
            idempotency::store_many(tx, self.now, &answers).await?;
        }
        for (at, value) in values {
            self.outcomes[at] = Some(Outcome::Reply(Ok(Answer { value, replayed: false })));
        }
        Ok(())
    }

    /// The customers of the accepted bookings, inserted where there is none yet.
    async fn insert_customers(
        &self,
        tx: &mut PgConnection,
        accepted: &[Accepted<'_>],
        customers: &HashMap<usize, Customer<'a>>,
    ) -> Result<HashMap<usize, Uuid>> {
        let wanted: Vec<(usize, Customer<'a>)> = accepted
            .iter()
            .filter_map(|accepted| Some((accepted.at, *customers.get(&accepted.at)?)))
            .collect();
        let new: BTreeSet<Uuid> = wanted
            .iter()
            .filter_map(|(_, customer)| match customer {
                Customer::NewAccountHolder(user_id) => Some(*user_id),
                Customer::Known(_) | Customer::Contact(_) => None,
            })
            .collect();
        let inserted = if new.is_empty() {
            HashMap::new()
        } else {
            customers::insert_account_holders(tx, self.now, &new.into_iter().collect::<Vec<_>>()).await?
        };
        let mut ids = HashMap::with_capacity(accepted.len());
        for (at, customer) in wanted {
            let id = match customer {
                Customer::Known(id) => id,
                Customer::NewAccountHolder(user_id) => *inserted.get(&user_id).ok_or(Error::SessionEnded)?,
                Customer::Contact(contact) => customers::of_contact(tx, self.now, contact).await?,
            };
            ids.insert(at, id);
        }
        Ok(ids)
    }
}

impl Pending {
    fn new_row<'r>(
        &'r self,
        now: DateTime<Utc>,
        id: Uuid,
        placement: Placement<'r>,
        seats_before: i32,
        customer_id: Option<Uuid>,
        no_note: &'r Note,
    ) -> NewRow<'r> {
        let actor = &self.entry.actor;
        let hold_expires_at = self.held_until(now);
        let (kind, overridden, status, customer_note, staff_note) = match &self.entry.what {
            What::Booking(new) => {
                let status = held::first_status(actor, placement.terms.requires_confirmation);
                (ChangeKind::Created, new.overriding, status, &new.customer_note, &new.staff_note)
            }
            What::Hold(_) => (ChangeKind::Held, false, BookingStatus::Held, no_note, no_note),
        };
        let details = EventDetails { from: None, to: Some(placement.position()) };
        let change = BookingChange { kind, actor, overridden, details };
        NewRow {
            id,
            change,
            placement,
            seats_before,
            status,
            customer_id,
            customer_note,
            staff_note,
            hold_expires_at,
        }
    }
}
