use chrono::{DateTime, TimeDelta, Utc};
use punctual_queue::{enqueue_many, new_id};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::fan_out::job;
use super::source::Source;
use super::{DeliverWebhook, payload};
use crate::changes::{self, EventType};
use crate::transaction::change_waking;
use crate::types::{Cursor, Page, PageSize, ParseError};
use crate::{Core, Error, Result};

/// How long deliveries that have ended are kept.
const RETENTION: TimeDelta = TimeDelta::days(30);
/// Most deliveries that one replay restarts.
const MAX_REPLAYED: i64 = 1000;
const QUEUES: &[&str] = &[<DeliverWebhook as punctual_queue::Payload>::QUEUE];

/// The status of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "delivery_status", rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// Its job has not succeeded yet.
    Pending,
    /// The endpoint answered with 2xx.
    Delivered,
    /// Given up; it can be replayed.
    Failed,
}

/// One event for one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: Uuid,
    /// The event's number; `evt_` and this is its `webhook-id`.
    pub event_id: i64,
    /// The event's type.
    pub event_type: EventType,
    /// The booking of a booking's event.
    pub booking_id: Option<Uuid>,
    /// Its status.
    pub status: DeliveryStatus,
    /// How often it was posted.
    pub attempts: i32,
    /// HTTP status of the last answer.
    pub answer_code: Option<i32>,
    /// Beginning of the last answer's body.
    pub answer: Option<String>,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// Milliseconds of the last attempt.
    pub took_ms: Option<i32>,
    /// When the last attempt was made.
    pub attempted_at: Option<DateTime<Utc>>,
    /// When the event was taken from the feed.
    pub created_at: DateTime<Utc>,
}

impl Delivery {
    /// The event's id as clients see it: the `webhook-id`.
    #[must_use]
    pub fn public_id(&self) -> String {
        changes::public_id(self.event_id)
    }
}

/// A row of `webhook_deliveries`.
struct Row {
    id: Uuid,
    event_id: i64,
    event_type: String,
    booking_id: Option<Uuid>,
    booking_rev: Option<i32>,
    status: DeliveryStatus,
    attempts: i32,
    answer_code: Option<i32>,
    answer: Option<String>,
    error: Option<String>,
    took_ms: Option<i32>,
    attempted_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl Row {
    fn delivery(self) -> Result<Delivery> {
        let stored = |error: ParseError| Error::internal("webhook_deliveries hold a bad type", error);
        Ok(Delivery {
            id: self.id,
            event_id: self.event_id,
            event_type: EventType::parse(&self.event_type).map_err(stored)?,
            booking_id: self.booking_id,
            status: self.status,
            attempts: self.attempts,
            answer_code: self.answer_code,
            answer: self.answer,
            error: self.error,
            took_ms: self.took_ms,
            attempted_at: self.attempted_at,
            created_at: self.created_at,
        })
    }
}

/// `SELECT` of [`Row`]s; what follows `FROM webhook_deliveries` is the caller's.
macro_rules! select_deliveries {
    ($tail:tt $(, $value:expr)* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"SELECT id, event_id, event_type, booking_id, booking_rev, status AS "status: DeliveryStatus", attempts,
                      answer_code, answer, error, took_ms, attempted_at, created_at
               FROM webhook_deliveries "# + $tail
            $(, $value)*
        )
    };
}

/// The deliveries of an endpoint, the newest first.
///
/// # Errors
/// [`Error::NotFound`] when there is no such endpoint; [`Error::Unavailable`].
pub async fn deliveries(
    pool: &PgPool,
    endpoint_id: Uuid,
    status: Option<DeliveryStatus>,
    size: PageSize,
    before: Option<Cursor>,
) -> Result<Page<Delivery>> {
    super::get(pool, endpoint_id).await?;
    let (at, id) = before.map(|cursor| (cursor.at, cursor.id)).unzip();
    // Plan: webhook_deliveries_by_endpoint, backwards.
    let mut rows = select_deliveries!(
        "WHERE endpoint_id = $1 AND ($2::delivery_status IS NULL OR status = $2)
           AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4))
         ORDER BY created_at DESC, id DESC LIMIT $5",
        endpoint_id,
        status as _,
        at,
        id,
        i64::try_from(size.rows() + 1).unwrap_or(i64::MAX),
    )
    .fetch_all(pool)
    .await?;
    let more = rows.len() > size.rows();
    rows.truncate(size.rows());
    let data = rows.into_iter().map(Row::delivery).collect::<Result<Vec<_>>>()?;
    let last = data.last().map(|last| Cursor { at: last.created_at, id: last.id });
    Ok(Page { next_cursor: last.filter(|_| more), data })
}

