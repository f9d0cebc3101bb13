//! Mails about an account. Each carries a link that is valid until the mail's `expires_at`.

use chrono::{DateTime, TimeDelta, Utc};
use punctual_queue::{Payload, new_id};
use sqlx::PgConnection;
use uuid::Uuid;

use super::payload::{self, DueJob};
use super::{EndedMail, NotificationKind, NotificationOutcome, SendNotification, record_ended};
use crate::types::Rev;
use crate::{Error, Result};

/// How long the link of a mail is valid; none for a kind that is not about an account.
fn lifetime(kind: NotificationKind) -> Option<TimeDelta> {
    match kind {
        NotificationKind::VerifyEmail => Some(TimeDelta::days(3)),
        NotificationKind::PasswordReset => Some(TimeDelta::hours(1)),
        NotificationKind::SetPassword => Some(TimeDelta::days(7)),
        _ => None,
    }
}

/// Inserts the mail and its job, in the transaction that causes it.
pub(crate) async fn plan(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    user_id: Uuid,
    kind: NotificationKind,
) -> Result<()> {
    let lifetime = lifetime(kind).ok_or_else(|| Error::internal("a mail to an account", kind.as_str()))?;
    let id = new_id(now);
    let expires_at = now + lifetime;
    let recipient = sqlx::query_scalar!(
        r#"
        INSERT INTO notifications (id, user_id, kind, rev, dedupe_key, recipient, locale, send_at, expires_at,
                                   enqueued_at, created_at)
        SELECT $1, u.id, $3, u.link_epoch, concat_ws(':', 'user', u.id, $4::text, u.link_epoch, $1::uuid), u.email,
               coalesce(u.locale, (SELECT locale FROM settings), 'en'), $5, $6, $5, $5
        FROM users u WHERE u.id = $2
        RETURNING recipient::text AS "recipient!"
        "#,
        id,
        user_id,
        kind as NotificationKind,
        kind.as_str(),
        now,
        expires_at,
    )
    .fetch_optional(&mut *conn)
    .await?
    .ok_or(Error::SessionEnded)?;
    let due = DueJob { id, kind, recipient: Some(&recipient), send_at: now, expires_at };
    punctual_queue::enqueue(conn, now, payload::job(&due)?).await?;
    Ok(())
}

/// Cancels the unsent mails of these kinds: their purpose has been achieved.
pub(crate) async fn cancel(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    user_id: Uuid,
    kinds: &[NotificationKind],
) -> Result<()> {
    let ended = sqlx::query!(
        r#"
        UPDATE notifications
        SET outcome = CASE WHEN doubts > 0 THEN 'in_doubt' ELSE 'cancelled' END::notification_outcome, outcome_at = $3
        WHERE user_id = $1 AND booking_id IS NULL AND kind = ANY($2) AND outcome IS NULL AND dot_at IS NULL
        RETURNING id, kind AS "kind: NotificationKind", outcome AS "outcome!: NotificationOutcome"
        "#,
        user_id,
        kinds as &[NotificationKind],
        now,
    )
    .fetch_all(&mut *conn)
    .await?;
    record_ended(ended.iter().map(|row| EndedMail { id: row.id, kind: row.kind, outcome: row.outcome }));
    for row in ended {
        punctual_queue::cancel_by_key(conn, now, SendNotification::KIND, &row.id.to_string()).await?;
    }
    Ok(())
}

/// Locks the account against changes and returns whether the link of a mail is still valid, or of a mail without one,
/// whether its owner is still an administrator.
pub(super) async fn is_current(
    conn: &mut PgConnection,
    user_id: Uuid,
    kind: NotificationKind,
    rev: Rev,
) -> Result<bool> {
    let account =
        sqlx::query!(
            r#"SELECT link_epoch, email_verified_at, role = 'admin' AS "is_admin!" FROM users WHERE id = $1 FOR SHARE"#,
            user_id
        )
        .fetch_optional(conn)
        .await?;
    Ok(account.is_some_and(|account| {
        if kind == NotificationKind::WebhookEnded {
            return account.is_admin;
        }
        let proven = kind == NotificationKind::VerifyEmail && account.email_verified_at.is_some();
        account.link_epoch == rev.0 && !proven
    }))
}
