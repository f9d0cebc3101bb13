//! Alternatives to a taken slot.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::ServiceTerms;
use super::list::{OfferedSlot, offered};
use crate::calendar::{local_date, nearest, out_of_reach};
use crate::{Alternative, Result};

const COUNT: usize = 3;

/// The three bookable starts nearest to `wanted` with the staff of the terms, in order of time; of two equally near
/// starts the earlier. Searches one week back and three weeks ahead; may find fewer.
pub async fn alternatives(
    db: &mut PgConnection,
    now: DateTime<Utc>,
    terms: &ServiceTerms,
    wanted: DateTime<Utc>,
    exclude: Option<Uuid>,
) -> Result<Vec<Alternative>> {
    if out_of_reach(wanted, now).is_some() {
        return Ok(Vec::new());
    }
    let date = local_date(terms.zone, wanted);
    let around = |back: u64, ahead: u64| (date - Days::new(back), date + Days::new(ahead));
    // Usually three are close. All starts within 46 hours are on these dates, even where a day has 25 hours.
    let close = search(db, now, terms, wanted, around(2, 2), exclude).await?;
    let near = |slot: &Alternative| (slot.start.to_utc() - wanted).abs() <= TimeDelta::hours(46);
    if close.len() == COUNT && close.iter().all(near) {
        return Ok(close);
    }
    search(db, now, terms, wanted, around(7, 23), exclude).await
}

async fn search(
    db: &mut PgConnection,
    now: DateTime<Utc>,
    terms: &ServiceTerms,
    wanted: DateTime<Utc>,
    dates: (NaiveDate, NaiveDate),
    exclude: Option<Uuid>,
) -> Result<Vec<Alternative>> {
    let slots = offered(db, now, terms, dates, exclude).await?.slots;
    let starts = nearest(slots.iter().map(|slot| slot.start.to_utc()), wanted, COUNT);
    let chosen = slots.into_iter().filter(|slot| starts.contains(&slot.start.to_utc()));
    let mut alternatives: Vec<Alternative> = chosen
        .map(|OfferedSlot { start, end, staff_ids, .. }| Alternative { start, end, staff_ids })
        .collect();
    alternatives.dedup_by_key(|alternative| alternative.start);
    Ok(alternatives)
}
