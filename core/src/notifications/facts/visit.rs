//! The visit that a reminder shows.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::OneOfSeveral;
use crate::Result;
use crate::links::{Link, Purpose};
use crate::types::{BookingStatus, Currency, Money, Rev, Zone};
use crate::wording::with_seats;

/// The services of a visit on the day of one of them.
#[derive(Debug, Clone)]
pub struct VisitFacts {
    /// Its confirmed bookings of that day and customer that have not begun, by start; that of the reminder is one of them.
    pub bookings: Vec<OneOfSeveral>,
    /// The sum of the revisions of all bookings of the visit: it grows with each change of one of them.
    pub revs: i64,
}

/// Reads the visit as the reminder of this booking shows it.
pub(super) async fn load(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    visit_id: Uuid,
    booking_id: Uuid,
) -> Result<VisitFacts> {
    let rows = sqlx::query!(
        r#"
        SELECT b.id, b.rev AS "rev: Rev", b.status AS "status: BookingStatus", b.ics_uid, b.link_epoch + c.link_epoch AS "epoch!",
               lower(b.during) AS "start!", upper(b.during) AS "end!", b.zone AS "zone: Zone", b.service_id,
               services.active AS service_active, b.service_name, b.seats, b.price_minor, b.currency AS "currency: Currency",
               staff.name AS staff_name,
               (b.status = 'confirmed' AND b.customer_id = reminded.customer_id
                AND b.local_start::date = reminded.local_start::date AND lower(b.during) > $3) IS TRUE AS "is_shown!"
        FROM bookings b
        JOIN bookings reminded ON reminded.id = $2
        JOIN customers c ON c.id = b.customer_id
        JOIN staff ON staff.id = b.staff_id
        JOIN services ON services.id = b.service_id
        WHERE b.visit_id = $1
        ORDER BY lower(b.during), b.id
        "#,
        visit_id,
        booking_id,
        now,
    )
    .fetch_all(conn)
    .await?;
    let revs = rows.iter().map(|row| i64::from(row.rev.0)).sum();
    let shown = rows.into_iter().filter(|row| row.is_shown).map(|row| OneOfSeveral {
        link: Link { purpose: Purpose::Manage, id: row.id, epoch: row.epoch },
        ics_uid: row.ics_uid,
        rev: row.rev,
        status: row.status,
        start: row.start,
        end: row.end,
        zone: row.zone,
        service_id: row.service_id,
        service_active: row.service_active,
        service_name: with_seats(&row.service_name, row.seats),
        price: Money { minor: row.price_minor, currency: row.currency },
        staff_name: row.staff_name,
    });
    Ok(VisitFacts { bookings: shown.collect(), revs })
}
