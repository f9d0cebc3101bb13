//! The second step: mails that still apply are marked as handed off before the message is sent.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::visits::{self, Turn};
use super::{HandOff, Sending, outcomes_of};
use crate::Result;
use crate::notifications::{NotificationKind, NotificationOutcome, account, booking_links, several};
use crate::types::{BookingStatus, Rev};

/// Checks under locks on the bookings, accounts and customers that the mails still apply, and sets `dot_at`. A mail that no
/// longer applies, or is too late, is ended instead. Runs in the caller's transaction: the messages may be sent only after
/// its commit. The answers are in the order of the mails.
///
/// # Errors
/// Those of the database, for all of them.
pub async fn mark_handed_off(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    sendings: &[Sending],
) -> Result<Vec<HandOff>> {
    let outdated = outdated(conn, sendings).await?;
    let current: Vec<Sending> =
        sendings.iter().filter(|mail| !outdated.contains(&mail.notification_id)).copied().collect();
    let mut ended = reasons_to_end(conn, &current).await?;
    let waiting = waiting(conn, &current, &mut ended).await?;
    // The UPDATE returns rows by id only: an earlier lease of a mail must not be answered with the row of a later one.
    let is_latest = |mail: &Sending| {
        let same = current.iter().filter(|other| other.notification_id == mail.notification_id);
        same.map(|other| other.fence).all(|fence| fence <= mail.fence)
    };
    let is_to_mark = |mail: &&Sending| {
        !ended.contains_key(&mail.notification_id) && !waiting.contains(&mail.notification_id)
    };
    let to_mark = current.iter().filter(is_to_mark).filter(|mail| is_latest(mail));
    let marked = mark(conn, now, to_mark).await?;
    for sending in current.iter().filter(|mail| is_reminder_of_visit(mail)) {
        if marked.get(&sending.notification_id) == Some(&true) {
            visits::cover_others(conn, sending).await?;
        }
    }
    let mut answers = Vec::with_capacity(sendings.len());
    for sending in sendings {
        let id = &sending.notification_id;
        let answer = match (ended.get(id), marked.get(id)) {
            _ if outdated.contains(id) => HandOff::Outdated,
            _ if waiting.contains(id) => HandOff::Waits,
            (Some(outcome), _) => end(conn, now, sending, *outcome).await?,
            (None, _) if !is_latest(sending) => fenced_result(conn, sending).await?,
            (None, Some(true)) => HandOff::Marked,
            (None, Some(false)) => end(conn, now, sending, NotificationOutcome::Expired).await?,
            (None, None) => fenced_result(conn, sending).await?,
        };
        answers.push(answer);
    }
    Ok(answers)
}

/// The mails about several bookings of which one has changed since the mail was rendered. Locks their bookings.
async fn outdated(conn: &mut PgConnection, sendings: &[Sending]) -> Result<HashSet<Uuid>> {
    let mut outdated = HashSet::new();
    for sending in sendings.iter().filter(|sending| sending.shows_several()) {
        let revs = if sending.kind.is_about_several() {
            several::lock_revs(conn, sending.notification_id).await?
        } else {
            visits::lock_revs(conn, sending.booking_id).await?
        };
        if Some(revs) != sending.revs {
            outdated.insert(sending.notification_id);
        }
    }
    Ok(outdated)
}

fn is_reminder_of_visit(sending: &Sending) -> bool {
    sending.kind == NotificationKind::Reminder && sending.revs.is_some()
}

/// The reminders of visits that wait for another one; one that another replaced is added to those that end.
async fn waiting(
    conn: &mut PgConnection,
    sendings: &[Sending],
    ended: &mut HashMap<Uuid, NotificationOutcome>,
) -> Result<HashSet<Uuid>> {
    let mut waiting = HashSet::new();
    for sending in sendings.iter().filter(|mail| is_reminder_of_visit(mail)) {
        let id = sending.notification_id;
        if ended.contains_key(&id) {
            continue;
        }
        match visits::turn(conn, sending).await? {
            Turn::Send => {}
            Turn::Wait => {
                waiting.insert(id);
            }
            Turn::Covered => {
                ended.insert(id, NotificationOutcome::Covered);
            }
        }
    }
    Ok(waiting)
}

/// Sets `dot_at` of the mails that are not fenced; by id, whether they are in time.
async fn mark<'a>(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    sendings: impl Iterator<Item = &'a Sending>,
) -> Result<HashMap<Uuid, bool>> {
    let mut sorted: Vec<&Sending> = sendings.collect();
    sorted.sort_unstable_by_key(|sending| sending.notification_id);
    if sorted.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<Uuid> = sorted.iter().map(|sending| sending.notification_id).collect();
    let job_ids: Vec<i64> = sorted.iter().map(|sending| sending.fence.job_id).collect();
    let lease_seqs: Vec<i64> = sorted.iter().map(|sending| sending.fence.lease_seq).collect();
    // Plan: nested loop, function scan of the arrays, index scan on notifications_pkey for each.
    let rows = sqlx::query!(
        r#"
        UPDATE notifications AS n
        SET dot_at = CASE WHEN n.expires_at > $4 THEN $4::timestamptz END, covered_by = NULL
        FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS attempt (id, job_id, fence)
        WHERE n.id = attempt.id AND (n.job_id, n.fence) = (attempt.job_id, attempt.fence) AND n.accepted_at IS NULL
              AND n.outcome IS NULL
        RETURNING n.id, n.dot_at IS NOT NULL AS "in_time!"
        "#,
        &ids,
        &job_ids,
        &lease_seqs,
        now,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.in_time)).collect())
}