/// One delivery with the body that is posted, without the customer; no body once the event was removed.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Unavailable`].
pub async fn delivery(pool: &PgPool, endpoint_id: Uuid, id: Uuid) -> Result<(Delivery, Option<Value>)> {
    let mut conn = pool.acquire().await?;
    let row = select_deliveries!("WHERE endpoint_id = $1 AND id = $2", endpoint_id, id)
        .fetch_optional(&mut *conn)
        .await?
        .ok_or(Error::NotFound("webhook delivery"))?;
    let source = Source {
        event_id: row.event_id,
        event_type: &row.event_type,
        booking: row.booking_id.zip(row.booking_rev),
        created_at: row.created_at,
    };
    let event = source.event(&mut conn).await?;
    Ok((row.delivery()?, event.map(|event| payload(&event, None))))
}

/// Posts one delivery again, with the same `webhook-id`. Does nothing if its job is still waiting.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Unavailable`].
pub async fn replay_one(core: &Core, endpoint_id: Uuid, delivery_id: Uuid) -> Result<u64> {
    change_waking(core, QUEUES, (endpoint_id, delivery_id), |(endpoint_id, delivery_id), tx, now| {
        Box::pin(async move {
            let found = sqlx::query_scalar!(
                "SELECT id FROM webhook_deliveries WHERE endpoint_id = $1 AND id = $2 FOR NO KEY UPDATE",
                endpoint_id,
                delivery_id,
            )
            .fetch_all(&mut *tx)
            .await?;
            if found.is_empty() {
                return Err(Error::NotFound("webhook delivery"));
            }
            start_anew(tx, now, *endpoint_id, found).await
        })
    })
    .await
}

/// Posts the failed deliveries of an endpoint again, oldest first, at most 1,000.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Unavailable`].
pub async fn replay_failed(core: &Core, endpoint_id: Uuid) -> Result<u64> {
    super::get(&core.pool, endpoint_id).await?;
    change_waking(core, QUEUES, endpoint_id, |endpoint_id, tx, now| {
        Box::pin(async move {
            let found = sqlx::query_scalar!(
                "SELECT id FROM webhook_deliveries WHERE endpoint_id = $1 AND status = 'failed'
                 ORDER BY created_at, id LIMIT $2 FOR NO KEY UPDATE",
                endpoint_id,
                MAX_REPLAYED,
            )
            .fetch_all(&mut *tx)
            .await?;
            start_anew(tx, now, *endpoint_id, found).await
        })
    })
    .await
}

/// Posts the deliveries made since an instant again, in any status, oldest first, at most 1,000.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Unavailable`].
pub async fn replay_from(core: &Core, endpoint_id: Uuid, from: DateTime<Utc>) -> Result<u64> {
    super::get(&core.pool, endpoint_id).await?;
    change_waking(core, QUEUES, (endpoint_id, from), |(endpoint_id, from), tx, now| {
        Box::pin(async move {
            let found = sqlx::query_scalar!(
                "SELECT id FROM webhook_deliveries WHERE endpoint_id = $1 AND created_at >= $2
                 ORDER BY created_at, id LIMIT $3 FOR NO KEY UPDATE",
                endpoint_id,
                from,
                MAX_REPLAYED,
            )
            .fetch_all(&mut *tx)
            .await?;
            start_anew(tx, now, *endpoint_id, found).await
        })
    })
    .await
}

async fn start_anew(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    endpoint_id: Uuid,
    ids: Vec<Uuid>,
) -> Result<u64> {
    let reset = sqlx::query!("UPDATE webhook_deliveries SET status = 'pending' WHERE id = ANY($1)", &ids)
        .execute(&mut *tx)
        .await?;
    let jobs = ids.iter().map(|id| job(*id, endpoint_id)).collect::<Result<Vec<_>>>()?;
    enqueue_many(tx, now, jobs).await?;
    Ok(reset.rows_affected())
}

/// Delivers a test event to an endpoint, whatever types it subscribes to; returns the delivery.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Unavailable`].
pub async fn send_test(core: &Core, endpoint_id: Uuid) -> Result<Delivery> {
    super::get(&core.pool, endpoint_id).await?;
    let id = change_waking(core, QUEUES, endpoint_id, |endpoint_id, tx, now| {
        Box::pin(async move {
            let id = new_id(now);
            sqlx::query!(
                "INSERT INTO webhook_deliveries (id, endpoint_id, event_id, event_type, created_at)
                 VALUES ($1, $2, nextval('change_ids'), $3, $4)",
                id,
                endpoint_id,
                EventType::WebhookTest.as_str(),
                now,
            )
            .execute(&mut *tx)
            .await?;
            enqueue_many(tx, now, vec![job(id, *endpoint_id)?]).await?;
            Ok(id)
        })
    })
    .await?;
    delivery(&core.pool, endpoint_id, id).await.map(|(delivery, _)| delivery)
}

/// Removes deliveries that ended more than 30 days ago; returns how many.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn prune(pool: &PgPool, now: DateTime<Utc>) -> Result<u64> {
    let removed = sqlx::query!(
        "DELETE FROM webhook_deliveries WHERE status <> 'pending' AND created_at < $1",
        now - RETENTION
    )
    .execute(pool)
    .await?;
    Ok(removed.rows_affected())
}
