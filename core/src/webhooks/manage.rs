use chrono::{DateTime, Utc};
use punctual_queue::new_id;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::endpoint::{Row, returning_endpoints, select_endpoints};
use super::secret::EndpointSecrets;
use super::{Endpoint, EndpointStatus, WebhookUrl};
use crate::api_keys::{Area, Right, Scope};
use crate::changes::{self, EventType, Position};
use crate::config::Keys;
use crate::transaction::change;
use crate::types::{ExpectedRev, ParseError, Reason, Rev};
use crate::{Core, Error, Result};

/// Most endpoints of a deployment.
const MAX_ENDPOINTS: i64 = 1000;

/// A new endpoint. It receives events from now on.
#[derive(Debug, Clone)]
pub struct NewEndpoint {
    /// Where events are posted.
    pub url: WebhookUrl,
    /// Description.
    pub description: Reason,
    /// The event types it receives; none: all.
    pub types: Vec<EventType>,
    /// Whether it receives the name and contact of a booking's customer.
    pub include_customer: bool,
}

/// Fields to change; `None` keeps a field.
#[derive(Debug, Clone, Default)]
pub struct EndpointChanges {
    /// Where events are posted.
    pub url: Option<WebhookUrl>,
    /// Description.
    pub description: Option<Reason>,
    /// The event types it receives.
    pub types: Option<Vec<EventType>>,
    /// Whether it receives name and contact of customers.
    pub include_customer: Option<bool>,
    /// Stop (`false`) or continue (`true`) from its position in the feed; also after it was disabled or answered 410.
    pub active: Option<bool>,
}

/// The scope that an API key needs for an endpoint that receives customers' data. Otherwise a key that manages endpoints
/// could read every customer who books.
pub const SEES_CUSTOMERS: Scope = Scope { area: Area::Bookings, right: Right::Read };

/// Creates an endpoint and returns its secret. `sees_customers` as in [`update`].
///
/// # Errors
/// [`Error::Invalid`] when there are 1,000 endpoints already; [`Error::ScopeMissing`] as in [`update`];
/// [`Error::Unavailable`].
pub async fn create(
    core: &Core,
    keys: &Keys,
    new: NewEndpoint,
    sees_customers: bool,
) -> Result<(Endpoint, EndpointSecrets)> {
    if new.include_customer && !sees_customers {
        return Err(Error::ScopeMissing(SEES_CUSTOMERS));
    }
    let key_name = keys.signing().name.clone();
    let endpoint = change(core, (new, key_name.clone()), |(new, key_name), tx, now| {
        Box::pin(insert(tx, now, new, key_name))
    })
    .await?;
    let secrets = derive(keys, endpoint.id, &[(&key_name, 0)])?;
    Ok((endpoint, secrets))
}

async fn insert(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    new: &NewEndpoint,
    key_name: &str,
) -> Result<Endpoint> {
    let count = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM webhook_endpoints"#)
        .fetch_one(&mut *tx)
        .await?;
    if count >= MAX_ENDPOINTS {
        let error = ParseError::new("too_many", "there are 1,000 webhook endpoints: remove one first");
        return Err(Error::Invalid { pointer: "", error });
    }
    let Position { xid, id } = changes::head(tx).await?;
    returning_endpoints!(
        "INSERT INTO webhook_endpoints (id, url, description, types, include_customer, cursor_xid, cursor_id, key_name,
                                        created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6::bigint::text::xid8, $7, $8, $9, $9) RETURNING"
        "" "",
        new_id(now),
        new.url.as_str(),
        new.description.as_str(),
        &names(&new.types),
        new.include_customer,
        xid,
        id,
        key_name,
        now,
    )
    .fetch_one(tx)
    .await?
    .endpoint()
}

fn names(types: &[EventType]) -> Vec<String> {
    types.iter().map(|event_type| event_type.as_str().to_owned()).collect()
}

/// All endpoints, the oldest first.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn list(pool: &PgPool) -> Result<Vec<Endpoint>> {
    let rows = select_endpoints!("ORDER BY id").fetch_all(pool).await?;
    rows.into_iter().map(Row::endpoint).collect()
}

/// One endpoint.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Unavailable`].
pub async fn get(pool: &PgPool, id: Uuid) -> Result<Endpoint> {
    let row = select_endpoints!("WHERE id = $1", id).fetch_optional(pool).await?;
    row.ok_or(Error::NotFound("webhook endpoint"))?.endpoint()
}

