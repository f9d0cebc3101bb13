use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::secret::EndpointSecrets;
use super::source::Source;
use super::{DeliveryStatus, EndpointStatus, WebhookUrl, payload};
use crate::changes;
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

/// A delivery and its endpoint, as they are stored.
struct Row {
    id: Uuid,
    endpoint_id: Uuid,
    event_id: i64,
    event_type: String,
    booking_id: Option<Uuid>,
    booking_rev: Option<i32>,
    status: DeliveryStatus,
    created_at: DateTime<Utc>,
    url: WebhookUrl,
    include_customer: bool,
    endpoint_status: EndpointStatus,
    key_name: String,
    secret_epoch: i32,
    previous_key_name: Option<String>,
    rotated_at: Option<DateTime<Utc>>,
}

impl Row {
    fn source(&self) -> Source<'_> {
        Source {
            event_id: self.event_id,
            event_type: &self.event_type,
            booking: self.booking_id.zip(self.booking_rev),
            created_at: self.created_at,
        }
    }

    fn skip_reason(&self) -> Option<SkipReason> {
        if self.status != DeliveryStatus::Pending {
            return Some(SkipReason::Ended);
        }
        (self.endpoint_status != EndpointStatus::Active).then_some(SkipReason::Stopped)
    }

    /// The secrets that sign at `now`.
    fn secrets(&self, keys: &Keys, now: DateTime<Utc>) -> Result<EndpointSecrets> {
        let mut generations = vec![(self.key_name.as_str(), self.secret_epoch)];
        if let (Some(name), Some(at)) = (&self.previous_key_name, self.rotated_at)
            && now < at + SECRET_OVERLAP
        {
            generations.push((name, self.secret_epoch - 1));
        }
        EndpointSecrets::derive(keys, self.endpoint_id, &generations).ok_or_else(|| {
            Error::internal(
                "signing a webhook",
                "its link key is not configured: rotate the endpoint's secret",
            )
        })
    }
}

/// Reads what is to be posted; the results are in the order of the ids. Each is [`Error::Internal`] when the link key of the
/// endpoint's secret is no longer configured.
///
/// # Errors
/// [`Error::Unavailable`].
pub(super) async fn prepare(
    pool: &PgPool,
    keys: &Keys,
    now: DateTime<Utc>,
    ids: &[Uuid],
) -> Result<Vec<Result<Attempted>>> {
    let mut conn = pool.acquire().await?;
    // Plan: webhook_deliveries_pkey and webhook_endpoints_pkey for each id.
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT d.id, d.endpoint_id, d.event_id, d.event_type, d.booking_id, d.booking_rev,
                  d.status AS "status: DeliveryStatus", d.created_at, w.url AS "url: WebhookUrl", w.include_customer,
                  w.status AS "endpoint_status: EndpointStatus", w.key_name, w.secret_epoch, w.previous_key_name,
                  w.rotated_at
           FROM webhook_deliveries AS d JOIN webhook_endpoints AS w ON w.id = d.endpoint_id
           WHERE d.id = ANY($1)"#,
        ids,
    )
    .fetch_all(&mut *conn)
    .await?;
    let rows: HashMap<Uuid, Row> = rows.into_iter().map(|row| (row.id, row)).collect();
    let wanted: Vec<&Row> = rows.values().filter(|row| row.skip_reason().is_none()).collect();
    let references = wanted.iter().filter_map(|row| row.source().reference().transpose());
    let events = changes::by_references(&mut conn, &references.collect::<Result<_>>()?).await?;
    let with_customer = wanted.iter().filter(|row| row.include_customer).filter_map(|row| row.booking_id);
    let customers = customers_of(&mut conn, &with_customer.collect::<Vec<Uuid>>()).await?;
    let mut prepared = Vec::with_capacity(ids.len());
    for id in ids {
        let Some(row) = rows.get(id) else {
            prepared.push(Ok(Attempted::Skipped(SkipReason::Removed)));
            continue;
        };
        if let Some(why) = row.skip_reason() {
            prepared.push(Ok(Attempted::Skipped(why)));
            continue;
        }
        let event = match row.source().reference()? {
            Some(reference) => events.get(&reference).cloned(),
            None => Some(row.source().test_event(&mut conn).await?),
        };
        let Some(event) = event else {
            prepared.push(Ok(Attempted::Skipped(SkipReason::NoEvent)));
            continue;
        };
        let customer =
            row.booking_id.filter(|_| row.include_customer).and_then(|id| customers.get(&id).cloned());
        prepared.push(row.secrets(keys, now).map(|secrets| {
            Attempted::Ready(Box::new(Prepared {
                endpoint_id: row.endpoint_id,
                url: row.url.clone(),
                webhook_id: event.public_id(),
                names_person: customer.is_some(),
                body: payload(&event, customer).to_string().into_bytes(),
                secrets,
            }))
        }));
    }
    Ok(prepared)
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

