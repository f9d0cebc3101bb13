//! The rooms and equipment of bookings. Lock order: staff → resources by id → booking.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::postgres::types::PgRange;
use uuid::Uuid;

use super::place::Placement;
use crate::pool::again_if_cut;
use crate::types::{Actor, ActorKind};
use crate::{Core, Error, Result};

/// A resource that a booking uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedResource {
    /// The resource.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: String,
}

/// The resources that a booking uses, by name; for staff.
///
/// # Errors
/// [`Error::Forbidden`].
pub async fn used_resources(core: &Core, actor: &Actor, booking_id: Uuid) -> Result<Vec<UsedResource>> {
    if !actor.is_staff() {
        return Err(Error::Forbidden);
    }
    again_if_cut(|| async {
        let used = sqlx::query_as!(
            UsedResource,
            "SELECT r.id, r.name, r.kind FROM booking_resources AS b JOIN resources AS r ON r.id = b.resource_id
             WHERE b.booking_id = $1 ORDER BY r.name, r.id",
            booking_id,
        );
        Ok(used.fetch_all(&core.pool).await?)
    })
    .await
}

/// Which resources a transaction is going to give away or give back.
#[derive(Default)]
pub(super) struct ResourceChange<'a> {
    /// Services that are booked: whatever they can need.
    pub services: &'a [Uuid],
    /// Bookings that are changed: what they have.
    pub bookings: &'a [Uuid],
    /// Members of staff whose dead holds are expired: what these have.
    pub staff: &'a [Uuid],
}

/// The resources that a service can need.
pub(super) struct Needed {
    pub service_id: Uuid,
    pub resource_id: Uuid,
}

/// The resources that these services can need. Changes of that lock the staff concerned, whose calendars are to be locked.
pub(super) async fn needed_by(tx: &mut PgConnection, service_ids: &[Uuid]) -> Result<Vec<Needed>> {
    let needed = sqlx::query_as!(
        Needed,
        "SELECT DISTINCT need.service_id, r.id AS resource_id
         FROM service_resources AS need JOIN resources AS r ON r.id = need.resource_id OR r.kind = need.kind
         WHERE need.service_id = ANY($1)",
        service_ids,
    )
    .fetch_all(tx)
    .await?;
    Ok(needed)
}

/// Locks the resources in the order of their ids, gives back those of holds that have run out, and returns those that are locked. Without `wait` those that another
/// transaction has locked are left out. The calendars are to be locked before, the bookings after.
pub(super) async fn lock(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    wanted: ResourceChange<'_>,
    wait: bool,
) -> Result<HashSet<Uuid>> {
    let ids = sqlx::query_scalar!(
        r#"WITH needed AS (
               SELECT r.id FROM service_resources AS need JOIN resources AS r ON r.id = need.resource_id OR r.kind = need.kind
               WHERE need.service_id = ANY($1)
           )
           SELECT id AS "id!" FROM needed
           UNION
           SELECT resource_id FROM booking_resources WHERE booking_id = ANY($2)
           UNION
           SELECT used.resource_id FROM booking_resources AS used JOIN bookings AS b ON b.id = used.booking_id
           WHERE b.staff_id = ANY($3) AND b.status = 'held' AND b.hold_expires_at <= $4
           UNION
           SELECT other.resource_id
           FROM booking_resources AS used JOIN bookings AS b ON b.id = used.booking_id
           JOIN booking_resources AS other ON other.booking_id = b.id
           WHERE used.resource_id IN (SELECT id FROM needed) AND used.blocks AND b.status = 'held'
             AND b.hold_expires_at <= $4"#,
        wanted.services,
        wanted.bookings,
        wanted.staff,
        now,
    )
    .fetch_all(&mut *tx)
    .await?;
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    // A statement of its own: what is read after it is newer than the wait.
    let locked = if wait {
        sqlx::query_scalar!("SELECT id FROM resources WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE", &ids)
            .fetch_all(&mut *tx)
            .await?
    } else {
        sqlx::query_scalar!(
            "SELECT id FROM resources WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED",
            &ids
        )
        .fetch_all(&mut *tx)
        .await?
    };
    expire_dead_holds(tx, now, &locked).await?;
    Ok(locked.into_iter().collect())
}

/// Expires the holds whose time is up that have only these locked resources: the constraint would still keep others out. They may
/// be in calendars that are not locked; one that is being changed there is left.
async fn expire_dead_holds(tx: &mut PgConnection, now: DateTime<Utc>, locked: &[Uuid]) -> Result<()> {
    sqlx::query!(
        "WITH dead AS (
             UPDATE bookings SET status = 'expired', held_by = NULL, rev = rev + 1, updated_at = $1
             WHERE id = ANY(ARRAY(
                 SELECT b.id FROM bookings AS b
                 WHERE b.status = 'held' AND b.hold_expires_at <= $1
                   AND EXISTS (SELECT FROM booking_resources AS used WHERE used.booking_id = b.id AND used.blocks)
                   AND NOT EXISTS (SELECT FROM booking_resources AS used
                                   WHERE used.booking_id = b.id AND used.resource_id <> ALL ($2))
                 ORDER BY b.id FOR NO KEY UPDATE OF b SKIP LOCKED))
             RETURNING id, rev, status
         )
         INSERT INTO booking_events (booking_id, rev, status, change, actor, at)
         SELECT id, rev, status, 'expired', $3, $1 FROM dead",
        now,
        locked,
        ActorKind::System as ActorKind,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Stores the resources of bookings that were inserted or moved.
pub(super) async fn allocate<'a, 'p: 'a>(
    tx: &mut PgConnection,
    placements: impl Iterator<Item = (Uuid, &'a Placement<'p>)>,
) -> Result<()> {
    let (mut bookings, mut resources, mut classes, mut blocked) = (vec![], vec![], vec![], vec![]);
    for (booking_id, placement) in placements {
        let place = &placement.place;
        for resource_id in place.resources.ids() {
            bookings.push(booking_id);
            resources.push(resource_id);
            classes.push(place.class_id.unwrap_or(booking_id));
            blocked.push(PgRange::from(place.blocked.start()..place.blocked.end()));
        }
    }
    if bookings.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO booking_resources (booking_id, resource_id, class_id, blocked, blocks)
         SELECT *, true FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::tstzrange[])",
        &bookings,
        &resources,
        &classes,
        &blocked,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Takes the resources of bookings away that are about to get others.
pub(super) async fn release(tx: &mut PgConnection, booking_ids: &[Uuid]) -> Result<()> {
    sqlx::query!("DELETE FROM booking_resources WHERE booking_id = ANY($1)", booking_ids).execute(tx).await?;
    Ok(())
}
