//! Password change by an owner who knows the old password.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use uuid::Uuid;

use crate::notifications::{NotificationKind, account};
use crate::sessions::{self, Session, TokenHash};
use crate::transaction::change;
use crate::types::EmailAddress;
use crate::{Core, Error, Result};

/// What is needed to check the old password and to validate the new one.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordOwner {
    /// The account's address.
    pub email: EmailAddress,
    /// argon2id in PHC format; none: no password is set.
    pub password_hash: Option<String>,
}

/// Input of a password change.
#[derive(Clone)]
pub struct PasswordChange {
    /// The account.
    pub user_id: Uuid,
    /// The hash with which the old password was compared.
    pub old_hash: Option<String>,
    /// The hash of the new one.
    pub new_hash: String,
    /// The refresh token of the new session.
    pub token: TokenHash,
    /// When that token expires.
    pub expires_at: DateTime<Utc>,
}

/// The data of the account for a password change.
///
/// # Errors
///
/// [`Error::SessionEnded`] when the account no longer exists.
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

/// Sets the new password, ends all sessions of the account, voids the links mailed to it, and starts a new session for
/// the caller.
///
/// # Errors
///
/// [`Error::SessionEnded`] when the password was changed concurrently, or the account no longer exists.
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
