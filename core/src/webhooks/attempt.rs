use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::secret::EndpointSecrets;
use super::source::Source;
use super::{DeliveryStatus, EndpointStatus, WebhookUrl, payload};
use crate::config::Keys;
use crate::notifications::webhook_ended;
use crate::{Error, Result};

/// For how long the secret before a rotation still signs.
const SECRET_OVERLAP: TimeDelta = TimeDelta::hours(24);
/// For how long an endpoint may fail without a success before it is disabled.
const FAILING_LIMIT: TimeDelta = TimeDelta::days(5);

/// A delivery ready to be posted.
#[derive(Debug)]
pub struct Prepared {
    /// The endpoint.
    pub endpoint_id: Uuid,
    /// The URL.
    pub url: WebhookUrl,
    /// The event's id: the same on every attempt and replay.
    pub webhook_id: String,
    /// The body.
    pub body: Vec<u8>,
    /// The secrets that sign it.
    pub secrets: EndpointSecrets,
    /// Whether the body contains personal data: then the answer, which may repeat it, is not stored.
    pub names_person: bool,
}

/// Whether a delivery is to be posted.
#[derive(Debug)]
pub enum Attempted {
    /// Post it.
    Ready(Box<Prepared>),
    /// Do not post it: end it and its job with [`end_unposted`].
    Skipped(SkipReason),
}

/// Why a delivery is not posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipReason {
    /// Its endpoint was removed, and the delivery with it.
    Removed,
    /// It was delivered or given up before.
    Ended,
    /// Its endpoint is not active.
    Stopped,
    /// Its event was removed.
    NoEvent,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptResult {
    /// When it began.
    pub at: DateTime<Utc>,
    /// HTTP status of the answer, if there was one.
    pub code: Option<u16>,
    /// Beginning of the answer's body.
    pub answer: Option<String>,
    /// Why it failed; none: it succeeded.
    pub error: Option<String>,
    /// Milliseconds.
    pub took_ms: i32,
}

/// Reads what is to be posted.
///
/// # Errors
/// [`Error::Unavailable`]; [`Error::Internal`] when the link key of the secret is no longer configured.
pub async fn prepare(pool: &PgPool, keys: &Keys, now: DateTime<Utc>, delivery_id: Uuid) -> Result<Attempted> {
    let mut conn = pool.acquire().await?;
    let row = sqlx::query!(
        r#"SELECT d.endpoint_id, d.event_id, d.event_type, d.booking_id, d.booking_rev,
                  d.status AS "status: DeliveryStatus", d.created_at, w.url AS "url: WebhookUrl", w.include_customer,
                  w.status AS "endpoint_status: EndpointStatus", w.key_name, w.secret_epoch, w.previous_key_name,
                  w.rotated_at
           FROM webhook_deliveries AS d JOIN webhook_endpoints AS w ON w.id = d.endpoint_id
           WHERE d.id = $1"#,
        delivery_id,
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(Attempted::Skipped(SkipReason::Removed)) };
    if row.status != DeliveryStatus::Pending {
        return Ok(Attempted::Skipped(SkipReason::Ended));
    }
    if row.endpoint_status != EndpointStatus::Active {
        return Ok(Attempted::Skipped(SkipReason::Stopped));
    }
    let source = Source {
        event_id: row.event_id,
        event_type: &row.event_type,
        booking: row.booking_id.zip(row.booking_rev),
        created_at: row.created_at,
    };
    let event = source.event(&mut conn).await?;
    let Some(event) = event else { return Ok(Attempted::Skipped(SkipReason::NoEvent)) };
    let customer = match row.booking_id.filter(|_| row.include_customer) {
        Some(booking_id) => customer_of(&mut conn, booking_id).await?,
        None => None,
    };
    let mut generations = vec![(row.key_name.as_str(), row.secret_epoch)];
    if let (Some(name), Some(at)) = (&row.previous_key_name, row.rotated_at)
        && now < at + SECRET_OVERLAP
    {
        generations.push((name, row.secret_epoch - 1));
    }
    let secrets = EndpointSecrets::derive(keys, row.endpoint_id, &generations).ok_or_else(|| {
        Error::internal("signing a webhook", "its link key is not configured: rotate the endpoint's secret")
    })?;
    let names_person = customer.is_some();
    let body = payload(&event, customer).to_string().into_bytes();
    Ok(Attempted::Ready(Box::new(Prepared {
        endpoint_id: row.endpoint_id,
        url: row.url,
        webhook_id: event.public_id(),
        body,
        secrets,
        names_person,
    })))
}

