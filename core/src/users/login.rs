//! Data for a login.

use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

use crate::types::{EmailAddress, Role};
use crate::{Error, Result};

/// An account for a login.
#[derive(Clone, PartialEq, Eq)]
pub struct LoginUser {
    /// The account's id.
    pub id: Uuid,
    /// argon2id in PHC format; none: no password was set, so no password matches.
    pub password_hash: Option<String>,
    /// Role of the account.
    pub role: Role,
    /// Part of access tokens.
    pub token_epoch: i32,
}

/// The account with this address, if any. The caller answers the same in both cases.
pub async fn find_for_login(db: impl PgExecutor<'_>, email: &EmailAddress) -> Result<Option<LoginUser>> {
    let user = sqlx::query_as!(
        LoginUser,
        r#"SELECT id, password_hash, role AS "role: Role", token_epoch FROM users WHERE email = $1::text::citext"#,
        email.as_str()
    )
    .fetch_optional(db)
    .await?;
    Ok(user)
}

/// Stores a hash of the same password with newer parameters; does nothing if the password changed meanwhile.
pub async fn rehash(db: impl PgExecutor<'_>, id: Uuid, old_hash: &str, new_hash: &str) -> Result<()> {
    sqlx::query!(
        "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2",
        id,
        old_hash,
        new_hash
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Sets a new password; ends all sessions of the account and voids the links mailed to it.
pub async fn set_password(pool: &PgPool, now: DateTime<Utc>, id: Uuid, password_hash: &str) -> Result<()> {
    let mut tx = pool.begin().await?;
    let changed = sqlx::query!(
        "UPDATE users
         SET password_hash = $2, token_epoch = token_epoch + 1, link_epoch = link_epoch + 1, updated_at = $3
         WHERE id = $1",
        id,
        password_hash,
        now
    )
    .execute(&mut *tx)
    .await?;
    if changed.rows_affected() == 0 {
        return Err(Error::NotFound("user"));
    }
    crate::sessions::revoke_all(&mut tx, now, id).await?;
    tx.commit().await?;
    Ok(())
}
