//! Erases customers after the business's retention period.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::erase::{erase, lock};
use crate::transaction::change;
use crate::{Core, Result, settings};

/// How many customers one statement looks at.
const LOOK: i64 = 1000;

/// What one run of the retention job did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kept {
    /// Customers who were erased.
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
pub async fn erase_outdated(core: &Core, most: u64) -> Result<Kept> {
    let now = core.now();
    let Some(days) = settings::retention_days(&core.pool).await? else { return Ok(Kept::default()) };
    let cutoff = now - TimeDelta::days(i64::from(days));
    let mut kept = Kept::default();
    let mut after = (DateTime::UNIX_EPOCH, Uuid::nil());
    loop {
        // The limit keeps EXISTS from being made into one look at the whole table of bookings.
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
            // No appointment is longer than a day, and the index knows starts only.
            cutoff - TimeDelta::days(2),
            cutoff,
            LOOK,
        )
        .fetch_all(&core.pool)
        .await?;
        let Some(last) = rows.last() else { return Ok(kept) };
        after = (last.created_at, last.id);
        for id in rows.iter().filter(|row| !row.recent).map(|row| row.id) {
            if kept.erased == most {
                return Ok(Kept { more: true, ..kept });
            }
            let erased = change(core, (id, cutoff), |args, tx, now| Box::pin(run(tx, now, args.0, args.1)));
            kept.erased += u64::from(erased.await?);
        }
    }
}

/// Whether the customer was erased: they may have booked since they were looked at.
async fn run(tx: &mut PgConnection, now: DateTime<Utc>, id: Uuid, cutoff: DateTime<Utc>) -> Result<bool> {
    let locked = lock(tx, &[id]).await?;
    let recent = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM bookings WHERE customer_id = $1 AND upper(during) > $2) AS "recent!""#,
        id,
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
