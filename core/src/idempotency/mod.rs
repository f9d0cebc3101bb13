//! Idempotency keys: a repeated request gets the answer of the first. The stored answer commits with the work itself; a
//! failed request stores nothing, which frees its key.

mod key;
mod many;
mod once;
mod request;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::{PgConnection, PgExecutor, PgPool};
use uuid::Uuid;

use crate::{Error, Result};

pub use key::{Answer, IdempotencyKey};
pub(crate) use many::{KeyState, lock_keys, store_many};
pub(crate) use once::change_once;
pub(crate) use request::{Guest, Request};

/// Retention of a stored answer.
const RETENTION: TimeDelta = TimeDelta::hours(24);

/// The result of a claim.
pub(crate) enum Claim<T> {
    /// The key is claimed: do the work, then [`store`] its answer.
    Ours,
    /// The answer of an earlier equal request.
    Answered(T),
}

/// Claims the key within the caller's transaction. Waits for another request that is using it, as long as the
/// connection's `lock_timeout` allows.
pub(crate) async fn claim<T: DeserializeOwned>(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    request: &Request,
) -> Result<Claim<T>> {
    // A key that expires or is freed between the two statements is claimed by the next attempt.
    for _ in 0..3 {
        let claimed = sqlx::query!(
            "INSERT INTO idempotency_keys AS k (scope, key, request_hash, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (scope, key) DO UPDATE
             SET request_hash = $3, response = NULL, created_at = $4, expires_at = $5
             WHERE k.expires_at <= $4",
            request.scope(),
            request.key(),
            request.hash(),
            now,
            now + RETENTION,
        )
        .execute(&mut *tx)
        .await
        .map_err(in_progress)?;
        if claimed.rows_affected() == 1 {
            return Ok(Claim::Ours);
        }
        let Some(stored) = find(&mut *tx, request).await? else { continue };
        if stored.request_hash != request.hash() {
            return Err(Error::IdempotencyKeyReused);
        }
        return Ok(Claim::Answered(stored.answer()?));
    }
    Err(Error::IdempotencyInProgress)
}

/// A claimed key.
struct Stored {
    request_hash: Vec<u8>,
    response: Option<Value>,
}

impl Stored {
    fn answer<T: DeserializeOwned>(self) -> Result<T> {
        let response = self.response.ok_or_else(|| Error::internal("idempotency", "an answer is missing"))?;
        serde_json::from_value(response)
            .map_err(|error| Error::internal("a stored answer cannot be read", error))
    }
}

async fn find(db: impl PgExecutor<'_>, request: &Request) -> Result<Option<Stored>> {
    let stored = sqlx::query_as!(
        Stored,
        "SELECT request_hash, response FROM idempotency_keys WHERE scope = $1 AND key = $2",
        request.scope(),
        request.key(),
    )
    .fetch_optional(db)
    .await?;
    Ok(stored)
}

/// The stored answer of the key, for this body or another; one that has expired too, until [`prune`] deletes it.
pub(crate) async fn answer<T: DeserializeOwned>(pool: &PgPool, request: &Request) -> Result<Option<T>> {
    find(pool, request).await?.map(Stored::answer).transpose()
}

/// Stores the answer, within the transaction that claimed the key.
pub(crate) async fn store<T: Serialize + Sync>(
    tx: &mut PgConnection,
    request: &Request,
    answer: &T,
) -> Result<()> {
    let response =
        serde_json::to_value(answer).map_err(|error| Error::internal("an answer cannot be stored", error))?;
    let stored = sqlx::query!(
        "UPDATE idempotency_keys SET response = $3 WHERE scope = $1 AND key = $2",
        request.scope(),
        request.key(),
        response,
    )
    .execute(tx)
    .await?;
    if stored.rows_affected() == 1 {
        Ok(())
    } else {
        Err(Error::internal("idempotency", "the claim is gone"))
    }
}

/// Whether the key has a stored answer, for this body or another.
pub(crate) async fn is_known(pool: &PgPool, now: DateTime<Utc>, request: &Request) -> Result<bool> {
    let known = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM idempotency_keys WHERE scope = $1 AND key = $2 AND expires_at > $3) AS "known!""#,
        request.scope(),
        request.key(),
        now,
    )
    .fetch_one(pool)
    .await?;
    Ok(known)
}

/// Deletes expired keys; returns how many. Run by a periodic job.
pub async fn prune(pool: &PgPool, now: DateTime<Utc>) -> Result<u64> {
    let pruned =
        sqlx::query!("DELETE FROM idempotency_keys WHERE expires_at <= $1", now).execute(pool).await?;
    Ok(pruned.rows_affected())
}

/// Deletes the stored answers that contain these bookings: each has the id of a booking, or of a series.
pub(crate) async fn forget_bookings(
    tx: &mut PgConnection,
    booking_ids: &[Uuid],
    series_ids: &[Uuid],
) -> Result<()> {
    let ids: Vec<String> = booking_ids.iter().chain(series_ids).map(Uuid::to_string).collect();
    // Scans the whole table, which holds one day: an index would slow every booking down.
    sqlx::query!("DELETE FROM idempotency_keys WHERE response ->> 'id' = ANY($1)", &ids).execute(tx).await?;
    Ok(())
}

/// Deletes the keys of an account.
pub(crate) async fn forget_account(tx: &mut PgConnection, user_id: Uuid) -> Result<()> {
    sqlx::query!("DELETE FROM idempotency_keys WHERE right(scope, 36) = $1", user_id.to_string())
        .execute(tx)
        .await?;
    Ok(())
}

/// Maps the end of a wait by `lock_timeout`: another request with the key is running.
fn in_progress(error: sqlx::Error) -> Error {
    match error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref() {
        Some("55P03") => Error::IdempotencyInProgress,
        _ => error.into(),
    }
}
