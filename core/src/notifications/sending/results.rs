//! The last step: what the relay answered is recorded.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Sending, outcomes_of};
use crate::Result;
use crate::notifications::{EndedMail, NotificationKind, NotificationOutcome, record_ended};

/// Longest stored reply, in characters.
const REPLY_LIMIT: usize = 500;

/// Records that the relay answered 250 to these messages, with its replies. Not fenced, and it overrides a doubt, because
/// the reply is true whichever worker received it. The answers are in the order of the mails: false if the row is gone, as
/// that of a mail about a deleted account is.
///
/// # Errors
/// Those of the database, for all of them.
pub async fn accepted(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    mails: &[(Sending, String)],
) -> Result<Vec<bool>> {
    // Each row once, in order of id: concurrent batches lock rows in one order.
    let replies: BTreeMap<Uuid, String> =
        mails.iter().map(|(sending, reply)| (sending.notification_id, shortened(reply))).collect();
    let (ids, replies): (Vec<Uuid>, Vec<String>) = replies.into_iter().unzip();
    // Plan: nested loop, function scan of the arrays, index scan on notifications_pkey for each.
    let recorded = sqlx::query!(
        r#"
        UPDATE notifications AS n
        SET accepted_at = coalesce(n.accepted_at, $3::timestamptz),
            reply = CASE WHEN n.recipient IS NOT NULL THEN mail.reply END, outcome = 'sent', outcome_at = $3
        FROM unnest($1::uuid[], $2::text[]) AS mail (id, reply)
        WHERE n.id = mail.id
        RETURNING n.id, n.kind AS "kind: NotificationKind"
        "#,
        &ids,
        &replies,
        now,
    )
    .fetch_all(conn)
    .await?;
    record_ended(recorded.iter().map(|row| EndedMail {
        id: row.id,
        kind: row.kind,
        outcome: NotificationOutcome::Sent,
    }));
    let recorded: HashSet<Uuid> = recorded.into_iter().map(|row| row.id).collect();
    Ok(mails.iter().map(|(sending, _)| recorded.contains(&sending.notification_id)).collect())
}

/// Records that the relay does not have the message: the attempt failed before, or the relay deferred it. Another attempt
/// follows. Returns false if a later lease has the mail or it has ended.
pub async fn not_taken(conn: &mut PgConnection, sending: &Sending, reply: &str) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        UPDATE notifications SET dot_at = NULL, reply = CASE WHEN recipient IS NOT NULL THEN $4 END
        WHERE id = $1 AND (job_id, fence) = ($2, $3) AND accepted_at IS NULL AND outcome IS NULL
        "#,
        sending.notification_id,
        sending.fence.job_id,
        sending.fence.lease_seq,
        shortened(reply),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The relay permanently refused the mail. Returns false if a later lease has the mail or it has ended.
pub async fn refused(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    sending: &Sending,
    reply: &str,
) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        UPDATE notifications
        SET dot_at = NULL, reply = CASE WHEN recipient IS NOT NULL THEN $4 END, outcome = 'failed', outcome_at = $5
        WHERE id = $1 AND (job_id, fence) = ($2, $3) AND accepted_at IS NULL AND outcome IS NULL
        "#,
        sending.notification_id,
        sending.fence.job_id,
        sending.fence.lease_seq,
        shortened(reply),
        now,
    )
    .execute(conn)
    .await?;
    let ended = done.rows_affected() == 1;
    if ended {
        sending.record_end(NotificationOutcome::Failed);
    }
    Ok(ended)
}

/// Records that the message was sent and no reply was received. Returns the outcome if this was the second time; `None`
/// means that the mail is sent once more, or that a later lease has it. Idempotent: counts one hand-off once.
pub async fn in_doubt(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    sending: &Sending,
    why: &str,
) -> Result<Option<NotificationOutcome>> {
    let row = sqlx::query!(
        r#"
        UPDATE notifications
        SET dot_at = NULL, reply = CASE WHEN recipient IS NOT NULL THEN $4 END, doubts = doubts + 1,
            outcome = CASE WHEN doubts > 0 THEN 'in_doubt'::notification_outcome END,
            outcome_at = CASE WHEN doubts > 0 THEN $5::timestamptz END
        WHERE id = $1 AND (job_id, fence) = ($2, $3) AND dot_at IS NOT NULL AND accepted_at IS NULL
              AND outcome IS NULL
        RETURNING outcome AS "outcome: NotificationOutcome"
        "#,
        sending.notification_id,
        sending.fence.job_id,
        sending.fence.lease_seq,
        shortened(why),
        now,
    )
    .fetch_optional(&mut *conn)
    .await?;
    if let Some(row) = row {
        if let Some(outcome) = row.outcome {
            sending.record_end(outcome);
        }
        return Ok(row.outcome);
    }
    let outcomes = outcomes_of(conn, &[sending.notification_id]).await?;
    Ok(outcomes.get(&sending.notification_id).copied().flatten())
}

/// Ends a mail whose job the queue has ended, in the queue's transaction. A mail that was handed off without a result, or
/// was in doubt, ends in doubt. Returns how it ended, unless it had ended before: the caller counts it after the commit.
pub async fn job_ended(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    notification_id: Uuid,
    outcome: NotificationOutcome,
) -> Result<Option<EndedMail>> {
    let ended = sqlx::query!(
        r#"
        UPDATE notifications
        SET outcome = CASE WHEN dot_at IS NOT NULL OR doubts > 0 THEN 'in_doubt' ELSE $2::notification_outcome END, outcome_at = $3,
            doubts = least(doubts + CASE WHEN dot_at IS NOT NULL THEN 1 ELSE 0 END, 2)
        WHERE id = $1 AND outcome IS NULL
        RETURNING kind AS "kind: NotificationKind", outcome AS "outcome!: NotificationOutcome"
        "#,
        notification_id,
        outcome as NotificationOutcome,
        now,
    )
    .fetch_optional(conn)
    .await?;
    Ok(ended.map(|ended| EndedMail { id: notification_id, kind: ended.kind, outcome: ended.outcome }))
}

fn shortened(reply: &str) -> String {
    reply.chars().filter(|c| *c != '\0').take(REPLY_LIMIT).collect()
}
