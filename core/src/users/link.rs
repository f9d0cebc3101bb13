//! Links in mails to an account, and the account of a link.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::config::Keys;
use crate::links::{Link, Purpose};
use crate::notifications::NotificationKind;
use crate::types::{EmailAddress, Locale, PersonName};
use crate::{Error, Result};

/// The account of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkedAccount {
    /// The account.
    pub user_id: Uuid,
    /// Its address, to which the link was mailed.
    pub email: EmailAddress,
    /// Name of its owner.
    pub name: PersonName,
    /// Language of the mail that held the link.
    pub locale: Locale,
}

/// The account of a link for this purpose.
///
/// # Errors
///
/// [`Error::LinkVoid`] for a link that was used, has expired, was sent to a former address, or is invalid; the error
/// does not say which.
pub async fn linked_account(
    db: impl PgExecutor<'_>,
    now: DateTime<Utc>,
    keys: &Keys,
    purpose: Purpose,
    token: &str,
) -> Result<LinkedAccount> {
    let link = Link::verify(keys, token).filter(|link| link.purpose == purpose).ok_or(Error::LinkVoid)?;
    let row = sqlx::query!(
        r#"
        SELECT u.id, u.email::text AS "email!: EmailAddress", u.name, u.email_verified_at, n.locale,
               n.kind AS "kind: NotificationKind"
        FROM notifications n JOIN users u ON u.id = n.user_id
        WHERE n.id = $1 AND n.booking_id IS NULL AND n.rev = $2 AND u.link_epoch = $2 AND n.expires_at > $3
              AND n.recipient = u.email
        "#,
        link.id,
        link.epoch,
        now,
    )
    .fetch_optional(db)
    .await?
    .ok_or(Error::LinkVoid)?;
    let used = purpose == Purpose::VerifyEmail && row.email_verified_at.is_some();
    if used || row.kind.account_link() != Some(purpose) {
        return Err(Error::LinkVoid);
    }
    Ok(LinkedAccount {
        user_id: row.id,
        email: row.email,
        name: PersonName::stored(row.name),
        locale: Locale::parse(&row.locale).map_err(|error| Error::internal("a stored locale", error))?,
    })
}

/// Locks the account before a link is used and checks the link again, so that of two concurrent uses one fails.
pub(super) async fn locked(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    keys: &Keys,
    purpose: Purpose,
    token: &str,
) -> Result<Uuid> {
    let user_id = linked_account(&mut *tx, now, keys, purpose, token).await?.user_id;
    sqlx::query!("SELECT 1 AS one FROM users WHERE id = $1 FOR NO KEY UPDATE", user_id)
        .fetch_optional(&mut *tx)
        .await?;
    Ok(linked_account(tx, now, keys, purpose, token).await?.user_id)
}