/// Current names and contacts by booking; none once the person was erased.
async fn customers_of(conn: &mut PgConnection, booking_ids: &[Uuid]) -> Result<HashMap<Uuid, Value>> {
    if booking_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query!(
        "SELECT b.id AS booking_id, c.id, c.name, c.email::text, c.phone
         FROM bookings AS b JOIN customers AS c ON c.id = b.customer_id
         WHERE b.id = ANY($1) AND c.erased_at IS NULL",
        booking_ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            (
                row.booking_id,
                json!({ "id": row.id, "name": row.name, "email": row.email, "phone": row.phone }),
            )
        })
        .collect())
}

/// Stores a failed attempt and its effect on the endpoint: a 410 ends it, five days without a success disable it;
/// administrators get a mail about either. Returns the endpoint's status if this attempt ended it. The delivery stays
/// pending, because its job decides whether another attempt follows ([`job_ended`]). An ended one is not changed.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn record_failure(
    tx: &mut PgConnection,
    delivery_id: Uuid,
    result: &AttemptResult,
) -> Result<Option<EndpointStatus>> {
    let endpoint_id = sqlx::query_scalar!(
        "UPDATE webhook_deliveries
         SET attempts = attempts + 1, answer_code = $2, answer = $3, error = $4, took_ms = $5, attempted_at = $6
         WHERE id = $1 AND status = 'pending'
         RETURNING endpoint_id",
        delivery_id,
        result.code.map(i32::from),
        result.answer,
        result.error,
        result.took_ms,
        result.at,
    )
    .fetch_optional(&mut *tx)
    .await?;
    // The endpoint was removed meanwhile, or another worker's attempt ended the delivery.
    match endpoint_id {
        Some(endpoint_id) => failed(tx, endpoint_id, result).await,
        None => Ok(None),
    }
}

/// Stores successful attempts; their deliveries end. One that has ended is locked too until its job has ended in the same
/// transaction: no replay can come between.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn record_successes(tx: &mut PgConnection, attempts: &[(Uuid, AttemptResult)]) -> Result<()> {
    let ids: Vec<Uuid> = attempts.iter().map(|(id, _)| *id).collect();
    let codes: Vec<Option<i32>> = attempts.iter().map(|(_, result)| result.code.map(i32::from)).collect();
    let answers: Vec<Option<String>> = attempts.iter().map(|(_, result)| result.answer.clone()).collect();
    let took: Vec<i32> = attempts.iter().map(|(_, result)| result.took_ms).collect();
    let began: Vec<DateTime<Utc>> = attempts.iter().map(|(_, result)| result.at).collect();
    let endpoints = sqlx::query_scalar!(
        "UPDATE webhook_deliveries AS d
         SET status = 'delivered', attempts = d.attempts + 1, answer_code = a.code, answer = a.answer, error = NULL,
             took_ms = a.took_ms, attempted_at = a.at
         FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::integer[], $5::timestamptz[])
              AS a (id, code, answer, took_ms, at)
         WHERE d.id = a.id
         RETURNING d.endpoint_id",
        &ids,
        &codes as _,
        &answers as _,
        &took,
        &began,
    )
    .fetch_all(&mut *tx)
    .await?;
    sqlx::query!(
        "UPDATE webhook_endpoints SET failing_since = NULL WHERE id = ANY($1) AND failing_since IS NOT NULL",
        &endpoints
    )
    .execute(tx)
    .await?;
    Ok(())
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
