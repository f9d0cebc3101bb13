//! Erases customers after the business's retention period.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::erase::{erase, lock};
use crate::transaction::change;
use crate::{Core, Result, customers, settings};

/// Customers per statement.
const BATCH: i64 = 1000;

/// What one run of the retention job did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RetentionRun {
    /// Number of customers erased.
    pub erased: u64,
    /// Whether more are left for the next run.
    pub more: bool,
}

/// Erases at most `most` customers whose last appointment ended before the retention period, each in its own
/// transaction. Without the setting none is erased. A customer without appointments counts from the row's creation; a
/// future appointment prevents erasure. Accounts are not deleted.
///
/// # Errors
/// Database errors; customers erased before the error stay erased.
pub async fn erase_outdated(core: &Core, most: u64) -> Result<RetentionRun> {
    let now = core.now();
    let Some(days) = settings::retention_days(&core.pool).await? else { return Ok(RetentionRun::default()) };
    let cutoff = now - TimeDelta::days(i64::from(days));
    let mut kept = RetentionRun::default();
    let mut after = (DateTime::UNIX_EPOCH, Uuid::nil());
    loop {
        // The LIMIT keeps Postgres from planning the subquery as one scan of all bookings.
        let rows = sqlx::query!(
            r#"SELECT c.id, c.created_at,
                      coalesce((SELECT true FROM bookings AS b
                                WHERE b.customer_id = c.id AND lower(b.during) > $3 AND upper(b.during) > $4
                                LIMIT 1), false) AS "recent!"
               FROM customers AS c
               WHERE c.erased_at IS NULL AND c.created_at <= $4 AND (c.created_at, c.id) > ($1, $2)
               ORDER BY c.created_at, c.id LIMIT $5"#,
            after.0,
            after.1,
            // The index is on starts, and no appointment is longer than a day.
            cutoff - TimeDelta::days(2),
            cutoff,
            BATCH,
        )
        .fetch_all(&core.pool)
        .await?;
        let Some(last) = rows.last() else { return Ok(kept) };
        after = (last.created_at, last.id);
        for id in rows.iter().filter(|row| !row.recent).map(|row| row.id) {
            if kept.erased == most {
                return Ok(RetentionRun { more: true, ..kept });
            }
            let erased = change(core, (id, cutoff), |args, tx, now| Box::pin(run(tx, now, args.0, args.1)));
            kept.erased += u64::from(erased.await?);
        }
    }
}

/// Erases the person of one customer, unless one of their rows is recent: they may have booked since they were selected, or
/// as another customer. Returns whether they were erased.
async fn run(tx: &mut PgConnection, now: DateTime<Utc>, id: Uuid, cutoff: DateTime<Utc>) -> Result<bool> {
    let person = customers::person_of(tx, id).await?;
    let locked = lock(tx, &person).await?;
    let recent = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM bookings WHERE customer_id = ANY($1) AND upper(during) > $2)
               OR EXISTS (SELECT FROM customers WHERE id = ANY($1) AND created_at > $2) AS "recent!""#,
        &person,
        cutoff,
    )
    .fetch_one(&mut *tx)
    .await?;
    if locked.is_empty() || recent {
        return Ok(false);
    }
    erase(tx, now, &locked).await?;
    Ok(true)
}
