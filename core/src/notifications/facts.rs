//! The content of a mail, read when it is sent.

mod account;
mod booking_links;
mod several;
mod visit;
mod webhook_ended;

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::NotificationKind;
use crate::types::{
    ActorKind, BookingStatus, Currency, EmailAddress, EventDetails, Locale, Money, Rev, Zone,
};
use crate::wording::with_seats;
use crate::{Result, settings};

pub use account::{AccountFacts, load_account};
pub use booking_links::{BookingLinksFacts, LinkedBooking, load_booking_links};
pub use several::{OneOfSeveral, SeveralFacts, load_several};
pub use visit::VisitFacts;
pub use webhook_ended::{WebhookEndedFacts, load_webhook_ended};

/// The content of one mail.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The ledger row.
    pub notification_id: Uuid,
    /// Which mail.
    pub kind: NotificationKind,
    /// The revision of the booking it is about.
    pub rev: Rev,
    /// Its language.
    pub locale: Locale,
    /// Its recipient; `None` once the person was erased.
    pub recipient: Option<EmailAddress>,
    /// Whether the recipient has verified the address.
    pub recipient_proven: bool,
    /// Name of the recipient: the customer, the member of staff or the business.
    pub recipient_name: String,
    /// The sender.
    pub business: Business,
    /// The booking it is about.
    pub booking: Booking,
    /// Of a reminder: the visit that the booking is part of; none if it was booked by itself.
    pub visit: Option<VisitFacts>,
}

impl Facts {
    /// Whether the mail still applies to the booking. Once it does not, it never does again.
    #[must_use]
    pub fn are_current(&self) -> bool {
        self.booking.rev == self.rev && self.kind.is_true_of(self.booking.status)
    }
}

/// The business as mails show it.
#[derive(Debug, Clone)]
pub struct Business {
    /// Name.
    pub name: String,
    /// Postal address; may be empty.
    pub address: String,
    /// Phone number; may be empty.
    pub phone: String,
    /// From address.
    pub sender: EmailAddress,
    /// Where replies go.
    pub reply_to: EmailAddress,
    /// Base of links, without a trailing slash.
    pub public_url: String,
}

impl From<settings::Business> for Business {
    fn from(business: settings::Business) -> Self {
        Self {
            name: business.name,
            address: business.address,
            phone: business.phone.map(String::from).unwrap_or_default(),
            sender: business.sender,
            reply_to: business.reply_to,
            public_url: business.public_url,
        }
    }
}

/// The booking as mails show it: as promised when it was made.
#[derive(Debug, Clone)]
pub struct Booking {
    /// The booking.
    pub id: Uuid,
    /// Its revision: SEQUENCE of the calendar entry.
    pub rev: Rev,
    /// Its status.
    pub status: BookingStatus,
    /// UID of the calendar entry.
    pub ics_uid: String,
    /// Epoch of the links with which staff confirm or decline it.
    pub link_epoch: i32,
    /// Epoch of the customer's links to it: rises with the booking's and with the customer's.
    pub manage_epoch: i32,
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
    /// The customer.
    pub customer_id: Uuid,
    /// Epoch of the customer's unsubscribe links.
    pub customer_link_epoch: i32,
    /// Their name; empty once they were erased.
    pub customer_name: String,
    /// Their address, for staff.
    pub customer_email: Option<EmailAddress>,
    /// Their phone number, for staff.
    pub customer_phone: Option<String>,
    /// Who comes in the customer's place; none: the customer.
    pub for_whom: Option<String>,
    /// Their note, for staff; may be empty.
    pub customer_note: String,
    /// The customer's zone, if known.
    pub customer_zone: Option<Zone>,
    /// Start and end before the move that the mail is about.
    pub previous: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// The previous member of staff, if the move changed it.
    pub previous_staff: Option<String>,
    /// Whether the customer made the change the mail is about, rather than staff or the system.
    pub changed_by_customer: bool,
    /// Message of staff to the customer about the change.
    pub message: Option<String>,
    /// Whether staff turned off the customer's mail about the change.
    pub customer_not_told: bool,
    /// Start and end of the confirmed appointment that the customer gave up by requesting this one.
    pub given_up: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// Until when the customer may cancel it, inclusive.
    pub cancel_until: DateTime<Utc>,
    /// Until when the customer may move it, inclusive.
    pub move_until: DateTime<Utc>,
}

