//! The figures of a month: bookings, revenue, and how much of the open time was booked.

use std::collections::HashMap;

use sqlx::PgConnection;
use uuid::Uuid;

use crate::calendar::{after_date, day_start};
use crate::pool::again_if_cut;
use crate::slots::opening_hours;
use crate::types::{Actor, BookingStatus, Currency, Money, Month, Zone};
use crate::{Core, Error, Result, settings};

/// The figures of the bookings that start in a month, in the business's zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthReport {
    /// The month.
    pub month: Month,
    /// The zone in which it begins and ends.
    pub zone: Zone,
    /// All bookings.
    pub bookings: BookingCounts,
    /// Promised prices of confirmed and completed bookings, by currency.
    pub revenue: Vec<Money>,
    /// Each member of staff who is active or has bookings, by name.
    pub staff: Vec<StaffReport>,
}

/// Bookings by status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BookingCounts {
    /// Pending.
    pub pending: i64,
    /// Confirmed.
    pub confirmed: i64,
    /// Completed.
    pub completed: i64,
    /// No-shows.
    pub no_shows: i64,
    /// Cancelled.
    pub cancelled: i64,
    /// Declined.
    pub declined: i64,
}

/// The figures of one member of staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffReport {
    /// The member of staff.
    pub staff_id: Uuid,
    /// Their name.
    pub name: String,
    /// Their bookings.
    pub bookings: BookingCounts,
    /// Promised prices of confirmed and completed bookings, by currency.
    pub revenue: Vec<Money>,
    /// Minutes of their pending, confirmed, completed and missed appointments; a class counts once, buffers do not.
    pub booked_min: i64,
    /// Minutes of their open hours without time off, as the calendar is now.
    pub open_min: i64,
}

/// The figures of a month; for administrators.
///
/// # Errors
/// [`Error::Forbidden`]; [`Error::NotFound`] before the business is set up.
pub async fn month(core: &Core, actor: &Actor, month: Month) -> Result<MonthReport> {
    if !actor.is_admin() {
        return Err(Error::Forbidden);
    }
    again_if_cut(|| async { read(&mut *core.pool.acquire().await?, month).await }).await
}

async fn read(db: &mut PgConnection, month: Month) -> Result<MonthReport> {
    let zone = settings::get(&mut *db).await?.zone;
    let (begin, end) = (day_start(zone, month.first()), day_start(zone, after_date(month.last())));
    let counted = sqlx::query!(
        r#"SELECT staff_id AS "staff_id!", status AS "status: BookingStatus", currency AS "currency: Currency", count(*) AS "count!",
                  sum(price_minor)::bigint AS "price_minor!"
           FROM bookings
           WHERE lower(during) >= $1 AND lower(during) < $2
             AND status IN ('pending', 'confirmed', 'completed', 'no_show', 'cancelled', 'declined')
           GROUP BY staff_id, status, currency"#,
        begin,
        end,
    )
    .fetch_all(&mut *db)
    .await?;
    let booked = sqlx::query!(
        r#"SELECT staff_id AS "staff_id!", sum(minutes)::bigint AS "minutes!"
           FROM (SELECT DISTINCT staff_id, class_id, extract(epoch FROM upper(during) - lower(during)) / 60 AS minutes
                 FROM bookings
                 WHERE lower(during) >= $1 AND lower(during) < $2
                   AND status IN ('pending', 'confirmed', 'completed', 'no_show')) AS appointments
           GROUP BY staff_id"#,
        begin,
        end,
    )
    .fetch_all(&mut *db)
    .await?;
    let booked: HashMap<Uuid, i64> = booked.into_iter().map(|row| (row.staff_id, row.minutes)).collect();
    let with_bookings: Vec<Uuid> = counted.iter().map(|row| row.staff_id).collect();
    let staff = sqlx::query!(
        "SELECT id, name FROM staff WHERE active OR id = ANY($1) ORDER BY name, id",
        &with_bookings
    )
    .fetch_all(&mut *db)
    .await?;
    let ids: Vec<Uuid> = staff.iter().map(|member| member.id).collect();
    let calendars = opening_hours(db, zone, &ids, (month.first(), month.last())).await?;
    let open: HashMap<Uuid, i64> = calendars
        .iter()
        .map(|calendar| (calendar.staff_id, calendar.open_minutes(month.first(), month.last())))
        .collect();
    let mut all = (BookingCounts::default(), Vec::new());
    let mut by_staff: HashMap<Uuid, (BookingCounts, Vec<Money>)> = HashMap::new();
    for row in counted {
        let own = by_staff.entry(row.staff_id).or_default();
        for (counts, revenue) in [&mut all, own] {
            counts.add(row.status, row.count);
            if matches!(row.status, BookingStatus::Confirmed | BookingStatus::Completed) {
                add(revenue, Money { minor: row.price_minor, currency: row.currency });
            }
        }
    }
    let staff = staff.into_iter().map(|member| {
        let (bookings, revenue) = by_staff.remove(&member.id).unwrap_or_default();
        StaffReport {
            staff_id: member.id,
            name: member.name,
            bookings,
            revenue,
            booked_min: booked.get(&member.id).copied().unwrap_or_default(),
            open_min: open.get(&member.id).copied().unwrap_or_default(),
        }
    });
    Ok(MonthReport { month, zone, bookings: all.0, revenue: all.1, staff: staff.collect() })
}

/// Adds an amount to that of its currency.
fn add(amounts: &mut Vec<Money>, amount: Money) {
    match amounts.iter_mut().find(|known| known.currency == amount.currency) {
        Some(known) => known.minor += amount.minor,
        None => amounts.push(amount),
    }
}

impl BookingCounts {
    fn add(&mut self, status: BookingStatus, count: i64) {
        let field = match status {
            BookingStatus::Pending => &mut self.pending,
            BookingStatus::Confirmed => &mut self.confirmed,
            BookingStatus::Completed => &mut self.completed,
            BookingStatus::NoShow => &mut self.no_shows,
            BookingStatus::Cancelled => &mut self.cancelled,
            BookingStatus::Declined => &mut self.declined,
            BookingStatus::Held | BookingStatus::Expired => return,
        };
        *field += count;
    }
}
