//! Sets a password by a mailed link: after it was forgotten, or for the first time.

use super::{MAILS, link, verify};
use crate::config::Keys;
use crate::links::Purpose;
use crate::notifications::{NotificationKind, account};
use crate::transaction::{change, change_waking};
use crate::types::EmailAddress;
use crate::{Core, Result};

/// Mails a link that sets a new password, if an account has this address. The caller answers the same in both cases.
pub async fn request_password_reset(core: &Core, email: EmailAddress) -> Result<()> {
    change_waking(core, MAILS, email, |email, tx, now| {
        Box::pin(async move {
            let user_id =
                sqlx::query_scalar!("SELECT id FROM users WHERE email = $1::text::citext", email.as_str())
                    .fetch_optional(&mut *tx)
                    .await?;
            match user_id {
                Some(user_id) => account::plan(tx, now, user_id, NotificationKind::PasswordReset).await,
                None => Ok(()),
            }
        })
    })
    .await
}

/// Sets the password of the link's account. All its sessions and links end, and its address counts as verified, because
/// the link was mailed there.
///
/// # Errors
///
/// [`crate::Error::LinkVoid`].
pub async fn set_password_by_link(
    core: &Core,
    keys: &Keys,
    token: &str,
    password_hash: String,
) -> Result<()> {
    let args = (keys.clone(), token.to_owned(), password_hash);
    change(core, args, |(keys, token, password_hash), tx, now| {
        Box::pin(async move {
            let user_id = link::locked(tx, now, keys, Purpose::SetPassword, token).await?;
            sqlx::query!(
                "UPDATE users
                 SET password_hash = $2, token_epoch = token_epoch + 1, link_epoch = link_epoch + 1, updated_at = $3
                 WHERE id = $1",
                user_id,
                password_hash,
                now
            )
            .execute(&mut *tx)
            .await?;
            crate::sessions::revoke_all(tx, now, user_id).await?;
            verify::proven(tx, now, user_id).await?;
            account::cancel(tx, now, user_id, &NotificationKind::OF_ACCOUNTS).await
        })
    })
    .await
}
