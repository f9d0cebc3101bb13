//! The first step: attempts begin.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{BeginResult, Fence, Sending, outcomes_of};
use crate::Result;
use crate::notifications::{EndedMail, NotificationKind, NotificationOutcome, record_ended};
use crate::types::Rev;

/// Begins attempts to send these mails; the answers are in their order. If an earlier attempt handed a mail off and recorded
/// no result, the mail is in doubt: the first time it is sent once more, the second time it ends. A reminder also ends if
/// another one of its visit was sent instead.
///
/// # Errors
/// Those of the database, for all of them.
pub async fn begin(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    attempts: &[(Uuid, Fence)],
) -> Result<Vec<BeginResult>> {
    // Of several attempts at one mail the latest lease begins. In order of id: concurrent batches lock rows in one order.
    let mut latest: Vec<(Uuid, Fence)> = attempts.to_vec();
    latest.sort_unstable_by_key(|(id, fence)| (*id, std::cmp::Reverse(*fence)));
    latest.dedup_by_key(|(id, _)| *id);
    let ids: Vec<Uuid> = latest.iter().map(|(id, _)| *id).collect();
    let job_ids: Vec<i64> = latest.iter().map(|(_, fence)| fence.job_id).collect();
    let lease_seqs: Vec<i64> = latest.iter().map(|(_, fence)| fence.lease_seq).collect();
    // Plan: nested loop, function scan of the arrays, index scan on notifications_pkey for each.
    let begun = sqlx::query!(
        r#"
        UPDATE notifications AS n
        SET job_id = attempt.job_id, fence = attempt.fence, dot_at = NULL,
            tries = n.tries + CASE WHEN n.dot_at IS NOT NULL AND n.doubts > 0 THEN 0 ELSE 1 END,
            doubts = n.doubts + CASE WHEN n.dot_at IS NOT NULL THEN 1 ELSE 0 END,
            outcome = CASE WHEN n.dot_at IS NOT NULL AND n.doubts > 0 THEN 'in_doubt'::notification_outcome
                           WHEN n.dot_at IS NULL AND EXISTS (
                               SELECT FROM notifications AS cover
                               WHERE cover.id = n.covered_by AND cover.outcome = 'sent' AND cover.recipient = n.recipient) THEN 'covered' END,
            outcome_at = CASE WHEN n.dot_at IS NOT NULL AND n.doubts > 0 OR n.dot_at IS NULL AND EXISTS (
                               SELECT FROM notifications AS cover
                               WHERE cover.id = n.covered_by AND cover.outcome = 'sent' AND cover.recipient = n.recipient)
                              THEN $4::timestamptz END
        FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS attempt (id, job_id, fence)
        WHERE n.id = attempt.id AND n.outcome IS NULL AND n.accepted_at IS NULL
              AND (n.job_id, n.fence) < (attempt.job_id, attempt.fence)
        RETURNING n.id, n.booking_id, n.user_id, n.customer_id, n.kind AS "kind: NotificationKind", n.rev AS "rev: Rev",
                  n.outcome AS "outcome: NotificationOutcome", n.job_id, n.fence
        "#,
        &ids,
        &job_ids,
        &lease_seqs,
        now,
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut answers: HashMap<(Uuid, Fence), BeginResult> = HashMap::with_capacity(begun.len());
    for row in begun {
        let fence = Fence { job_id: row.job_id, lease_seq: row.fence };
        let answer = match row.outcome {
            Some(outcome) => {
                record_ended([EndedMail { id: row.id, kind: row.kind, outcome }]);
                BeginResult::Ended(outcome)
            }
            None => BeginResult::Sending(Sending {
                notification_id: row.id,
                booking_id: row.booking_id,
                user_id: row.user_id,
                customer_id: row.customer_id,
                kind: row.kind,
                rev: row.rev,
                fence,
                revs: None,
            }),
        };
        answers.insert((row.id, fence), answer);
    }
    let others: Vec<Uuid> =
        attempts.iter().filter(|attempt| !answers.contains_key(attempt)).map(|(id, _)| *id).collect();
    let outcomes = if others.is_empty() { HashMap::new() } else { outcomes_of(conn, &others).await? };
    let answer = |attempt: &(Uuid, Fence)| {
        answers.get(attempt).copied().unwrap_or_else(|| match outcomes.get(&attempt.0) {
            None => BeginResult::Gone,
            Some(Some(outcome)) => BeginResult::Ended(*outcome),
            Some(None) => BeginResult::Fenced,
        })
    };
    Ok(attempts.iter().map(answer).collect())
}
