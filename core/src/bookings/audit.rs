//! The audit trail: one row in `booking_events` for each revision, written by the statement that makes the revision.

use super::StaffMessage;
use crate::types::{Actor, ChangeKind, EventDetails};

/// A change to a booking: the audit trail stores it, and the mails follow from it.
pub(super) struct BookingChange<'a> {
    pub kind: ChangeKind,
    /// Who makes the change.
    pub actor: &'a Actor,
    /// Whether staff bypassed grid, hours, notice or horizon with `override`.
    pub overridden: bool,
    pub details: EventDetails,
}

impl EventDetails {
    /// Adds the message of staff to the customer.
    pub(super) fn with_message(self, message: &StaffMessage) -> Self {
        Self { message: message.text.clone(), no_mail: !message.notify, ..self }
    }
}

impl<'a> BookingChange<'a> {
    /// A change that leaves start and staff as they are.
    pub(super) fn in_place(kind: ChangeKind, actor: &'a Actor) -> Self {
        Self { kind, actor, overridden: false, details: EventDetails::default() }
    }
}

/// A statement that inserts or updates one booking and stores its [`BookingChange`] in the audit trail, so that no
/// revision lacks its event. It returns the booking as it then is, as a [`super::row::Row`]. `$1` to `$6` belong to
/// the event, of which `$6` is the current instant; the caller's values begin at `$7`.
macro_rules! write_booking {
    ($statement:tt, $now:expr, $change:expr $(, $value:expr)* $(,)?) => {{
        let change = &$change;
        $crate::bookings::row::query_bookings!(
            ["WITH written AS (" + $statement + " RETURNING *), event AS (
                  INSERT INTO booking_events (booking_id, rev, status, change, actor, actor_id, overridden, details, at)
                  SELECT id, rev, status, $1, $2, $3, $4, $5, $6 FROM written) " +]
            "written" [""],
            change.kind.as_str(),
            change.actor.kind() as $crate::types::ActorKind,
            change.actor.caller_id(),
            change.overridden,
            sqlx::types::Json(&change.details) as _,
            $now
            $(, $value)*
        )
    }};
}
pub(super) use write_booking;
