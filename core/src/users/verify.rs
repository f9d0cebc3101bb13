//! Verification of an account's address.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{MAILS, link};
use crate::config::Keys;
use crate::links::Purpose;
use crate::notifications::{NotificationKind, account};
use crate::transaction::{change, change_waking};
use crate::{Core, Error, Result, customers};

/// The password given when an address is verified. Anybody can register with another person's address, so a password set
/// before the verification counts only if the person who follows the link knows it.
#[derive(Clone, PartialEq, Eq)]
pub enum PasswordProof {
    /// The account's password was given: this is its stored hash. Sessions stay.
    Known {
        /// argon2id in PHC format.
        hash: String,
    },
    /// Another password was given, which replaces it. All sessions end.
    New {
        /// argon2id in PHC format.
        hash: String,
    },
    /// None was given: the password is removed and all sessions end. A reset link sets a new one.
    None,
}

/// Verifies the address by its mailed link, and joins guest bookings with that address to the account. A password and
/// sessions of a person who cannot read the address's mails end.
///
/// # Errors
///
/// [`Error::LinkVoid`].
pub async fn verify_email(core: &Core, keys: &Keys, token: &str, password: PasswordProof) -> Result<()> {
    change(core, (keys.clone(), token.to_owned(), password), |(keys, token, password), tx, now| {
        Box::pin(async move {
            let user_id = link::locked(tx, now, keys, Purpose::VerifyEmail, token).await?;
            let (known, new) = match password {
                PasswordProof::Known { hash } => (Some(hash), None),
                PasswordProof::New { hash } => (None, Some(hash)),
                PasswordProof::None => (None, None),
            };
            let replaced = sqlx::query!(
                "UPDATE users
                 SET password_hash = $3, token_epoch = token_epoch + 1, link_epoch = link_epoch + 1, updated_at = $4
                 WHERE id = $1 AND password_hash IS DISTINCT FROM $2",
                user_id,
                known.map(String::as_str),
                new.map(String::as_str),
                now,
            )
            .execute(&mut *tx)
            .await?;
            if replaced.rows_affected() > 0 {
                crate::sessions::revoke_all(tx, now, user_id).await?;
            }
            proven(tx, now, user_id).await
        })
    })
    .await
}

/// Mails another link to an account with an unverified address; does nothing for a verified one.
///
/// # Errors
///
/// [`Error::SessionEnded`] when the account no longer exists.
pub async fn resend_verification(core: &Core, user_id: Uuid) -> Result<()> {
    change_waking(core, MAILS, user_id, |user_id, tx, now| {
        Box::pin(async move {
            let verified = sqlx::query_scalar!("SELECT email_verified_at FROM users WHERE id = $1", user_id)
                .fetch_optional(&mut *tx)
                .await?
                .ok_or(Error::SessionEnded)?;
            match verified {
                Some(_) => Ok(()),
                None => account::plan(tx, now, *user_id, NotificationKind::VerifyEmail).await,
            }
        })
    })
    .await
}

/// Marks the address as verified and merges the account's customer with those who booked with the address as guests.
/// The caller has locked the account.
pub(super) async fn proven(tx: &mut PgConnection, now: DateTime<Utc>, user_id: Uuid) -> Result<()> {
    let marked = sqlx::query!(
        "UPDATE users SET email_verified_at = coalesce(email_verified_at, $2), updated_at = $2 WHERE id = $1",
        user_id,
        now
    )
    .execute(&mut *tx)
    .await?;
    if marked.rows_affected() != 1 {
        return Err(Error::LinkVoid);
    }
    sqlx::query!(
        "UPDATE customers SET user_id = $1, updated_at = $2
         WHERE id = ANY(ARRAY(SELECT c.id FROM customers c JOIN users u ON u.email = c.email
                              WHERE u.id = $1 AND c.user_id IS NULL AND c.origin = 'guest' AND c.erased_at IS NULL
                              ORDER BY c.id FOR NO KEY UPDATE OF c))",
        user_id,
        now
    )
    .execute(&mut *tx)
    .await?;
    customers::merge_account(tx, now, user_id).await?;
    account::cancel(tx, now, user_id, &[NotificationKind::VerifyEmail]).await
}
