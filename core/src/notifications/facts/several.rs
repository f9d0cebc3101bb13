//! The content of a mail about several bookings.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::Business;
use crate::links::{Link, Purpose};
use crate::notifications::NotificationKind;
use crate::types::{
    ActorKind, BookingStatus, Currency, EmailAddress, EventDetails, Locale, Money, Rev, Zone,
};
use crate::wording::with_seats;
use crate::{Result, settings};

/// The content of the mail.
#[derive(Debug, Clone)]
pub struct SeveralFacts {
    /// The ledger row.
    pub notification_id: Uuid,
    /// Which mail.
    pub kind: NotificationKind,
    /// Its language.
    pub locale: Locale,
    /// Its recipient; `None` once the person was erased.
    pub recipient: Option<EmailAddress>,
    /// Whether the recipient has verified the address.
    pub recipient_proven: bool,
    /// The sender.
    pub business: Business,
    /// Name of the customer; empty once they were erased.
    pub customer_name: String,
    /// Their address, for staff.
    pub customer_email: Option<EmailAddress>,
    /// Their phone number, for staff.
    pub customer_phone: Option<String>,
    /// Who comes in the customer's place; none: the customer.
    pub for_whom: Option<String>,
    /// Message of staff to the customer about the change.
    pub message: Option<String>,
    /// Whether the customer made the change.
    pub changed_by_customer: bool,
    /// Whether staff turned off the customer's mail about the change.
    pub customer_not_told: bool,
    /// The bookings that the mail applies to, by start; at least one.
    pub bookings: Vec<OneOfSeveral>,
    /// The sum of the revisions of all its bookings: it grows with each change of one of them.
    pub revs: i64,
}

/// A booking in such a mail.
#[derive(Debug, Clone)]
pub struct OneOfSeveral {
    /// The customer's link to it.
    pub link: Link,
    /// UID of the calendar entry.
    pub ics_uid: String,
    /// Its revision: SEQUENCE of the calendar entry.
    pub rev: Rev,
    /// Its status.
    pub status: BookingStatus,
    /// Start.
    pub start: DateTime<Utc>,
    /// End.
    pub end: DateTime<Utc>,
    /// The business's zone.
    pub zone: Zone,
    /// The service.
    pub service_id: Uuid,
    /// Whether the service takes new bookings.
    pub service_active: bool,
    /// Name of the service.
    pub service_name: String,
    /// Price.
    pub price: Money,
    /// Who performs it.
    pub staff_name: String,
}

/// Reads the content of a mail about several bookings; `None` if there is no such mail, or it applies to none of them. A mail
/// to a customer shows only bookings of customers with its address, because one may have another customer by now.
pub async fn load_several(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    notification_id: Uuid,
) -> Result<Option<SeveralFacts>> {
    let rows = sqlx::query!(
        r#"
        SELECT n.kind AS "kind: NotificationKind", n.locale AS "locale: Locale", n.recipient::text AS "recipient: EmailAddress",
               EXISTS (SELECT FROM users u WHERE u.email = n.recipient AND u.email_verified_at IS NOT NULL) AS "proven!",
               b.id, b.rev AS "rev: Rev", b.status AS "status: BookingStatus", b.ics_uid, b.link_epoch + c.link_epoch AS "epoch!",
               lower(b.during) AS "start!", upper(b.during) AS "end!", b.zone AS "zone: Zone", b.service_id,
               services.active AS service_active, b.service_name, b.seats, b.price_minor, b.currency AS "currency: Currency",
               staff.name AS staff_name, coalesce(b.contact_name, c.name) AS "customer_name!",
               c.email::text AS "customer_email: EmailAddress",
               CASE WHEN b.contact_name IS NULL THEN c.phone ELSE b.contact_phone END AS customer_phone, b.for_whom,
               (n.to_staff OR c.email = n.recipient) IS TRUE AS "is_theirs!", event.details AS "details?: Json<EventDetails>",
               event.actor AS "actor?: ActorKind"
        FROM notifications n
        JOIN bookings b ON b.id = ANY(n.booking_ids)
        JOIN customers c ON c.id = b.customer_id
        JOIN staff ON staff.id = b.staff_id
        JOIN services ON services.id = b.service_id
        LEFT JOIN booking_events event ON event.booking_id = n.booking_id AND event.rev = n.rev
        WHERE n.id = $1
        ORDER BY lower(b.during), b.id
        "#,
        notification_id,
    )
    .fetch_all(&mut *conn)
    .await?;
    let revs = rows.iter().map(|row| i64::from(row.rev.0)).sum();
    let shown = rows.into_iter().filter(|row| {
        let in_time = row.start > now || !row.kind.is_for_what_is_to_come();
        row.is_theirs && in_time && row.kind.is_true_of(row.status)
    });
    let mut facts: Option<SeveralFacts> = None;
    for row in shown {
        let booking = OneOfSeveral {
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
        };
        if let Some(facts) = &mut facts {
            facts.bookings.push(booking);
            continue;
        }
        let details = row.details.map(|details| details.0).unwrap_or_default();
        facts = Some(SeveralFacts {
            notification_id,
            kind: row.kind,
            locale: row.locale,
            recipient: row.recipient,
            recipient_proven: row.proven,
            business: settings::get(&mut *conn).await?.into(),
            customer_name: row.customer_name,
            customer_email: row.customer_email,
            customer_phone: row.customer_phone,
            for_whom: row.for_whom,
            message: details.message.map(String::from),
            changed_by_customer: matches!(row.actor, Some(ActorKind::Customer | ActorKind::Guest)),
            customer_not_told: details.no_mail,
            bookings: vec![booking],
            revs,
        });
    }
    Ok(facts)
}
