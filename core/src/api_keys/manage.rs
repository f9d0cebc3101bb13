use chrono::{DateTime, Utc};
use punctual_queue::new_id;
use sqlx::PgPool;
use uuid::Uuid;

use super::{ApiKeySecret, Scope};
use crate::transaction::change;
use crate::types::{Cursor, Label, Page, PageSize, ParseError};
use crate::{Core, Error, Result};

/// Most keys in use.
const MAX_KEYS: i64 = 1000;

/// An API key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: Uuid,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it expires.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, exact to a minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

/// A new key.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// What it is for.
    pub name: Label,
    /// What it may do; at least one.
    pub scopes: Vec<Scope>,
    /// When it expires; none: never.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Creates a key from 32 random bytes. Only this answer contains them.
///
/// # Errors
/// [`Error::Invalid`] without a scope, with an expiry that is past, or when 1,000 keys are in use; [`Error::Unavailable`].
pub async fn create(core: &Core, new: NewApiKey, random: [u8; 32]) -> Result<(ApiKey, ApiKeySecret)> {
    let invalid = |pointer, code, text| Error::Invalid { pointer, error: ParseError::new(code, text) };
    let (now, mut scopes) = (core.now(), new.scopes);
    scopes.sort_unstable();
    scopes.dedup();
    if scopes.is_empty() {
        return Err(invalid(
            "/scopes",
            "required",
            "a key without a scope may do nothing: name at least one",
        ));
    }
    if new.expires_at.is_some_and(|at| at <= now) {
        return Err(invalid(
            "/expires_at",
            "in_past",
            "is in the past: name a later instant, or leave it out",
        ));
    }
    let secret = ApiKeySecret::new(new_id(now), random);
    let key = ApiKey {
        id: secret.id,
        name: new.name.as_str().to_owned(),
        scopes,
        expires_at: new.expires_at,
        last_used_at: None,
        revoked_at: None,
        created_at: now,
    };
    change(core, (key.clone(), secret.sha256()), |(key, sha256), tx, now| {
        Box::pin(async move {
            let in_use = sqlx::query_scalar!(
                r#"SELECT count(*) AS "count!" FROM api_keys
                   WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $1)"#,
                now,
            )
            .fetch_one(&mut *tx)
            .await?;
            if in_use >= MAX_KEYS {
                let error = ParseError::new("too_many", "1,000 API keys are in use: revoke one first");
                return Err(Error::Invalid { pointer: "", error });
            }
            let scopes: Vec<String> = key.scopes.iter().map(ToString::to_string).collect();
            sqlx::query!(
                "INSERT INTO api_keys (id, name, secret_sha256, scopes, expires_at, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6)",
                key.id,
                key.name,
                sha256.as_slice(),
                &scopes,
                key.expires_at,
                key.created_at,
            )
            .execute(tx)
            .await?;
            Ok(())
        })
    })
    .await?;
    tracing::info!(key_id = %key.id, "an API key was made");
    Ok((key, secret))
}

/// The keys, the newest first, also those that have ended.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn list(pool: &PgPool, size: PageSize, before: Option<Cursor>) -> Result<Page<ApiKey>> {
    // Plan: api_keys_pkey, backwards. Ids grow with time.
    let mut rows = sqlx::query!(
        "SELECT id, name, scopes, expires_at, last_used_at, revoked_at, created_at FROM api_keys
         WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT $2",
        before.map(|cursor| cursor.id),
        i64::try_from(size.rows() + 1).unwrap_or(i64::MAX),
    )
    .fetch_all(pool)
    .await?;
    let more = rows.len() > size.rows();
    rows.truncate(size.rows());
    let data: Vec<ApiKey> = rows
        .into_iter()
        .map(|row| ApiKey {
            id: row.id,
            name: row.name,
            scopes: row.scopes.iter().filter_map(|text| Scope::parse(text).ok()).collect(),
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            revoked_at: row.revoked_at,
            created_at: row.created_at,
        })
        .collect();
    let last = data.last().map(|last| Cursor { at: last.created_at, id: last.id });
    Ok(Page { next_cursor: last.filter(|_| more), data })
}

/// Revokes a key: its next request is refused. A revoked key is not changed.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Unavailable`].
pub async fn revoke(core: &Core, id: Uuid) -> Result<()> {
    change(core, id, |id, tx, now| {
        Box::pin(async move {
            let revoked = sqlx::query!(
                "UPDATE api_keys SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1",
                id,
                now
            )
            .execute(tx)
            .await?;
            if revoked.rows_affected() == 1 { Ok(()) } else { Err(Error::NotFound("API key")) }
        })
    })
    .await?;
    tracing::info!(key_id = %id, "an API key was revoked");
    Ok(())
}
