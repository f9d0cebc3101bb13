use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use punctual_queue::{Job, Payload as _, enqueue_many, new_id};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::DeliverWebhook;
use crate::changes::{self, EventType, Position, Reference};
use crate::{Core, Error, Result};

/// Most endpoints of one transaction.
const ENDPOINTS: i64 = 200;
/// Most events that one transaction reads for endpoints at the same position.
const EVENTS: usize = 100;

/// Priority of deliveries to endpoints whose last attempt failed: after those to all others.
const PRIORITY_OF_FAILING: i16 = 1;

/// The result of one run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FannedOut {
    /// Deliveries created.
    pub deliveries: u64,
    /// Endpoints whose position moved.
    pub endpoints: u64,
}

/// Creates the deliveries of events that active endpoints have not received, and moves the endpoints' positions in the feed,
/// in one transaction. Several workers may run it at once: each takes endpoints that no other one has locked. There may be
/// more events: call it until it moves no endpoint.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn fan_out(core: &Core) -> Result<FannedOut> {
    let Some(head) = head_if_behind(&core.pool).await? else { return Ok(FannedOut::default()) };
    let now = core.now();
    let mut tx = core.pool.begin().await?;
    let behind = lock_behind(&mut tx, head).await?;
    let mut made = FannedOut::default();
    let mut by_place: BTreeMap<Position, Vec<LaggingEndpoint>> = BTreeMap::new();
    for endpoint in behind {
        by_place.entry(endpoint.position).or_default().push(endpoint);
    }
    for (position, endpoints) in by_place {
        let moved = move_on(&mut tx, now, position, &endpoints).await?;
        made.endpoints += moved.endpoints;
        made.deliveries += moved.deliveries;
    }
    tx.commit().await?;
    if made.deliveries > 0 {
        core.wake.wake(DeliverWebhook::QUEUE);
    }
    Ok(made)
}

struct LaggingEndpoint {
    id: Uuid,
    position: Position,
    types: Vec<String>,
    /// Its last attempt failed.
    is_failing: bool,
}

/// The position of the last event that can be read, if an active endpoint has not reached it. Takes no locks, because it runs
/// four times a second.
async fn head_if_behind(pool: &PgPool) -> Result<Option<Position>> {
    // Plan: the last row of each of the two feed indexes, then webhook_endpoints_active. Events after the position of each
    // endpoint would be read with a sequential scan for each: the planner expects a third of all events there.
    let head = sqlx::query!(
        r#"SELECT head.xid::text::bigint AS "xid!", head.id AS "id!" FROM (
               SELECT feed.xid, feed.id FROM (
                   (SELECT xid, id FROM booking_events WHERE xid < pg_snapshot_xmin(pg_current_snapshot())
                    ORDER BY xid DESC, id DESC LIMIT 1)
                   UNION ALL
                   (SELECT xid, id FROM catalogue_events WHERE xid < pg_snapshot_xmin(pg_current_snapshot())
                    ORDER BY xid DESC, id DESC LIMIT 1)
               ) AS feed ORDER BY feed.xid DESC, feed.id DESC LIMIT 1
           ) AS head
           WHERE EXISTS (SELECT FROM webhook_endpoints
                         WHERE status = 'active' AND (cursor_xid, cursor_id) < (head.xid, head.id))"#,
    )
    .fetch_optional(pool)
    .await?;
    Ok(head.map(|head| Position { xid: head.xid, id: head.id }))
}

async fn lock_behind(tx: &mut PgConnection, head: Position) -> Result<Vec<LaggingEndpoint>> {
    let rows = sqlx::query!(
        r#"SELECT id, cursor_xid::text::bigint AS "cursor_xid!", cursor_id, types, failing_since IS NOT NULL AS "is_failing!"
           FROM webhook_endpoints
           WHERE status = 'active' AND (cursor_xid, cursor_id) < ($1::bigint::text::xid8, $2)
           ORDER BY cursor_xid, cursor_id LIMIT $3
           FOR NO KEY UPDATE SKIP LOCKED"#,
        head.xid,
        head.id,
        ENDPOINTS,
    )
    .fetch_all(tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| LaggingEndpoint {
            id: row.id,
            position: Position { xid: row.cursor_xid, id: row.cursor_id },
            types: row.types,
            is_failing: row.is_failing,
        })
        .collect())
}

