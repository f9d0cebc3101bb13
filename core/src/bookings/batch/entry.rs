//! One request of a batch.

use chrono::{DateTime, TimeDelta, Utc};
use tracing::Span;
use uuid::Uuid;

use crate::batch_queue::LockMode;
use crate::bookings::held_time::HeldTime;
use crate::bookings::{Booker, Booking, NewBooking, NewHold, RequestedSlot, SlotSource};
use crate::calendar::Limits;
use crate::idempotency::{Answer, Request};
use crate::keyed_mutex::KeyedMutexGuard;
use crate::types::Actor;
use crate::{Result, customers};

/// A request for a booking or a hold.
pub(in crate::bookings) struct NewEntry {
    pub actor: Actor,
    pub request: Option<Request>,
    pub what: RequestKind,
    /// The members of staff whose calendars it may write.
    pub performers: Vec<Uuid>,
}

/// What is requested.
pub(in crate::bookings) enum RequestKind {
    Booking(NewBooking),
    Hold {
        new: NewHold,
        /// The account, or the name of the guest.
        held_by: String,
    },
}

/// A waiting entry with the tracing span of its request.
pub(super) struct Pending {
    pub entry: NewEntry,
    pub span: Span,
    /// Held until the entry is answered: no other request with its idempotency key runs in this process.
    pub _key_guard: Option<KeyedMutexGuard<String>>,
}

pub(super) type Reply = Result<Answer<Booking>>;

/// Outcome of an entry in a transaction.
pub(super) enum Outcome {
    Reply(Box<Reply>),
    /// Another transaction holds a required lock; the entry runs again in this mode.
    Locked(LockMode),
}

impl Outcome {
    pub(super) fn reply(reply: Reply) -> Self {
        Self::Reply(Box::new(reply))
    }
}

/// How far a transaction got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// No locks yet.
    Begun,
    /// All locks are held.
    Working,
    /// COMMIT was sent; its effect is unknown until the answer.
    Committing,
    TimedOut,
}

impl Pending {
    /// The requested slot; none for a booking from a hold.
    pub(super) fn slot(&self) -> Option<&RequestedSlot> {
        match &self.entry.what {
            RequestKind::Booking(NewBooking { slot: SlotSource::Slot(slot), .. }) => Some(slot),
            RequestKind::Booking(_) => None,
            RequestKind::Hold { new, .. } => Some(&new.slot),
        }
    }

    pub(super) fn limits(&self) -> Limits {
        match &self.entry.what {
            RequestKind::Booking(new) if new.overriding => Limits::Overridden,
            _ => Limits::Enforced,
        }
    }

    pub(super) fn held_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match &self.entry.what {
            RequestKind::Booking(_) => None,
            RequestKind::Hold { new, .. } => Some(now + TimeDelta::minutes(i64::from(new.minutes))),
        }
    }

    /// The holder whose held time it increases; none for bookings, and for staff, who have no limit.
    pub(super) fn limited_holder(&self) -> Option<&str> {
        match &self.entry.what {
            RequestKind::Hold { held_by, .. } if !self.entry.actor.is_staff() => Some(held_by),
            _ => None,
        }
    }

    /// Its advisory lock besides the idempotency key: the holder, or the customer's address.
    pub(super) fn lock_name(&self) -> Option<String> {
        match &self.entry.what {
            RequestKind::Booking(NewBooking { booker: Booker::Person(contact), .. }) => {
                Some(customers::contact_lock_name(contact))
            }
            RequestKind::Booking(_) => None,
            RequestKind::Hold { .. } => self.limited_holder().map(HeldTime::lock_name),
        }
    }

    /// The person it is booked for; none for a hold.
    pub(super) fn booker(&self) -> Option<&Booker> {
        match &self.entry.what {
            RequestKind::Booking(new) => Some(&new.booker),
            RequestKind::Hold { .. } => None,
        }
    }
}