/// Ends a delivery that is not posted. It stays locked until the caller's transaction has ended the job too: a replay
/// restarts both or neither. Returns false if a replay came first: then the job continues.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn end_unposted(tx: &mut PgConnection, delivery_id: Uuid, why: SkipReason) -> Result<bool> {
    let status = sqlx::query_scalar!(
        r#"SELECT status AS "status: DeliveryStatus" FROM webhook_deliveries WHERE id = $1 FOR NO KEY UPDATE"#,
        delivery_id,
    )
    .fetch_optional(&mut *tx)
    .await?;
    if status != Some(DeliveryStatus::Pending) {
        return Ok(true);
    }
    if why == SkipReason::Ended {
        return Ok(false);
    }
    sqlx::query!(
        "UPDATE webhook_deliveries SET status = 'failed', error = 'not posted: the endpoint or the event is gone or stopped'
         WHERE id = $1",
        delivery_id,
    )
    .execute(tx)
    .await?;
    Ok(true)
}

/// Current name and contact; none once the person was erased.
async fn customer_of(conn: &mut PgConnection, booking_id: Uuid) -> Result<Option<Value>> {
    let row = sqlx::query!(
        "SELECT c.id, c.name, c.email::text, c.phone FROM bookings AS b JOIN customers AS c ON c.id = b.customer_id
         WHERE b.id = $1 AND c.erased_at IS NULL",
        booking_id,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| json!({ "id": row.id, "name": row.name, "email": row.email, "phone": row.phone })))
}

/// Stores the result of an attempt and its effect on the endpoint: a 410 ends it, five days without a success disable it;
/// administrators get a mail about either. Returns the endpoint's status if this attempt ended it. A failed delivery stays
/// pending, because its job decides whether another attempt follows ([`job_ended`]). An ended one is not changed.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn record(
    tx: &mut PgConnection,
    delivery_id: Uuid,
    result: &AttemptResult,
) -> Result<Option<EndpointStatus>> {
    let delivered = result.error.is_none();
    let status = if delivered { DeliveryStatus::Delivered } else { DeliveryStatus::Pending };
    // A success also locks a delivery that has ended, until its job has ended: no replay can come between.
    let endpoint_id = sqlx::query_scalar!(
        "UPDATE webhook_deliveries
         SET status = $2, attempts = attempts + 1, answer_code = $3, answer = $4, error = $5, took_ms = $6, attempted_at = $7
         WHERE id = $1 AND (status = 'pending' OR $5::text IS NULL)
         RETURNING endpoint_id",
        delivery_id,
        status as DeliveryStatus,
        result.code.map(i32::from),
        result.answer,
        result.error,
        result.took_ms,
        result.at,
    )
    .fetch_optional(&mut *tx)
    .await?;
    // The endpoint was removed meanwhile, or another worker's attempt ended the delivery.
    let Some(endpoint_id) = endpoint_id else { return Ok(None) };
    if !delivered {
        return failed(tx, endpoint_id, result).await;
    }
    sqlx::query!(
        "UPDATE webhook_endpoints SET failing_since = NULL WHERE id = $1 AND failing_since IS NOT NULL",
        endpoint_id
    )
    .execute(tx)
    .await?;
    Ok(None)
}

async fn failed(
    tx: &mut PgConnection,
    endpoint_id: Uuid,
    result: &AttemptResult,
) -> Result<Option<EndpointStatus>> {
    let since = sqlx::query_scalar!(
        r#"UPDATE webhook_endpoints SET failing_since = coalesce(failing_since, $2) WHERE id = $1 AND status = 'active'
           RETURNING failing_since AS "since!""#,
        endpoint_id,
        result.at,
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(since) = since else { return Ok(None) };
    let ended = if result.code == Some(410) {
        EndpointStatus::Gone
    } else if result.at - since > FAILING_LIMIT {
        EndpointStatus::Disabled
    } else {
        return Ok(None);
    };
    let changed = sqlx::query!(
        "UPDATE webhook_endpoints SET status = $2, rev = rev + 1, updated_at = $3 WHERE id = $1",
        endpoint_id,
        ended as EndpointStatus,
        result.at,
    )
    .execute(&mut *tx)
    .await?;
    if changed.rows_affected() != 1 {
        return Ok(None);
    }
    webhook_ended::plan(tx, result.at, endpoint_id).await?;
    Ok(Some(ended))
}

/// The queue ended the job of a delivery, which can no longer succeed. Returns whether that ended the delivery.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn job_ended(conn: &mut PgConnection, delivery_id: Uuid) -> Result<bool> {
    let ended = sqlx::query!(
        "UPDATE webhook_deliveries SET status = 'failed', error = coalesce(error, 'its job ended')
         WHERE id = $1 AND status = 'pending'",
        delivery_id,
    )
    .execute(conn)
    .await?;
    Ok(ended.rows_affected() == 1)
}
