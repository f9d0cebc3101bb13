//! The content of the mail about a webhook endpoint that has ended, read when it is sent.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Business;
use crate::types::{EmailAddress, Locale, ParseError, Zone};
use crate::{Error, Result, settings};

/// The content of the mail.
#[derive(Debug, Clone)]
pub struct WebhookEndedFacts {
    /// The ledger row.
    pub notification_id: Uuid,
    /// Its language.
    pub locale: Locale,
    /// Its recipient; `None` once the person was erased.
    pub recipient: Option<EmailAddress>,
    /// The sender.
    pub business: Business,
    /// Host of the endpoint's URL; the rest of the URL may be secret.
    pub host: String,
    /// The endpoint's description; may be empty.
    pub description: String,
    /// Whether it answered 410; otherwise it failed for five days.
    pub gone: bool,
    /// First failure since the last success.
    pub failing_since: DateTime<Utc>,
    /// The business's zone.
    pub zone: Zone,
}

/// Reads the content; `None` if there is no such mail, or the endpoint was removed or set active again.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn load_webhook_ended(
    conn: &mut PgConnection,
    notification_id: Uuid,
) -> Result<Option<WebhookEndedFacts>> {
    let row = sqlx::query!(
        r#"
        SELECT n.locale, n.recipient::text AS "recipient: EmailAddress", w.description, w.status = 'gone' AS "gone!",
               substring(w.url FROM '://([^/?#]+)') AS "host!", coalesce(w.failing_since, w.updated_at) AS "failing_since!",
               s.zone AS "zone: Zone"
        FROM notifications AS n
        JOIN webhook_endpoints AS w ON w.id = n.endpoint_id AND w.status IN ('disabled', 'gone')
        CROSS JOIN settings AS s
        WHERE n.id = $1
        "#,
        notification_id,
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let stored = |error: ParseError| Error::internal("a stored value of a mail", error);
    Ok(Some(WebhookEndedFacts {
        notification_id,
        locale: Locale::parse(&row.locale).map_err(stored)?,
        recipient: row.recipient,
        business: settings::get(conn).await?.into(),
        host: row.host,
        description: row.description,
        gone: row.gone,
        failing_since: row.failing_since,
        zone: row.zone,
    }))
}
