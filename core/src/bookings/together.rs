//! Bookings that one request makes for one customer: all of them in one statement, with one mail per mailbox.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::audit::BookingChange;
use super::held::first_status;
use super::insert::{NewRow, insert};
use super::mails::NewBookingMails;
use super::mails_of_several::plan_together;
use super::place::Placement;
use super::row::Row;
use super::{Booker, NewBooking, resources};
use crate::customers::{self, AccountHolder, Booked};
use crate::types::{Actor, ChangeKind, EventDetails};
use crate::{Error, Result};

/// A booking that has its place.
pub(super) struct NewPlace<'a> {
    pub id: Uuid,
    pub placement: Placement<'a>,
    /// Seats of its class that bookings of the same request take before it.
    pub seats_before: i32,
}

/// The customer of these bookings, inserted if there is none yet. The caller has locked the contact's name by an earlier
/// statement.
///
/// # Errors
/// `NotFound`, `LoginRequired`, `SessionEnded`.
pub(super) async fn customer<'a>(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    actor: &Actor,
    booker: &'a Booker,
) -> Result<Booked<'a>> {
    match booker {
        Booker::Customer(id) if customers::find_on_file(tx, &[*id]).await?.contains(id) => {
            Ok(Booked { id: *id, contact: None })
        }
        Booker::Customer(_) => Err(Error::NotFound("customer")),
        Booker::Person(contact) => {
            let of_contact = customers::of_contacts(tx, now, &[contact]).await?.pop();
            of_contact.ok_or_else(|| Error::internal("the customer of several bookings", "there is none"))
        }
        Booker::Myself => {
            let user_id = actor.user_id().ok_or(Error::LoginRequired)?;
            let id = match customers::find_account_holders(tx, &[user_id]).await?.get(&user_id) {
                Some(AccountHolder::Known(id)) => Some(*id),
                Some(AccountHolder::New) => {
                    customers::insert_account_holders(tx, now, &[user_id]).await?.get(&user_id).copied()
                }
                None => None,
            };
            Ok(Booked { id: id.ok_or(Error::SessionEnded)?, contact: None })
        }
    }
}

/// Stores the bookings with their events, resources and mails, and returns them in their order. What is not about their
/// places is that of `new`.
pub(super) async fn book_together(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    actor: &Actor,
    new: &NewBooking,
    places: Vec<NewPlace<'_>>,
    customer: &Booked<'_>,
) -> Result<Vec<Row>> {
    let rows: Vec<NewRow<'_>> = places
        .into_iter()
        .map(|NewPlace { id, placement, seats_before }| NewRow {
            id,
            change: BookingChange {
                kind: ChangeKind::Created,
                actor,
                overridden: new.overriding,
                details: EventDetails { no_mail: new.no_mail, ..placement.details() },
            },
            seats_before,
            status: first_status(actor, placement.terms.requires_confirmation),
            placement,
            customer: Some(customer),
            for_whom: new.for_whom.as_ref(),
            customer_note: &new.customer_note,
            staff_note: &new.staff_note,
            reminders: new.reminders,
            hold_expires_at: None,
            held_by: None,
        })
        .collect();
    let inserted = insert(tx, now, &rows).await?;
    resources::allocate(tx, rows.iter().map(|row| (row.id, &row.placement))).await?;
    let span = tracing::Span::current();
    let with_mails: Vec<NewBookingMails<'_>> = inserted
        .iter()
        .zip(&rows)
        .map(|(row, new)| NewBookingMails {
            row,
            change: &new.change,
            rules: &new.placement.terms.reminders,
            span: &span,
        })
        .collect();
    plan_together(tx, now, &with_mails).await?;
    Ok(inserted)
}
