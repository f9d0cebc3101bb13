//! A login and its refresh tokens.

use chrono::{DateTime, Utc};
use punctual_queue::new_id;
use sqlx::{PgConnection, PgExecutor, PgPool};
use uuid::Uuid;

use super::{Session, TokenHash};
use crate::types::Role;
use crate::{Error, Result};

/// Starts a family after a successful login. `token_epoch` is the account's epoch when its password was verified.
/// [`Error::SessionEnded`] when the account is gone or its password was changed since.
pub async fn start(
    db: impl PgExecutor<'_>,
    now: DateTime<Utc>,
    user_id: Uuid,
    token_epoch: i32,
    token: &TokenHash,
    expires_at: DateTime<Utc>,
) -> Result<Session> {
    let id = new_id(now);
    sqlx::query_as!(
        Session,
        r#"WITH owner AS (
               SELECT id, role, token_epoch FROM users WHERE id = $2 AND token_epoch = $3 FOR SHARE
           ), issued AS (
               INSERT INTO refresh_tokens (id, family_id, user_id, token_hash, created_at, expires_at)
               SELECT $1, $1, id, $4, $5, $6 FROM owner
           )
           SELECT $1::uuid AS "family_id!", id AS "user_id", role AS "role: Role", token_epoch FROM owner"#,
        id,
        user_id,
        token_epoch,
        token.as_bytes(),
        now,
        expires_at,
    )
    .fetch_optional(db)
    .await?
    .ok_or(Error::SessionEnded)
}

/// Exchanges a token for its successor. Reuse of a spent token means that it was stolen: the whole family is revoked and
/// its user has to log in again.
/// [`Error::InvalidRefreshToken`] unless the token is known, unspent, unrevoked and unexpired.
pub async fn rotate(
    pool: &PgPool,
    now: DateTime<Utc>,
    presented: &TokenHash,
    successor: &TokenHash,
    expires_at: DateTime<Utc>,
) -> Result<Session> {
    let mut tx = pool.begin().await?;
    let token = sqlx::query!(
        "SELECT id, family_id, user_id, expires_at, spent_at, revoked_at
         FROM refresh_tokens WHERE token_hash = $1 FOR NO KEY UPDATE",
        presented.as_bytes()
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(Error::InvalidRefreshToken)?;
    if token.spent_at.is_some() && token.revoked_at.is_none() {
        revoke_family(&mut tx, now, token.family_id).await?;
        tx.commit().await?;
        tracing::warn!(user_id = %token.user_id, family_id = %token.family_id, "a spent refresh token was used again");
        return Err(Error::InvalidRefreshToken);
    }
    if token.spent_at.is_some() || token.revoked_at.is_some() || token.expires_at <= now {
        return Err(Error::InvalidRefreshToken);
    }
    sqlx::query!("UPDATE refresh_tokens SET spent_at = $2 WHERE id = $1", token.id, now)
        .execute(&mut *tx)
        .await?;
    sqlx::query!(
        "INSERT INTO refresh_tokens (id, family_id, user_id, token_hash, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        new_id(now),
        token.family_id,
        token.user_id,
        successor.as_bytes(),
        now,
        expires_at,
    )
    .execute(&mut *tx)
    .await?;
    let owner =
        sqlx::query!(r#"SELECT role AS "role: Role", token_epoch FROM users WHERE id = $1"#, token.user_id)
            .fetch_one(&mut *tx)
            .await?;
    tx.commit().await?;
    Ok(Session {
        family_id: token.family_id,
        user_id: token.user_id,
        role: owner.role,
        token_epoch: owner.token_epoch,
    })
}

/// Ends the login of this token. An unknown token is no error.
pub async fn logout(pool: &PgPool, now: DateTime<Utc>, presented: &TokenHash) -> Result<()> {
    let mut conn = pool.acquire().await?;
    let family = sqlx::query_scalar!(
        "SELECT family_id FROM refresh_tokens WHERE token_hash = $1",
        presented.as_bytes()
    )
    .fetch_optional(&mut *conn)
    .await?;
    if let Some(family_id) = family {
        revoke_family(&mut conn, now, family_id).await?;
    }
    Ok(())
}

/// Repeats until no row is left: a concurrent rotation holds the lock of the row that is updated first, and its successor
/// is seen by the next statement.
async fn revoke_family(conn: &mut PgConnection, now: DateTime<Utc>, family_id: Uuid) -> Result<()> {
    loop {
        let revoked = sqlx::query!(
            "UPDATE refresh_tokens SET revoked_at = $2 WHERE family_id = $1 AND revoked_at IS NULL",
            family_id,
            now
        )
        .execute(&mut *conn)
        .await?;
        if revoked.rows_affected() == 0 {
            return Ok(());
        }
    }
}
