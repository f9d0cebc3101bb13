//! Alternatives to a taken slot, and to one whose member of staff is away.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::ServiceTerms;
use super::list::{OfferedSlot, offered};
use super::terms::terms_of_booking;
use crate::calendar::{Limits, local_date, nearest, out_of_reach};
use crate::{Alternative, Result};

const COUNT: usize = 3;

/// The three bookable starts nearest to `wanted` with enough seats left and the staff of the terms, in order of time; of two equally near
/// starts the earlier. Searches one week back and three weeks ahead; may find fewer.
pub async fn alternatives(
    db: &mut PgConnection,
    now: DateTime<Utc>,
    terms: &ServiceTerms,
    wanted: DateTime<Utc>,
    seats: u32,
    exclude: Option<Uuid>,
) -> Result<Vec<Alternative>> {
    if out_of_reach(terms.zone, wanted, now, Limits::Enforced).is_some() {
        return Ok(Vec::new());
    }
    let date = local_date(terms.zone, wanted);
    let around = |back: u64, ahead: u64| (date - Days::new(back), date + Days::new(ahead));
    // Usually three are close. All starts within 46 hours are on these dates, even where a day has 25 hours.
    let close = search(db, now, terms, wanted, around(2, 2), seats, exclude).await?;
    let near = |slot: &Alternative| (slot.start.to_utc() - wanted).abs() <= TimeDelta::hours(46);
    if close.len() == COUNT && close.iter().all(near) {
        return Ok(close);
    }
    search(db, now, terms, wanted, around(7, 23), seats, exclude).await
}

/// A booking that no longer fits its calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Displaced {
    /// The booking.
    pub booking_id: Uuid,
    /// Its service.
    pub service_id: Uuid,
    /// Its member of staff.
    pub staff_id: Uuid,
    /// Its start.
    pub start: DateTime<Utc>,
    /// Its seats.
    pub seats: u32,
}

/// How many days ahead slots with the same member of staff are searched.
const LATER_DAYS: u64 = 21;

/// Up to three slots for a booking that no longer fits, under its promised terms: the same start with others, then
/// the next ones with the same member of staff, then the nearest with anybody.
pub(crate) async fn replacements(
    db: &mut PgConnection,
    now: DateTime<Utc>,
    displaced: Displaced,
) -> Result<Vec<Alternative>> {
    let Displaced { booking_id, service_id, staff_id, start, seats } = displaced;
    let anybody = terms_of_booking(db, booking_id, service_id, None).await?;
    if out_of_reach(anybody.zone, start, now, Limits::Enforced).is_some() {
        return Ok(Vec::new());
    }
    let with = |is_wanted: &dyn Fn(Uuid) -> bool| ServiceTerms {
        staff_ids: anybody.staff_ids.iter().copied().filter(|id| is_wanted(*id)).collect(),
        ..anybody.clone()
    };
    let date = local_date(anybody.zone, start);
    let exclude = Some(booking_id);
    let others = offered(db, now, &with(&|id| id != staff_id), (date, date), seats, exclude).await?;
    let mut found: Vec<Alternative> = others
        .slots
        .into_iter()
        .filter(|slot| slot.start.to_utc() == start)
        .take(1)
        .map(alternative)
        .collect();
    let dates = (date, date + Days::new(LATER_DAYS));
    let same = offered(db, now, &with(&|id| id == staff_id), dates, seats, exclude).await?;
    let later = same.slots.into_iter().filter(|slot| slot.start.to_utc() > start).map(alternative);
    found.extend(later.take(COUNT - found.len()));
    if found.len() < COUNT {
        for nearest in alternatives(db, now, &anybody, start, seats, exclude).await? {
            if found.len() < COUNT && !found.iter().any(|known| known.start == nearest.start) {
                found.push(nearest);
            }
        }
    }
    Ok(found)
}

fn alternative(slot: OfferedSlot) -> Alternative {
    let OfferedSlot { start, end, staff_ids, .. } = slot;
    Alternative { start, end, staff_ids }
}

async fn search(
    db: &mut PgConnection,
    now: DateTime<Utc>,
    terms: &ServiceTerms,
    wanted: DateTime<Utc>,
    dates: (NaiveDate, NaiveDate),
    seats: u32,
    exclude: Option<Uuid>,
) -> Result<Vec<Alternative>> {
    let slots = offered(db, now, terms, dates, seats, exclude).await?.slots;
    let starts = nearest(slots.iter().map(|slot| slot.start.to_utc()), wanted, COUNT);
    let chosen = slots.into_iter().filter(|slot| starts.contains(&slot.start.to_utc()));
    let mut alternatives: Vec<Alternative> = chosen.map(alternative).collect();
    alternatives.dedup_by_key(|alternative| alternative.start);
    Ok(alternatives)
}
