use std::collections::BTreeMap;

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
    if !is_behind(&core.pool).await? {
        return Ok(FannedOut::default());
    }
    let now = core.now();
    let mut tx = core.pool.begin().await?;
    let behind = lock_behind(&mut tx).await?;
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
}

/// Whether an active endpoint has events after its position. Takes no locks, because it runs four times a second.
async fn is_behind(pool: &PgPool) -> Result<bool> {
    // Plan: webhook_endpoints_active, one look into each feed index for each endpoint until one is found.
    let behind = sqlx::query_scalar!(
        r#"SELECT EXISTS (
               SELECT FROM webhook_endpoints AS w
               WHERE w.status = 'active' AND (
                   EXISTS (SELECT FROM booking_events AS e WHERE (e.xid, e.id) > (w.cursor_xid, w.cursor_id)
                           AND e.xid < pg_snapshot_xmin(pg_current_snapshot()))
                   OR EXISTS (SELECT FROM catalogue_events AS e WHERE (e.xid, e.id) > (w.cursor_xid, w.cursor_id)
                              AND e.xid < pg_snapshot_xmin(pg_current_snapshot())))
           ) AS "behind!""#,
    )
    .fetch_one(pool)
    .await?;
    Ok(behind)
}

async fn lock_behind(tx: &mut PgConnection) -> Result<Vec<LaggingEndpoint>> {
    let rows = sqlx::query!(
        r#"SELECT w.id, w.cursor_xid::text::bigint AS "cursor_xid!", w.cursor_id, w.types
           FROM webhook_endpoints AS w
           WHERE w.status = 'active' AND (
               EXISTS (SELECT FROM booking_events AS e WHERE (e.xid, e.id) > (w.cursor_xid, w.cursor_id)
                       AND e.xid < pg_snapshot_xmin(pg_current_snapshot()))
               OR EXISTS (SELECT FROM catalogue_events AS e WHERE (e.xid, e.id) > (w.cursor_xid, w.cursor_id)
                          AND e.xid < pg_snapshot_xmin(pg_current_snapshot())))
           ORDER BY w.cursor_xid, w.cursor_id LIMIT $1
           FOR NO KEY UPDATE SKIP LOCKED"#,
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
        })
        .collect())
}

/// A new delivery.
struct New {
    endpoint_id: Uuid,
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
    let jobs = made.iter().map(|made| job(made.id, made.endpoint_id)).collect::<Result<Vec<_>>>()?;
    enqueue_many(tx, now, jobs).await.map_err(queue_error)?;
    Ok(made.len() as u64)
}

/// The job of a delivery. Those of one endpoint share a limit.
pub(super) fn job(delivery_id: Uuid, endpoint_id: Uuid) -> Result<Job> {
    let job = Job::new(&DeliverWebhook { delivery_id }).map_err(queue_error)?;
    Ok(job.unique_key(delivery_id.to_string()).limit_key(endpoint_id.to_string()))
}

pub(super) fn queue_error(error: punctual_queue::Error) -> Error {
    match error {
        punctual_queue::Error::Database(error) => error.into(),
        other => Error::internal("the queue of webhooks", other),
    }
}
