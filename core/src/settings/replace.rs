//! Creates the business in an empty database, or replaces it.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{Business, get, put};
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
    let moves = get(&mut *tx).await?.zone != business.zone;
    let affected = if moves { staff_ids } else { Vec::new() };
    let fitting = Fitting::before(tx, now, &affected, None).await?;
    put(&mut *tx, now, business).await?;
    let mut stranded = fitting.stranded(tx).await?;
    for booking in &mut stranded {
        booking.start = business.zone.at(booking.start.to_utc());
        booking.end = business.zone.at(booking.end.to_utc());
    }
    Ok(Changed { value: business.clone(), stranded })
}