/// A new delivery.
struct New {
    endpoint_id: Uuid,
    is_failing: bool,
    event_id: i64,
    event_type: EventType,
    reference: Reference,
}

async fn move_on(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    position: Position,
    endpoints: &[LaggingEndpoint],
) -> Result<FannedOut> {
    let found = changes::after(tx, position, EVENTS).await?;
    let Some(last) = found.last().map(|found| found.position) else { return Ok(FannedOut::default()) };
    let mut new = Vec::new();
    for found in &found {
        let Some((event_type, reference)) = found.event else { continue };
        let wants = |endpoint: &&LaggingEndpoint| {
            endpoint.types.is_empty() || endpoint.types.iter().any(|t| t == event_type.as_str())
        };
        new.extend(endpoints.iter().filter(wants).map(|endpoint| New {
            endpoint_id: endpoint.id,
            is_failing: endpoint.is_failing,
            event_id: found.position.id,
            event_type,
            reference,
        }));
    }
    let deliveries = insert(tx, now, &new).await?;
    let ids: Vec<Uuid> = endpoints.iter().map(|endpoint| endpoint.id).collect();
    let moved = sqlx::query!(
        "UPDATE webhook_endpoints SET cursor_xid = $2::bigint::text::xid8, cursor_id = $3 WHERE id = ANY($1)",
        &ids,
        last.xid,
        last.id,
    )
    .execute(&mut *tx)
    .await?;
    if moved.rows_affected() != ids.len() as u64 {
        return Err(Error::internal("fanning out events", "an endpoint vanished while it was locked"));
    }
    Ok(FannedOut { deliveries, endpoints: ids.len() as u64 })
}

/// Stores deliveries with their jobs. An existing one (a replay came first) is not changed.
async fn insert(tx: &mut PgConnection, now: DateTime<Utc>, new: &[New]) -> Result<u64> {
    if new.is_empty() {
        return Ok(0);
    }
    let ids: Vec<Uuid> = new.iter().map(|_| new_id(now)).collect();
    let endpoints: Vec<Uuid> = new.iter().map(|new| new.endpoint_id).collect();
    let events: Vec<i64> = new.iter().map(|new| new.event_id).collect();
    let types: Vec<String> = new.iter().map(|new| new.event_type.as_str().to_owned()).collect();
    let (bookings, revs): (Vec<Option<Uuid>>, Vec<Option<i32>>) = new
        .iter()
        .map(|new| match new.reference {
            Reference::Booking { id, rev } => (Some(id), Some(rev)),
            Reference::Catalogue(_) => (None, None),
        })
        .unzip();
    let made = sqlx::query!(
        "INSERT INTO webhook_deliveries (id, endpoint_id, event_id, event_type, booking_id, booking_rev, created_at)
         SELECT i.*, $7 FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::uuid[], $6::integer[]) AS i
         ON CONFLICT ON CONSTRAINT webhook_deliveries_once DO NOTHING
         RETURNING id, endpoint_id",
        &ids,
        &endpoints,
        &events,
        &types,
        &bookings as _,
        &revs as _,
        now,
    )
    .fetch_all(&mut *tx)
    .await?;
    let failing: HashSet<Uuid> = new.iter().filter(|new| new.is_failing).map(|new| new.endpoint_id).collect();
    let jobs = made.iter().map(|made| {
        let job = job(made.id, made.endpoint_id)?;
        Ok(if failing.contains(&made.endpoint_id) { job.priority(PRIORITY_OF_FAILING) } else { job })
    });
    let jobs = jobs.collect::<Result<Vec<_>>>()?;
    enqueue_many(tx, now, jobs).await?;
    Ok(made.len() as u64)
}

/// The job of a delivery. Those of one endpoint share a limit.
pub(super) fn job(delivery_id: Uuid, endpoint_id: Uuid) -> Result<Job> {
    let job = Job::new(&DeliverWebhook { delivery_id })?;
    Ok(job.unique_key(delivery_id.to_string()).limit_key(endpoint_id.to_string()))
}
