//! Creates the business in an empty database, or replaces it.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{Business, get, keep_currency, put};
use crate::hours::{Changed, Fitting, lock_all};
use crate::transaction::change;
use crate::{Core, Error, Result};

/// Creates or replaces the business. A new zone moves all opening hours: every calendar is locked, and the bookings
/// that no longer fit are returned unchanged.
pub async fn replace(core: &Core, business: Business) -> Result<Changed<Business>> {
    change(core, business, |business, tx, now| Box::pin(apply(tx, now, business))).await
}

async fn apply(tx: &mut PgConnection, now: DateTime<Utc>, business: &Business) -> Result<Changed<Business>> {
    let staff_ids = match lock_all(tx).await {
        Ok(staff_ids) => staff_ids,
        // Without a business there are no bookings to check.
        Err(Error::NotFound(_)) => {
            put(&mut *tx, now, business).await?;
            return Ok(Changed { value: business.clone(), stranded: Vec::new() });
        }
        Err(error) => return Err(error),
    };
    let current = get(&mut *tx).await?;
    keep_currency(tx, current.currency, business.currency).await?;
    let moves = current.zone != business.zone;
    let affected = if moves { staff_ids } else { Vec::new() };
    let fitting = Fitting::before(tx, now, &affected, None).await?;
    put(&mut *tx, now, business).await?;
    let stranded = fitting.stranded(tx).await?;
    Ok(Changed { value: business.clone(), stranded })
}