/// Changes an endpoint. `sees_customers`: whether the caller has the right of [`SEES_CUSTOMERS`].
///
/// # Errors
/// [`Error::NotFound`], [`Error::RevMismatch`], [`Error::Unavailable`]; [`Error::ScopeMissing`] when the endpoint would
/// receive customers' data that the caller may not see.
pub async fn update(
    core: &Core,
    id: Uuid,
    expected: ExpectedRev,
    changes: EndpointChanges,
    sees_customers: bool,
) -> Result<Endpoint> {
    let args = (id, expected, changes, sees_customers);
    change(core, args, |(id, expected, changes, sees_customers), tx, now| {
        Box::pin(async move {
            let endpoint = apply(tx, now, *id, *expected, changes).await?;
            if endpoint.include_customer && !sees_customers {
                return Err(Error::ScopeMissing(SEES_CUSTOMERS));
            }
            Ok(endpoint)
        })
    })
    .await
}

async fn apply(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    id: Uuid,
    expected: ExpectedRev,
    changes: &EndpointChanges,
) -> Result<Endpoint> {
    lock(tx, id, expected).await?;
    let types = changes.types.as_deref().map(names);
    let status = changes.active.map(|on| if on { EndpointStatus::Active } else { EndpointStatus::Paused });
    returning_endpoints!(
        "UPDATE webhook_endpoints
         SET url = coalesce($2, url), description = coalesce($3, description), types = coalesce($4, types),
             include_customer = coalesce($5, include_customer), status = coalesce($6, status),
             failing_since = CASE WHEN $6 = 'active' THEN NULL ELSE failing_since END, rev = rev + 1, updated_at = $7
         WHERE id = $1 RETURNING"
        "" "",
        id,
        changes.url.as_ref().map(WebhookUrl::as_str),
        changes.description.as_ref().map(Reason::as_str),
        types.as_deref() as _,
        changes.include_customer,
        status as _,
        now,
    )
    .fetch_optional(tx)
    .await?
    .ok_or(Error::NotFound("webhook endpoint"))?
    .endpoint()
}

async fn lock(tx: &mut PgConnection, id: Uuid, expected: ExpectedRev) -> Result<()> {
    let current = sqlx::query_scalar!(
        r#"SELECT rev AS "rev: Rev" FROM webhook_endpoints WHERE id = $1 FOR NO KEY UPDATE"#,
        id
    )
    .fetch_optional(tx)
    .await?
    .ok_or(Error::NotFound("webhook endpoint"))?;
    if expected.matches(current) { Ok(()) } else { Err(Error::RevMismatch { current }) }
}

/// Removes an endpoint with its deliveries. Their jobs end as skipped.
///
/// # Errors
/// [`Error::NotFound`], [`Error::RevMismatch`], [`Error::Unavailable`].
pub async fn remove(core: &Core, id: Uuid, expected: ExpectedRev) -> Result<()> {
    change(core, (id, expected), |(id, expected), tx, _| {
        Box::pin(async move {
            lock(tx, *id, *expected).await?;
            let removed = sqlx::query!("DELETE FROM webhook_endpoints WHERE id = $1", id).execute(tx).await?;
            if removed.rows_affected() == 1 { Ok(()) } else { Err(Error::NotFound("webhook endpoint")) }
        })
    })
    .await
}

/// Gives an endpoint a new secret. For 24 hours deliveries are also signed with the previous one.
///
/// # Errors
/// [`Error::NotFound`], [`Error::RevMismatch`], [`Error::Unavailable`].
pub async fn rotate_secret(
    core: &Core,
    keys: &Keys,
    id: Uuid,
    expected: ExpectedRev,
) -> Result<(Endpoint, EndpointSecrets)> {
    let key_name = keys.signing().name.clone();
    let (endpoint, epoch) =
        change(core, (id, expected, key_name.clone()), |(id, expected, key_name), tx, now| {
            Box::pin(rotate(tx, now, *id, *expected, key_name))
        })
        .await?;
    let secrets = derive(keys, id, &[(&key_name, epoch)])?;
    Ok((endpoint, secrets))
}

async fn rotate(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    id: Uuid,
    expected: ExpectedRev,
    key_name: &str,
) -> Result<(Endpoint, i32)> {
    lock(tx, id, expected).await?;
    let epoch = sqlx::query_scalar!(
        "UPDATE webhook_endpoints
         SET previous_key_name = key_name, key_name = $2, secret_epoch = secret_epoch + 1, rotated_at = $3, rev = rev + 1,
             updated_at = $3
         WHERE id = $1 RETURNING secret_epoch",
        id,
        key_name,
        now,
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(Error::NotFound("webhook endpoint"))?;
    let row = select_endpoints!("WHERE id = $1", id).fetch_one(tx).await?;
    Ok((row.endpoint()?, epoch))
}

fn derive(keys: &Keys, id: Uuid, generations: &[(&str, i32)]) -> Result<EndpointSecrets> {
    EndpointSecrets::derive(keys, id, generations)
        .ok_or_else(|| Error::internal("deriving a webhook secret", "the link key is gone"))
}
