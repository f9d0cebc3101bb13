use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use super::{ApiKeySecret, Scope, Scopes};
use crate::Result;
use crate::pool::again_if_cut;

/// Precision of `last_used_at`, so that not every request writes.
const LAST_USED_PRECISION: TimeDelta = TimeDelta::minutes(1);

/// A key that may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyInUse {
    /// Its id.
    pub id: Uuid,
    /// What it may do.
    pub scopes: Scopes,
}

/// The key with this secret; `None` if there is none, or it was revoked or has expired. Read for each request, so that
/// a revoked key is refused at once. Updates `last_used_at`.
///
/// # Errors
/// [`crate::Error::Unavailable`].
pub async fn authenticate(
    pool: &PgPool,
    now: DateTime<Utc>,
    secret: &ApiKeySecret,
) -> Result<Option<KeyInUse>> {
    let sha256 = secret.sha256();
    let row = again_if_cut(|| async {
        let row = sqlx::query!(
            "SELECT scopes, last_used_at FROM api_keys
             WHERE id = $1 AND secret_sha256 = $2 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $3)",
            secret.id,
            sha256.as_slice(),
            now,
        );
        Ok(row.fetch_optional(pool).await?)
    })
    .await?;
    let Some(row) = row else { return Ok(None) };
    if row.last_used_at.is_none_or(|at| at + LAST_USED_PRECISION <= now) {
        sqlx::query!(
            "UPDATE api_keys SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)",
            secret.id,
            now,
        )
        .execute(pool)
        .await?;
    }
    // A newer release may have stored a scope that this one does not know.
    let scopes = row.scopes.iter().filter_map(|text| Scope::parse(text).ok()).collect();
    Ok(Some(KeyInUse { id: secret.id, scopes }))
}
