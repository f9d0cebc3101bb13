//! The audit trail: one row for each revision, written by the statement that makes the revision.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::types::Actor;

/// What is done to a booking.
pub(super) struct Change<'a> {
    /// Its name in the audit trail.
    pub name: &'static str,
    /// Who does it.
    pub actor: &'a Actor,
    /// Whether limits are passed on purpose.
    pub overridden: bool,
    /// Start and member of staff before, where they change.
    pub from: Option<(DateTime<Utc>, Uuid)>,
    /// Start and member of staff after; none: they stay.
    pub to: Option<(DateTime<Utc>, Uuid)>,
}

impl<'a> Change<'a> {
    /// One that leaves the booking in its place.
    pub(super) fn in_place(name: &'static str, actor: &'a Actor) -> Self {
        Self { name, actor, overridden: false, from: None, to: None }
    }

    /// What the audit trail keeps of the places.
    pub(super) fn details(&self) -> Value {
        [("from", self.from), ("to", self.to)]
            .into_iter()
            .filter_map(|(side, place)| {
                place.map(|(start, staff_id)| (side, json!({"start": start, "staff_id": staff_id})))
            })
            .collect()
    }
}

/// A statement that makes or changes one booking and notes the [`Change`] in the audit trail, so that there is no
/// revision without its event. It answers the booking as it then stands, as a [`super::row::Row`]. `$1` to `$6` are
/// the event's, of which `$6` is now; the caller's values begin at `$7`.
macro_rules! write_booking {
    ($statement:tt, $now:expr, $change:expr $(, $value:expr)* $(,)?) => {{
        let change = &$change;
        $crate::bookings::row::query_bookings!(
            ["WITH written AS (" + $statement + " RETURNING *), event AS (
                  INSERT INTO booking_events (booking_id, rev, status, change, actor, actor_id, overridden, details, at)
                  SELECT id, rev, status, $1, $2, $3, $4, $5, $6 FROM written) " +]
            "written" "",
            change.name,
            change.actor.kind() as $crate::types::ActorKind,
            change.actor.user_id(),
            change.overridden,
            change.details(),
            $now
            $(, $value)*
        )
    }};
}
pub(super) use write_booking;
