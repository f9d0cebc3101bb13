//! The content of a mail about an account, read when it is sent.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Business;
use crate::Result;
use crate::links::Link;
use crate::notifications::NotificationKind;
use crate::types::{EmailAddress, Locale, Zone};

/// The content of one mail about an account.
#[derive(Debug, Clone)]
pub struct AccountFacts {
    /// The ledger row.
    pub notification_id: Uuid,
    /// Which mail.
    pub kind: NotificationKind,
    /// Its language.
    pub locale: Locale,
    /// Its recipient; `None` once the person was erased.
    pub recipient: Option<EmailAddress>,
    /// Whether the recipient has verified the address, or staff entered it.
    pub recipient_proven: bool,
    /// The sender.
    pub business: Business,
    /// Name of the account's owner.
    pub name: String,
    /// The content of its link; the sender derives the URL from it and the link keys.
    pub link: Link,
    /// When the link expires.
    pub expires_at: DateTime<Utc>,
    /// The business's zone, in which times are written.
    pub zone: Zone,
}

/// Reads the content of a mail about an account; `None` if there is no such mail or its link is no longer valid. Once it
/// is not valid, it never is again.
pub async fn load_account(conn: &mut PgConnection, notification_id: Uuid) -> Result<Option<AccountFacts>> {
    let row = sqlx::query!(
        r#"
        SELECT n.kind AS "kind: NotificationKind", n.locale AS "locale: Locale", n.recipient::text AS "recipient: EmailAddress", n.rev,
               n.expires_at, u.name AS user_name, u.email_verified_at,
               s.name, s.address, s.phone, s.sender::text AS "sender!: EmailAddress",
               s.reply_to::text AS "reply_to!: EmailAddress", s.public_url, s.zone AS "zone: Zone"
        FROM notifications n
        JOIN users u ON u.id = n.user_id AND u.link_epoch = n.rev
        CROSS JOIN settings s
        WHERE n.id = $1 AND n.booking_id IS NULL
        "#,
        notification_id,
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let proven = row.kind == NotificationKind::VerifyEmail && row.email_verified_at.is_some();
    let Some(purpose) = row.kind.account_link().filter(|_| !proven) else { return Ok(None) };
    Ok(Some(AccountFacts {
        notification_id,
        kind: row.kind,
        locale: row.locale,
        recipient: row.recipient,
        recipient_proven: row.kind == NotificationKind::SetPassword || row.email_verified_at.is_some(),
        business: Business {
            name: row.name,
            address: row.address,
            phone: row.phone,
            sender: row.sender,
            reply_to: row.reply_to,
            public_url: row.public_url,
        },
        name: row.user_name,
        link: Link { purpose, id: notification_id, epoch: row.rev },
        expires_at: row.expires_at,
        zone: row.zone,
    }))
}
