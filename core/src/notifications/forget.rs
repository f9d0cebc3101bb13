//! Mails of erased persons: unsent ones are cancelled, recipients and replies are removed. Which mails there were and how
//! each ended is kept.

use chrono::{DateTime, Utc};
use punctual_queue::{JobId, Payload};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{EndedMail, NotificationKind, NotificationOutcome, SendNotification, record_ended};
use crate::Result;

/// Removes the recipients of mails to the customers of these bookings, and of mails with links that these customers asked
/// for; mails to staff are not changed. A mail that is handed off keeps its outcome open for its sender; one that was in
/// doubt ends in doubt.
pub(crate) async fn forget_person(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    booking_ids: &[Uuid],
    customer_ids: &[Uuid],
) -> Result<()> {
    let rows = sqlx::query!(
        r#"UPDATE notifications
           SET recipient = NULL, reply = NULL,
               outcome = CASE WHEN outcome IS NOT NULL OR dot_at IS NOT NULL THEN outcome
                              WHEN doubts > 0 THEN 'in_doubt' ELSE 'cancelled' END,
               outcome_at = CASE WHEN outcome IS NOT NULL OR dot_at IS NOT NULL THEN outcome_at ELSE $3 END
           WHERE id = ANY(ARRAY(SELECT id FROM notifications
                              WHERE ((booking_id = ANY($1) OR booking_ids && $1) AND NOT to_staff) OR customer_id = ANY($2)
                              ORDER BY id FOR NO KEY UPDATE))
           RETURNING id, kind AS "kind: NotificationKind", outcome AS "outcome: NotificationOutcome", job_id,
                     outcome IS NULL OR outcome_at = $3 AS "live!""#,
        booking_ids,
        customer_ids,
        now,
    )
    .fetch_all(&mut *tx)
    .await?;
    let ended = rows
        .iter()
        .filter(|row| row.live)
        .filter_map(|row| row.outcome.map(|outcome| EndedMail { id: row.id, kind: row.kind, outcome }));
    record_ended(ended);
    let mails = rows.into_iter().map(|row| Mail { id: row.id, job_id: row.job_id, live: row.live }).collect();
    forget_jobs(tx, now, mails).await
}

/// Forgets the jobs of mails about an account; the ledger's rows are deleted with the account's. A mail that is handed off,
/// or was in doubt, counts as in doubt: its sender finds no row.
pub(crate) async fn forget_account(tx: &mut PgConnection, now: DateTime<Utc>, user_id: Uuid) -> Result<()> {
    let rows = sqlx::query!(
        r#"SELECT id, kind AS "kind: NotificationKind", job_id, outcome IS NULL AS "live!",
                  CASE WHEN dot_at IS NOT NULL OR doubts > 0 THEN 'in_doubt' ELSE 'cancelled' END::notification_outcome
                      AS "ends_as!: NotificationOutcome"
           FROM notifications WHERE user_id = $1 ORDER BY id FOR NO KEY UPDATE"#,
        user_id
    )
    .fetch_all(&mut *tx)
    .await?;
    let ended = rows.iter().filter(|row| row.live);
    record_ended(ended.map(|row| EndedMail { id: row.id, kind: row.kind, outcome: row.ends_as }));
    let mails = rows.into_iter().map(|row| Mail { id: row.id, job_id: row.job_id, live: row.live }).collect();
    forget_jobs(tx, now, mails).await
}

struct Mail {
    id: Uuid,
    /// The job that last began to send it, or 0.
    job_id: i64,
    /// Whether it may have a job that has not ended.
    live: bool,
}

/// Cancels the jobs and removes what they store. A running job gets a stop request, which it ignores after the hand-off.
async fn forget_jobs(tx: &mut PgConnection, now: DateTime<Utc>, mails: Vec<Mail>) -> Result<()> {
    for mail in mails.iter().filter(|mail| mail.live) {
        punctual_queue::cancel_by_key(tx, now, SendNotification::KIND, &mail.id.to_string()).await?;
    }
    let keys: Vec<String> = mails.iter().map(|mail| mail.id.to_string()).collect();
    let jobs: Vec<JobId> = mails.iter().map(|mail| JobId(mail.job_id)).filter(|id| id.0 > 0).collect();
    Ok(punctual_queue::forget(tx, SendNotification::KIND, &keys, &jobs).await?)
}