/// Reads the content of mails, by id; none of a mail that is not about a booking with a customer.
///
/// # Errors
/// Those of the database.
#[expect(clippy::too_many_lines, reason = "one statement, and one value made of its columns")]
pub async fn load(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    notification_ids: &[Uuid],
) -> Result<HashMap<Uuid, Facts>> {
    if notification_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query!(
        r#"
        SELECT n.id AS notification_id, n.kind AS "kind: NotificationKind", n.locale AS "locale: Locale", n.recipient::text AS "recipient: EmailAddress",
               b.id, b.visit_id, b.rev AS "rev: Rev", b.status AS "status: BookingStatus", b.ics_uid, b.link_epoch, lower(b.during) AS "start!", upper(b.during) AS "end!",
               b.zone AS "zone: Zone", b.service_id, services.active AS service_active, b.service_name, b.seats, b.price_minor, b.currency AS "currency: Currency", staff.name AS staff_name,
               c.id AS customer_id, c.link_epoch AS customer_link_epoch, coalesce(b.contact_name, c.name) AS "customer_name!", c.zone AS "customer_zone: Zone",
               c.email::text AS "customer_email: EmailAddress", CASE WHEN b.contact_name IS NULL THEN c.phone ELSE b.contact_phone END AS customer_phone, b.customer_note, b.for_whom,
               addressee.name AS "addressee_name?", former.name AS "former_name?",
               s.name, s.address, s.phone, s.sender::text AS "sender!: EmailAddress",
               s.reply_to::text AS "reply_to!: EmailAddress", s.public_url,
               EXISTS (SELECT FROM users u WHERE u.email = n.recipient AND u.email_verified_at IS NOT NULL) AS "proven!",
               n.rev AS "notification_rev: Rev", event.details AS "details?: Json<EventDetails>",
               event.actor AS "actor?: ActorKind", services.cancel_notice_min, services.reschedule_notice_min,
               given_up.details AS "given_up?: Json<EventDetails>"
        FROM notifications n
        JOIN bookings b ON b.id = n.booking_id
        JOIN customers c ON c.id = b.customer_id
        JOIN staff ON staff.id = b.staff_id
        JOIN services ON services.id = b.service_id
        CROSS JOIN settings s
        -- A note makes a revision of which the mails of the one before stay true.
        LEFT JOIN LATERAL (
            SELECT changed.actor, changed.details FROM booking_events changed
            WHERE changed.booking_id = n.booking_id AND changed.rev <= n.rev AND changed.change <> 'noted'
            ORDER BY changed.rev DESC LIMIT 1) event ON true
        LEFT JOIN staff addressee ON addressee.id = n.staff_id
        LEFT JOIN staff former ON former.id = (event.details #>> '{from,staff_id}')::uuid AND former.id <> b.staff_id
        -- The last move of a confirmed booking that made it pending and was not confirmed since.
        LEFT JOIN LATERAL (
            SELECT moved.details
            FROM booking_events moved
            JOIN booking_events former ON former.booking_id = moved.booking_id AND former.rev = moved.rev - 1
            WHERE moved.booking_id = b.id AND moved.rev <= n.rev AND moved.change = 'rescheduled'
              AND moved.status = 'pending' AND former.status = 'confirmed'
              AND NOT EXISTS (SELECT FROM booking_events later
                              WHERE later.booking_id = b.id AND later.rev > moved.rev AND later.rev <= n.rev
                                AND later.status = 'confirmed')
            ORDER BY moved.rev DESC LIMIT 1) given_up ON true
        WHERE n.id = ANY($1)
        "#,
        notification_ids,
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut visits: HashMap<Uuid, VisitFacts> = HashMap::new();
    for row in rows.iter().filter(|row| row.kind == NotificationKind::Reminder) {
        if let Some(visit_id) = row.visit_id {
            visits.insert(row.notification_id, visit::load(conn, now, visit_id, row.id).await?);
        }
    }
    let facts = rows.into_iter().map(|row| {
        let details = row.details.map(|details| details.0).unwrap_or_default();
        let given_up = row.given_up.and_then(|details| details.0.from);
        let duration = row.end - row.start;
        let before_start = |minutes: i32| row.start - TimeDelta::minutes(minutes.into());
        let facts = Facts {
            visit: visits.remove(&row.notification_id),
            notification_id: row.notification_id,
            rev: row.notification_rev,
            kind: row.kind,
            locale: row.locale,
            recipient: row.recipient,
            recipient_proven: row.proven,
            recipient_name: match row.addressee_name {
                Some(name) => name,
                None if row.kind.is_for_staff() => row.name.clone(),
                None => row.customer_name.clone(),
            },
            business: Business {
                name: row.name,
                address: row.address,
                phone: row.phone,
                sender: row.sender,
                reply_to: row.reply_to,
                public_url: row.public_url,
            },
            booking: Booking {
                id: row.id,
                rev: row.rev,
                status: row.status,
                ics_uid: row.ics_uid,
                link_epoch: row.link_epoch,
                manage_epoch: row.link_epoch + row.customer_link_epoch,
                start: row.start,
                end: row.end,
                zone: row.zone,
                service_id: row.service_id,
                service_active: row.service_active,
                service_name: with_seats(&row.service_name, row.seats),
                price: Money { minor: row.price_minor, currency: row.currency },
                staff_name: row.staff_name,
                customer_id: row.customer_id,
                customer_link_epoch: row.customer_link_epoch,
                customer_name: row.customer_name,
                customer_email: row.customer_email,
                customer_phone: row.customer_phone,
                for_whom: row.for_whom,
                customer_note: row.customer_note,
                customer_zone: row.customer_zone,
                previous: details.from.map(|from| (from.start, from.start + duration)),
                previous_staff: row.former_name,
                changed_by_customer: matches!(row.actor, Some(ActorKind::Customer | ActorKind::Guest)),
                message: details.message.map(String::from),
                customer_not_told: details.no_mail,
                given_up: given_up.map(|from| (from.start, from.start + duration)),
                cancel_until: before_start(row.cancel_notice_min),
                move_until: before_start(row.reschedule_notice_min),
            },
        };
        (row.notification_id, facts)
    });
    Ok(facts.collect())
}
