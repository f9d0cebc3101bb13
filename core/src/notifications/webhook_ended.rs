//! The mail to administrators about a webhook endpoint that was disabled or is gone.

use chrono::{DateTime, TimeDelta, Utc};
use punctual_queue::new_id;
use sqlx::PgConnection;
use uuid::Uuid;

use super::NotificationKind;
use super::payload::{self, DueJob};
use crate::Result;

/// Lifetime of the mail. Events are kept for longer, so that none is lost by then.
const LIFETIME: TimeDelta = TimeDelta::days(3);

/// Writes one mail for each administrator, and their jobs, in the transaction that ends the endpoint. The caller wakes the
/// queue after its commit.
pub(crate) async fn plan(conn: &mut PgConnection, now: DateTime<Utc>, endpoint_id: Uuid) -> Result<()> {
    let admins = sqlx::query_scalar!("SELECT id FROM users WHERE role = 'admin' ORDER BY id")
        .fetch_all(&mut *conn)
        .await?;
    let ids: Vec<Uuid> = admins.iter().map(|_| new_id(now)).collect();
    let expires_at = now + LIFETIME;
    let mails = sqlx::query!(
        r#"
        INSERT INTO notifications (id, user_id, endpoint_id, kind, rev, dedupe_key, recipient, locale, send_at, expires_at,
                                   enqueued_at, created_at)
        SELECT mail.id, u.id, $3, 'webhook_ended', 0, concat_ws(':', 'user', u.id, 'webhook_ended', mail.id), u.email,
               coalesce(u.locale, (SELECT locale FROM settings), 'en'), $4, $5, $4, $4
        FROM unnest($1::uuid[], $2::uuid[]) AS mail (id, user_id) JOIN users AS u ON u.id = mail.user_id
        RETURNING id, recipient::text AS "recipient!"
        "#,
        &ids,
        &admins,
        endpoint_id,
        now,
        expires_at,
    )
    .fetch_all(&mut *conn)
    .await?;
    let jobs = mails.iter().map(|mail| {
        payload::job(&DueJob {
            id: mail.id,
            kind: NotificationKind::WebhookEnded,
            recipient: Some(&mail.recipient),
            send_at: now,
            expires_at,
        })
    });
    punctual_queue::enqueue_many(conn, now, jobs.collect::<Result<_>>()?).await?;
    Ok(())
}
