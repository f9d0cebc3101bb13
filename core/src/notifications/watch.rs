//! Mails that can only be resent by hand.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{NotificationKind, NotificationOutcome};
use crate::Result;
use crate::types::BookingStatus;

/// Most mails that are listed.
const LIMIT: i64 = 200;

/// A mail that failed or is in doubt, still applies to its booking or to one of them, and is not too late.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResendableMail {
    /// The ledger row.
    pub id: Uuid,
    /// Its booking.
    pub booking_id: Uuid,
    /// Which mail.
    pub kind: NotificationKind,
    /// Failed or in doubt.
    pub outcome: NotificationOutcome,
    /// When it ended.
    pub ended_at: DateTime<Utc>,
    /// Not sent from this instant on.
    pub expires_at: DateTime<Utc>,
    /// The recipient's domain.
    pub domain: String,
    /// The mail server's last reply, or why there was none.
    pub reply: Option<String>,
}

/// The mails that can only be resent by hand, the last ended first; at most 200.
///
/// # Errors
/// The database's.
pub async fn resendable(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Vec<ResendableMail>> {
    let rows = sqlx::query!(
        r#"SELECT n.id, n.booking_id AS "booking_id!", n.kind AS "kind: NotificationKind",
                  n.outcome AS "outcome!: NotificationOutcome", n.outcome_at AS "outcome_at!", n.expires_at,
                  split_part(n.recipient::text, '@', 2) AS "domain!", n.reply,
                  ARRAY(SELECT status FROM bookings WHERE id = b.id OR id = ANY(n.booking_ids)) AS "statuses!: Vec<BookingStatus>"
           FROM notifications AS n
           JOIN bookings AS b ON b.id = n.booking_id AND (b.rev = n.rev OR n.booking_ids IS NOT NULL)
           WHERE n.outcome IN ('failed', 'in_doubt') AND n.expires_at > $1 AND n.recipient IS NOT NULL
             AND n.accepted_at IS NULL
           ORDER BY n.outcome_at DESC LIMIT $2"#,
        now,
        LIMIT,
    )
    .fetch_all(conn)
    .await?;
    let current =
        rows.into_iter().filter(|row| row.statuses.iter().any(|status| row.kind.is_true_of(*status)));
    Ok(current
        .map(|row| ResendableMail {
            id: row.id,
            booking_id: row.booking_id,
            kind: row.kind,
            outcome: row.outcome,
            ended_at: row.outcome_at,
            expires_at: row.expires_at,
            domain: row.domain,
            reply: row.reply,
        })
        .collect())
}
