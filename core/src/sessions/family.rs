//! A login and its refresh tokens.

use chrono::{DateTime, Utc};
use punctual_queue::new_id;
use sqlx::{PgConnection, PgExecutor, PgPool};
use uuid::Uuid;

use super::{MAX_AGE, Session, TokenHash};
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
               INSERT INTO refresh_tokens
                   (id, family_id, user_id, token_hash, created_at, expires_at, session_started_at)
               SELECT $1, $1, id, $4, $5, $6, $5 FROM owner
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
/// Returns the session and when its new token expires: at `expires_at`, or [`MAX_AGE`] after the login if that is earlier.
/// [`Error::InvalidRefreshToken`] unless the token is known, unspent, unrevoked and unexpired, and its login is younger
/// than [`MAX_AGE`].
pub async fn rotate(
    pool: &PgPool,
    now: DateTime<Utc>,
    presented: &TokenHash,
    successor: &TokenHash,
    expires_at: DateTime<Utc>,
) -> Result<(Session, DateTime<Utc>)> {
    let mut tx = pool.begin().await?;
    let token = sqlx::query!(
        r#"SELECT id, family_id, user_id, expires_at, spent_at, revoked_at,
                  coalesce(session_started_at, created_at) AS "started_at!"
         FROM refresh_tokens WHERE token_hash = $1 FOR NO KEY UPDATE"#,
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
    let ends = token.started_at + MAX_AGE;
    if token.spent_at.is_some() || token.revoked_at.is_some() || token.expires_at <= now || ends <= now {
        return Err(Error::InvalidRefreshToken);
    }
    let expires_at = expires_at.min(ends);
    sqlx::query!("UPDATE refresh_tokens SET spent_at = $2 WHERE id = $1", token.id, now)
        .execute(&mut *tx)
        .await?;
    sqlx::query!(
        "INSERT INTO refresh_tokens (id, family_id, user_id, token_hash, created_at, expires_at, session_started_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        new_id(now),
        token.family_id,
        token.user_id,
        successor.as_bytes(),
        now,
        expires_at,
        token.started_at,
    )
    .execute(&mut *tx)
    .await?;
    let owner =
        sqlx::query!(r#"SELECT role AS "role: Role", token_epoch FROM users WHERE id = $1"#, token.user_id)
            .fetch_one(&mut *tx)
            .await?;
    tx.commit().await?;
    let session = Session {
        family_id: token.family_id,
        user_id: token.user_id,
        role: owner.role,
        token_epoch: owner.token_epoch,
    };
    Ok((session, expires_at))
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

/// A session of an account, as its owner sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionSummary {
    /// The session's id.
    pub id: Uuid,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it was last refreshed.
    pub refreshed_at: DateTime<Utc>,
    /// When it ends unless it is refreshed before.
    pub expires_at: DateTime<Utc>,
}

/// The sessions of an account that can still be refreshed, the one used last first.
pub async fn list(db: impl PgExecutor<'_>, now: DateTime<Utc>, user_id: Uuid) -> Result<Vec<SessionSummary>> {
    let sessions = sqlx::query_as!(
        SessionSummary,
        r#"SELECT family_id AS id, coalesce(session_started_at, created_at) AS "started_at!",
                  created_at AS refreshed_at, expires_at
           FROM refresh_tokens
           WHERE user_id = $1 AND spent_at IS NULL AND revoked_at IS NULL AND expires_at > $2
           ORDER BY created_at DESC, id DESC"#,
        user_id,
        now,
    )
    .fetch_all(db)
    .await?;
    Ok(sessions)
}

/// Ends one session of an account: its refresh token at once, its access tokens wherever the session is checked.
///
/// # Errors
/// [`Error::NotFound`] when it is another account's, or has ended.
pub async fn end(pool: &PgPool, now: DateTime<Utc>, user_id: Uuid, session_id: Uuid) -> Result<()> {
    let mut conn = pool.acquire().await?;
    let live = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM refresh_tokens
                          WHERE family_id = $1 AND user_id = $2 AND spent_at IS NULL AND revoked_at IS NULL
                            AND expires_at > $3) AS "live!""#,
        session_id,
        user_id,
        now,
    )
    .fetch_one(&mut *conn)
    .await?;
    if !live {
        return Err(Error::NotFound("session"));
    }
    revoke_family(&mut conn, now, session_id).await
}

/// Repeats until no row is left: a concurrent rotation may hold the lock of the first row, and only the next statement sees
/// its successor.
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
