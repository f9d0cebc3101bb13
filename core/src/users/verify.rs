//! Verification of an account's address.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{MAILS, link};
use crate::config::Keys;
use crate::links::Purpose;
use crate::notifications::{NotificationKind, account};
use crate::transaction::{change, change_waking};
use crate::{Core, Error, Result};

/// Verifies the address by its mailed link, and joins guest bookings with that address to the account.
///
/// # Errors
///
/// [`Error::LinkVoid`].
pub async fn verify_email(core: &Core, keys: &Keys, token: &str) -> Result<()> {
    change(core, (keys.clone(), token.to_owned()), |(keys, token), tx, now| {
        Box::pin(async move {
            let user_id = link::locked(tx, now, keys, Purpose::VerifyEmail, token).await?;
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

/// Marks the address as verified and joins the guest customers with it; the caller has locked the account.
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
    account::cancel(tx, now, user_id, &[NotificationKind::VerifyEmail]).await
}
