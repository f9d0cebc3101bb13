//! Sessions: families of single-use refresh tokens (RFC 9700 §4.14.2). Only hashes are stored; the caller issues refresh
//! and access tokens.

mod epochs;
mod family;
mod token_hash;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgExecutor, PgPool};
use uuid::Uuid;

use crate::types::Role;
use crate::{Error, Result};

pub use epochs::Epochs;
pub use family::{SessionSummary, end, list, logout, rotate, start};
pub use token_hash::TokenHash;

/// The claims of an access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The login it descends from.
    pub family_id: Uuid,
    /// The account.
    pub user_id: Uuid,
    /// Role of the account.
    pub role: Role,
    /// Part of access tokens; tokens with an older epoch are refused.
    pub token_epoch: i32,
}

impl Session {
    /// What an access token of the session claims about it.
    #[must_use]
    pub const fn reference(&self) -> SessionRef {
        SessionRef { user_id: self.user_id, family_id: self.family_id, token_epoch: self.token_epoch }
    }
}

/// The session of a token with the account's current role; none if the token is unknown, spent, revoked or expired.
pub async fn find(db: impl PgExecutor<'_>, now: DateTime<Utc>, token: &TokenHash) -> Result<Option<Session>> {
    let session = sqlx::query_as!(
        Session,
        r#"SELECT t.family_id, u.id AS user_id, u.role AS "role: Role", u.token_epoch
           FROM refresh_tokens t JOIN users u ON u.id = t.user_id
           WHERE t.token_hash = $1 AND t.spent_at IS NULL AND t.revoked_at IS NULL AND t.expires_at > $2"#,
        token.as_bytes(),
        now,
    )
    .fetch_optional(db)
    .await?;
    Ok(session)
}

/// The current state of an account, which may differ from when a token was issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountState {
    /// Role.
    pub role: Role,
    /// Whether its address is verified.
    pub verified: bool,
}

/// How long after its login a session can be refreshed.
pub const MAX_AGE: chrono::TimeDelta = chrono::TimeDelta::days(90);

/// What an access token claims about its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionRef {
    /// The account.
    pub user_id: Uuid,
    /// The login that the token descends from.
    pub family_id: Uuid,
    /// The account's token epoch when the token was issued.
    pub token_epoch: i32,
}

/// Checks that the session of an access token has not ended, and returns the account's current state. Called on every
/// write, every request of staff and every export. [`Error::SessionEnded`] if the session was logged out or revoked, the
/// epoch is old or the account is gone.
pub async fn check(db: impl PgExecutor<'_>, session: SessionRef) -> Result<AccountState> {
    sqlx::query_as!(
        AccountState,
        r#"SELECT role AS "role: Role", email_verified_at IS NOT NULL AS "verified!"
           FROM users u
           WHERE id = $1 AND token_epoch = $2
             AND EXISTS (SELECT FROM refresh_tokens t
                         WHERE t.family_id = $3 AND t.user_id = u.id AND t.spent_at IS NULL AND t.revoked_at IS NULL)"#,
        session.user_id,
        session.token_epoch,
        session.family_id,
    )
    .fetch_optional(db)
    .await?
    .ok_or(Error::SessionEnded)
}

/// Ends every session of the account: refresh tokens at once, access tokens by their epoch.
pub async fn logout_everywhere(pool: &PgPool, now: DateTime<Utc>, user_id: Uuid) -> Result<()> {
    let mut tx = pool.begin().await?;
    let changed = sqlx::query!(
        "UPDATE users SET token_epoch = token_epoch + 1, updated_at = $2 WHERE id = $1",
        user_id,
        now
    )
    .execute(&mut *tx)
    .await?;
    if changed.rows_affected() == 0 {
        return Err(Error::SessionEnded);
    }
    revoke_all(&mut tx, now, user_id).await?;
    tx.commit().await?;
    Ok(())
}

/// Removes refresh tokens a day after they expired; returns how many. A periodic job.
pub async fn prune(pool: &PgPool, now: DateTime<Utc>) -> Result<u64> {
    let cutoff = now - chrono::TimeDelta::days(1);
    let pruned =
        sqlx::query!("DELETE FROM refresh_tokens WHERE expires_at < $1", cutoff).execute(pool).await?;
    Ok(pruned.rows_affected())
}

/// Repeats until no row is left: a successor issued while the first statement waited for its predecessor's lock is seen
/// by the second.
pub(crate) async fn revoke_all(conn: &mut PgConnection, now: DateTime<Utc>, user_id: Uuid) -> Result<()> {
    loop {
        let revoked = sqlx::query!(
            "UPDATE refresh_tokens SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL",
            user_id,
            now
        )
        .execute(&mut *conn)
        .await?;
        if revoked.rows_affected() == 0 {
            return Ok(());
        }
    }
}
