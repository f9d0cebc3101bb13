//! A new password for an account whose owner knows the old one.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use uuid::Uuid;

use crate::notifications::{NotificationKind, account};
use crate::sessions::{self, Session, TokenHash};
use crate::transaction::change;
use crate::types::EmailAddress;
use crate::{Core, Error, Result};

/// What proves that a new password is its owner's wish, and what it must not be like.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordOwner {
    /// The account's address.
    pub email: EmailAddress,
    /// argon2id in PHC format; none: no password was set yet.
    pub password_hash: Option<String>,
}

/// A change of the password to be.
#[derive(Clone)]
pub struct PasswordChange {
    /// Whose.
    pub user_id: Uuid,
    /// The hash that the old password was compared with.
    pub old_hash: Option<String>,
    /// The hash of the new one.
    pub new_hash: String,
    /// The refresh token of the session that goes on.
    pub token: TokenHash,
    /// When that one ends.
    pub expires_at: DateTime<Utc>,
}

/// The owner of an account who asks for another password.
///
/// # Errors
/// [`Error::SessionEnded`] when the account is gone.
pub async fn password_owner(db: impl PgExecutor<'_>, user_id: Uuid) -> Result<PasswordOwner> {
    sqlx::query_as!(
        PasswordOwner,
        r#"SELECT email::text AS "email!: EmailAddress", password_hash FROM users WHERE id = $1"#,
        user_id
    )
    .fetch_optional(db)
    .await?
    .ok_or(Error::SessionEnded)
}

/// Sets the new password, ends all sessions of the account, voids the links mailed to it, and begins a new session for
/// whoever changed it.
///
/// # Errors
/// [`Error::SessionEnded`] when the password was changed by somebody else meanwhile, or the account is gone.
pub async fn change_password(core: &Core, wish: PasswordChange) -> Result<Session> {
    change(core, wish, |wish, tx, now| {
        Box::pin(async move {
            let token_epoch = sqlx::query_scalar!(
                "UPDATE users
                 SET password_hash = $3, token_epoch = token_epoch + 1, link_epoch = link_epoch + 1, updated_at = $4
                 WHERE id = $1 AND password_hash IS NOT DISTINCT FROM $2
                 RETURNING token_epoch",
                wish.user_id,
                wish.old_hash,
                wish.new_hash,
                now,
            )
            .fetch_optional(&mut *tx)
            .await?
            .ok_or(Error::SessionEnded)?;
            sessions::revoke_all(tx, now, wish.user_id).await?;
            account::cancel(tx, now, wish.user_id, &NotificationKind::OF_ACCOUNTS).await?;
            sessions::start(&mut *tx, now, wish.user_id, token_epoch, &wish.token, wish.expires_at).await
        })
    })
    .await
}
