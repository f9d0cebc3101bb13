//! The audit trail: one row for each revision.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::BookingStatus;
use super::row::Row;
use crate::Result;
use crate::types::{Actor, ActorKind};

/// What was done to a booking.
pub(super) struct Change<'a> {
    /// Its name in the audit trail.
    pub name: &'static str,
    /// Who did it.
    pub actor: &'a Actor,
    /// Whether limits were passed on purpose.
    pub overridden: bool,
    /// Start and member of staff before; none: they did not change.
    pub from: Option<(DateTime<Utc>, Uuid)>,
}

/// Notes the change that led to the booking as it stands now.
pub(super) async fn record(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    row: &Row,
    change: &Change<'_>,
) -> Result<()> {
    let place =
        |(start, staff_id): (DateTime<Utc>, Uuid)| serde_json::json!({"start": start, "staff_id": staff_id});
    let details = match change.from {
        Some(from) => serde_json::json!({"from": place(from), "to": place((row.start, row.staff_id))}),
        None if row.rev.0 == 1 => serde_json::json!({"to": place((row.start, row.staff_id))}),
        None => serde_json::json!({}),
    };
    sqlx::query!(
        "INSERT INTO booking_events (booking_id, rev, status, change, actor, actor_id, overridden, details, at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        row.id,
        row.rev.0,
        row.status as BookingStatus,
        change.name,
        change.actor.kind() as ActorKind,
        change.actor.user_id(),
        change.overridden,
        details,
        now,
    )
    .execute(tx)
    .await?;
    Ok(())
}
