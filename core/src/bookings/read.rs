//! Reading bookings: staff see all, customers their own.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::row::{self, Row, select_bookings};
use super::{Booking, BookingEvent, BookingStatus, ListBookings};
use crate::notifications::{self, Notification};
use crate::types::{Actor, ActorKind, ChangeKind, Cursor, EventDetails, Page, Rev, Role};
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

/// Bookings by (start, id): all for staff, their own for customers.
pub async fn list(core: &Core, actor: &Actor, which: &ListBookings) -> Result<Page<Booking>> {
    let rows = match actor {
        Actor::Guest | Actor::Link { .. } | Actor::StaffLink { .. } => return Err(Error::LoginRequired),
        _ if actor.is_staff() => all(core, which).await?,
        _ if which.customer_id.is_some() => return Err(Error::StaffOnly("customer_id is for staff.")),
        Actor::System | Actor::ApiKey { .. } | Actor::Account { .. } => own(core, actor, which).await?,
    };
    let more = rows.len() > which.limit.rows();
    let cursor_after = |row: &Row| Cursor { at: row.booking.start.to_utc(), id: row.booking.id };
    let next_cursor = if more { rows.get(which.limit.rows() - 1).map(cursor_after) } else { None };
    let data = rows.into_iter().take(which.limit.rows()).map(|row| row.seen_by(actor)).collect();
    Ok(Page { data, next_cursor })
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

/// Where the index scan begins: at the cursor or at `from`, whichever is later.
fn begin(which: &ListBookings) -> (DateTime<Utc>, Uuid) {
    let from = (which.from.unwrap_or(DateTime::UNIX_EPOCH), Uuid::nil());
    which.cursor.map_or(from, |cursor| (cursor.at, cursor.id).max(from))
}

/// One row more than the page has, which tells whether there is a next page.
fn rows_wanted(which: &ListBookings) -> i64 {
    i64::try_from(which.limit.rows() + 1).unwrap_or(i64::MAX)
}

fn statuses(which: &ListBookings) -> Vec<BookingStatus> {
    if which.statuses.is_empty() {
        BookingStatus::ALL.into_iter().filter(|status| *status != BookingStatus::Held).collect()
    } else {
        which.statuses.clone()
    }
}

async fn all(core: &Core, which: &ListBookings) -> Result<Vec<Row>> {
    let (at, id) = begin(which);
    let rows = select_bookings!(
        r#"WHERE (lower(b.during), b.id) > ($1, $2) AND ($3::timestamptz IS NULL OR lower(b.during) < $3)
             AND b.status = ANY($4) AND ($5::uuid IS NULL OR b.staff_id = $5)
             AND ($6::uuid IS NULL OR b.customer_id = $6)
           ORDER BY lower(b.during), b.id LIMIT $7"#,
        at,
        id,
        which.to,
        &statuses(which) as &[BookingStatus],
        which.staff_id,
        which.customer_id,
        rows_wanted(which),
    );
    Ok(rows.fetch_all(&core.pool).await?)
}

async fn own(core: &Core, actor: &Actor, which: &ListBookings) -> Result<Vec<Row>> {
    let (at, id) = begin(which);
    let rows = select_bookings!(
        r#"WHERE b.customer_id = ANY(ARRAY(SELECT customers.id FROM customers WHERE customers.user_id = $1))
             AND (lower(b.during), b.id) > ($2, $3) AND ($4::timestamptz IS NULL OR lower(b.during) < $4)
             AND b.status = ANY($5) AND ($6::uuid IS NULL OR b.staff_id = $6)
           ORDER BY lower(b.during), b.id LIMIT $7"#,
        actor.user_id(),
        at,
        id,
        which.to,
        &statuses(which) as &[BookingStatus],
        which.staff_id,
        rows_wanted(which),
    );
    Ok(rows.fetch_all(&core.pool).await?)
}
