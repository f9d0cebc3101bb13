//! Reading bookings: staff see all, customers their own.

use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::row::{self, Row, select_bookings};
use super::{Booking, BookingEvent, BookingStatus};
use crate::notifications::{self, Notification};
use crate::types::{Actor, ActorKind, ChangeKind, EventDetails, Rev, Role};
use crate::{Core, Error, Result};

/// A booking, if the actor may see it; [`Error::NotFound`] otherwise.
pub async fn get(core: &Core, actor: &Actor, id: Uuid) -> Result<Booking> {
    Ok(visible(core, actor, id).await?.seen_by(actor))
}

/// The audit trail of a booking, oldest first. Only staff see whose account made a change.
pub async fn events(core: &Core, actor: &Actor, id: Uuid) -> Result<Vec<BookingEvent>> {
    visible(core, actor, id).await?;
    let mut events = sqlx::query_as!(
        BookingEvent,
        r#"SELECT rev AS "rev: Rev", status AS "status: BookingStatus", change AS "change: ChangeKind",
                  actor AS "actor: ActorKind", actor_id, overridden, details AS "details: Json<EventDetails>", at
           FROM booking_events WHERE booking_id = $1 ORDER BY rev"#,
        id
    )
    .fetch_all(&core.pool)
    .await?;
    if !actor.is_staff() {
        for event in &mut events {
            event.actor_id = None;
            event.details.0.customer = None;
        }
    }
    Ok(events)
}

/// The mails of a booking with their states, in the order in which they were planned. Only staff see those to staff.
pub async fn notifications(core: &Core, actor: &Actor, id: Uuid) -> Result<Vec<Notification>> {
    visible(core, actor, id).await?;
    let mut mails = notifications::list(&mut *core.pool.acquire().await?, id).await?;
    mails.retain(|mail| actor.is_staff() || !mail.kind.is_for_staff());
    Ok(mails)
}

pub(super) async fn visible(core: &Core, actor: &Actor, id: Uuid) -> Result<Row> {
    row::find(&mut *core.pool.acquire().await?, id)
        .await?
        .filter(|row| row.is_visible_to(actor))
        .ok_or(Error::NotFound("booking"))
}

/// All bookings of an account by start, as their customer sees them.
pub(crate) async fn of_account(db: &mut PgConnection, user_id: Uuid) -> Result<Vec<Booking>> {
    let rows = select_bookings!(
        "WHERE b.customer_id = ANY(ARRAY(SELECT customers.id FROM customers WHERE customers.user_id = $1))
         ORDER BY lower(b.during), b.id",
        user_id,
    )
    .fetch_all(db)
    .await?;
    let owner = Actor::Account { user_id, role: Role::Customer };
    Ok(rows.into_iter().map(|row| row.seen_by(&owner)).collect())
}
