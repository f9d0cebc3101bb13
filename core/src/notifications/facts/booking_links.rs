//! The content of a mail with links of bookings.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Business;
use crate::links::{Link, Purpose};
use crate::types::{BookingStatus, EmailAddress, Locale, ParseError, Zone};
use crate::wording::with_seats;
use crate::{Error, Result, settings};

/// Most bookings in one mail; the next ones first.
const MAX_BOOKINGS: i64 = 50;

/// The content of the mail.
#[derive(Debug, Clone)]
pub struct BookingLinksFacts {
    /// The ledger row.
    pub notification_id: Uuid,
    /// Its language.
    pub locale: Locale,
    /// Its recipient; `None` once the person was erased.
    pub recipient: Option<EmailAddress>,
    /// The sender.
    pub business: Business,
    /// Future bookings, the next one first; at least one.
    pub bookings: Vec<LinkedBooking>,
}

/// A booking and its link.
#[derive(Debug, Clone)]
pub struct LinkedBooking {
    /// The link to see, move or cancel it; the sender derives the address of it from the keys.
    pub link: Link,
    /// Start.
    pub start: DateTime<Utc>,
    /// End.
    pub end: DateTime<Utc>,
    /// The business's zone.
    pub zone: Zone,
    /// Whether it waits for staff to confirm it.
    pub pending: bool,
    /// Name of the service.
    pub service_name: String,
    /// Who performs it.
    pub staff_name: String,
}

/// Reads the content; `None` if there is no such mail or no future booking.
pub async fn load_booking_links(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    notification_id: Uuid,
) -> Result<Option<BookingLinksFacts>> {
    let rows = sqlx::query!(
        r#"
        SELECT n.locale, n.recipient::text AS "recipient: EmailAddress", b.id,
               b.link_epoch + c.link_epoch AS "link_epoch!",
               b.status AS "status: BookingStatus", lower(b.during) AS "start!", upper(b.during) AS "end!",
               b.zone AS "zone: Zone", b.service_name, b.seats, staff.name AS staff_name
        FROM notifications AS n
        JOIN customers AS c ON c.email = n.recipient AND c.erased_at IS NULL
        JOIN bookings AS b ON b.customer_id = c.id
        JOIN staff ON staff.id = b.staff_id
        WHERE n.id = $1 AND n.customer_id IS NOT NULL AND b.status IN ('pending', 'confirmed')
          AND lower(b.during) > $2
        ORDER BY lower(b.during), b.id LIMIT $3
        "#,
        notification_id,
        now,
        MAX_BOOKINGS,
    )
    .fetch_all(&mut *conn)
    .await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let stored = |error: ParseError| Error::internal("a stored value of a mail", error);
    let (locale, recipient) = (Locale::parse(&first.locale).map_err(stored)?, first.recipient.clone());
    let bookings = rows
        .into_iter()
        .map(|row| LinkedBooking {
            link: Link { purpose: Purpose::Manage, id: row.id, epoch: row.link_epoch },
            start: row.start,
            end: row.end,
            zone: row.zone,
            pending: row.status == BookingStatus::Pending,
            service_name: with_seats(&row.service_name, row.seats),
            staff_name: row.staff_name,
        })
        .collect();
    let business = settings::get(conn).await?.into();
    Ok(Some(BookingLinksFacts { notification_id, locale, recipient, business, bookings }))
}
