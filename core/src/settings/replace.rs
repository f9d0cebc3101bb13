//! Creates the business in an empty database, or replaces it.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{Business, get, keep_currency, put};
use crate::hours::{Changed, Fitting, lock_all};
use crate::transaction::change;
use crate::types::ExpectedRev;
use crate::{Core, Error, Result};

/// Creates or replaces the business. A new zone moves all opening hours: every calendar is locked, and the bookings
/// that no longer fit are returned unchanged. `expected` is the revision that is replaced; none: there is no business yet.
///
/// # Errors
/// [`Error::RevMismatch`], [`Error::RevRequired`] for a business that exists and no expected revision,
/// [`Error::Invalid`] for another currency while services have prices.
pub async fn replace(
    core: &Core,
    expected: Option<ExpectedRev>,
    business: Business,
) -> Result<Changed<Business>> {
    change(core, (expected, business), |(expected, business), tx, now| {
        Box::pin(apply(tx, now, *expected, business))
    })
    .await
}

async fn apply(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    expected: Option<ExpectedRev>,
    business: &Business,
) -> Result<Changed<Business>> {
    let staff_ids = match lock_all(tx).await {
        Ok(staff_ids) => staff_ids,
        // Without a business there are no bookings to check.
        Err(Error::NotFound(_)) => {
            put(&mut *tx, now, business).await?;
            return Ok(Changed { value: get(tx).await?, stranded: Vec::new() });
        }
        Err(error) => return Err(error),
    };
    let current = get(&mut *tx).await?;
    if !expected.ok_or(Error::RevRequired)?.matches(current.rev) {
        return Err(Error::RevMismatch { current: current.rev });
    }
    keep_currency(tx, current.currency, business.currency).await?;
    let moves = current.zone != business.zone;
    let affected = if moves { staff_ids } else { Vec::new() };
    let fitting = Fitting::before(tx, now, &affected, None).await?;
    put(&mut *tx, now, business).await?;
    let stranded = fitting.stranded(tx).await?;
    Ok(Changed { value: get(tx).await?, stranded })
}
