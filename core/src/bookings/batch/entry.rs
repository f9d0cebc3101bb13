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

/// A booking or hold to be made.
pub(in crate::bookings) struct NewEntry {
    pub actor: Actor,
    pub request: Option<Request>,
    pub what: RequestKind,
    /// The members of staff whose calendars it may write.
    pub performers: Vec<Uuid>,
}

/// What is to be made.
pub(in crate::bookings) enum RequestKind {
    Booking(NewBooking),
    Hold {
        new: NewHold,
        /// The account, or the name of the guest.
        held_by: String,
    },
}

/// An entry as it waits, with the span of its request.
pub(super) struct Pending {
    pub entry: NewEntry,
    pub span: Span,
    /// Held until the entry is answered: no other request with its idempotency key runs in this process.
    pub _key_guard: Option<KeyedMutexGuard<String>>,
}

pub(super) type Reply = Result<Answer<Booking>>;

/// What became of an entry in a transaction.
pub(super) enum Outcome {
    Reply(Box<Reply>),
    /// Another transaction holds a lock it needs; to be run again in this mode.
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
    /// It has no locks.
    Begun,
    /// It has its locks.
    Working,
    /// COMMIT was sent: whether it took effect is unknown.
    Committing,
    TimedOut,
}

impl Pending {
    /// The slot it wants; none for a booking from a hold.
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

    /// Whose held time it adds to; none for a booking, and for staff, who have no limit.
    pub(super) fn limited_holder(&self) -> Option<&str> {
        match &self.entry.what {
            RequestKind::Hold { held_by, .. } if !self.entry.actor.is_staff() => Some(held_by),
            _ => None,
        }
    }

    /// The advisory lock it needs beside its key: that of its holder, or of its customer's address.
    pub(super) fn lock_name(&self) -> Option<String> {
        match &self.entry.what {
            RequestKind::Booking(NewBooking { booker: Booker::Person(contact), .. }) => {
                Some(customers::contact_lock_name(contact))
            }
            RequestKind::Booking(_) => None,
            RequestKind::Hold { .. } => self.limited_holder().map(HeldTime::lock_name),
        }
    }

    /// For whom it is; none for a hold.
    pub(super) fn booker(&self) -> Option<&Booker> {
        match &self.entry.what {
            RequestKind::Booking(new) => Some(&new.booker),
            RequestKind::Hold { .. } => None,
        }
    }
}