/// Locks the bookings, accounts and customers of the mails against changes; returns by id the outcome of the mails that no
/// longer apply.
async fn reasons_to_end(
    conn: &mut PgConnection,
    sendings: &[Sending],
) -> Result<HashMap<Uuid, NotificationOutcome>> {
    let mut ended = reasons_of_bookings(conn, sendings).await?;
    for sending in sendings.iter().filter(|sending| sending.booking_id.is_none()) {
        let applies = match (sending.user_id, sending.customer_id) {
            (Some(user_id), _) => account::is_current(conn, user_id, sending.kind, sending.rev).await?,
            (None, Some(id)) => booking_links::applies(conn, id, sending.notification_id).await?,
            (None, None) => false,
        };
        if !applies {
            ended.insert(sending.notification_id, NotificationOutcome::Cancelled);
        }
    }
    Ok(ended)
}

/// [`reasons_to_end`] of mails about bookings: the booking has changed, the customer does not want reminders, or the member
/// of staff has left.
async fn reasons_of_bookings(
    conn: &mut PgConnection,
    sendings: &[Sending],
) -> Result<HashMap<Uuid, NotificationOutcome>> {
    let about: Vec<(&Sending, Uuid)> =
        sendings.iter().filter_map(|sending| Some((sending, sending.booking_id?))).collect();
    if about.is_empty() {
        return Ok(HashMap::new());
    }
    let about_one = about.iter().filter(|(sending, _)| !sending.kind.is_about_several());
    let booking_ids: Vec<Uuid> = about_one.map(|(_, booking_id)| *booking_id).collect();
    // A separate statement without joins takes the locks, so that the next one reads what was committed during the wait.
    let bookings = sqlx::query!(
        r#"SELECT id, rev AS "rev: Rev", status AS "status: BookingStatus" FROM bookings
           WHERE id = ANY($1) ORDER BY id FOR SHARE"#,
        &booking_ids,
    )
    .fetch_all(&mut *conn)
    .await?;
    let bookings: HashMap<Uuid, (Rev, BookingStatus)> =
        bookings.into_iter().map(|booking| (booking.id, (booking.rev, booking.status))).collect();
    let ids: Vec<Uuid> = about.iter().map(|(sending, _)| sending.notification_id).collect();
    let addressees = sqlx::query!(
        r#"SELECT n.id AS "id!", coalesce(customers.reminders, true) AS "reminders!", coalesce(staff.active, true) AS "works_here!"
           FROM notifications AS n JOIN bookings ON bookings.id = n.booking_id
           LEFT JOIN customers ON customers.id = bookings.customer_id
           LEFT JOIN staff ON staff.id = n.staff_id
           WHERE n.id = ANY($1)"#,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    let addressees: HashMap<Uuid, (bool, bool)> =
        addressees.into_iter().map(|row| (row.id, (row.reminders, row.works_here))).collect();
    let mut ended = HashMap::new();
    for (sending, booking_id) in about {
        let applies = sending.kind.is_about_several()
            || bookings
                .get(&booking_id)
                .is_some_and(|(rev, status)| *rev == sending.rev && sending.kind.is_true_of(*status));
        let reason = match addressees.get(&sending.notification_id) {
            _ if !applies => NotificationOutcome::Cancelled,
            Some((_, false)) => NotificationOutcome::Cancelled,
            Some((false, true)) if sending.kind == NotificationKind::Reminder => {
                NotificationOutcome::Unwanted
            }
            _ => continue,
        };
        ended.insert(sending.notification_id, reason);
    }
    Ok(ended)
}

/// Ends a mail that will not be sent. One that was in doubt ends in doubt, because it may have arrived.
///
/// # Errors
/// Those of the database.
pub async fn end(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    sending: &Sending,
    outcome: NotificationOutcome,
) -> Result<HandOff> {
    let row = sqlx::query!(
        r#"
        UPDATE notifications
        SET outcome = CASE WHEN doubts > 0 THEN 'in_doubt' ELSE $4::notification_outcome END, outcome_at = $5
        WHERE id = $1 AND (job_id, fence) = ($2, $3) AND accepted_at IS NULL AND outcome IS NULL
        RETURNING outcome AS "outcome!: NotificationOutcome"
        "#,
        sending.notification_id,
        sending.fence.job_id,
        sending.fence.lease_seq,
        outcome as NotificationOutcome,
        now,
    )
    .fetch_optional(&mut *conn)
    .await?;
    match row {
        Some(row) => {
            sending.record_end(row.outcome);
            Ok(HandOff::Ended(row.outcome))
        }
        None => fenced_result(conn, sending).await,
    }
}

/// The result of a fenced statement that changed no row.
async fn fenced_result(conn: &mut PgConnection, sending: &Sending) -> Result<HandOff> {
    let outcomes = outcomes_of(conn, &[sending.notification_id]).await?;
    let outcome = outcomes.get(&sending.notification_id).copied().flatten();
    Ok(outcome.map_or(HandOff::Fenced, HandOff::Ended))
}
