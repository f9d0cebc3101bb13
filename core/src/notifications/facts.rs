//! What a mail's templates have to know, read when it is sent.

mod account;
mod booking_links;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::NotificationKind;
use crate::types::{BookingStatus, Currency, EmailAddress, Locale, Money, ParseError, Rev, Zone};
use crate::{Error, Result, settings};

pub use account::{AccountFacts, load_account};
pub use booking_links::{BookingLinksFacts, LinkedBooking, load_booking_links};

/// Everything one mail says.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The ledger row.
    pub notification_id: Uuid,
    /// Which mail.
    pub kind: NotificationKind,
    /// The booking's revision it speaks of.
    pub rev: Rev,
    /// Its language.
    pub locale: Locale,
    /// Where it goes; `None` once the person was erased.
    pub recipient: Option<EmailAddress>,
    /// Whether the recipient has shown that the address is theirs.
    pub recipient_proven: bool,
    /// Whom it goes to: the customer, the member of staff or the business.
    pub recipient_name: String,
    /// Who sends it.
    pub business: Business,
    /// What it speaks of.
    pub booking: Booking,
}

impl Facts {
    /// Whether the booking is still what the mail says. Once it is not, it never is again.
    #[must_use]
    pub fn stand(&self) -> bool {
        self.booking.rev == self.rev && self.kind.stands_for(self.booking.status)
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
    /// Where it stands.
    pub status: BookingStatus,
    /// UID of the calendar entry.
    pub ics_uid: String,
    /// Epoch that its links carry.
    pub link_epoch: i32,
    /// Start.
    pub start: DateTime<Utc>,
    /// End.
    pub end: DateTime<Utc>,
    /// The business's zone.
    pub zone: Zone,
    /// Name of the service.
    pub service_name: String,
    /// Price.
    pub price: Money,
    /// Who performs it.
    pub staff_name: String,
    /// Who comes.
    pub customer_id: Uuid,
    /// Epoch that their unsubscribe links carry.
    pub customer_link_epoch: i32,
    /// Their name; empty once they were erased.
    pub customer_name: String,
    /// Their address, for staff.
    pub customer_email: Option<EmailAddress>,
    /// Their phone number, for staff.
    pub customer_phone: Option<String>,
    /// What they wrote, for staff; may be empty.
    pub customer_note: String,
    /// The customer's zone, if known.
    pub customer_zone: Option<Zone>,
    /// Start and end before the move that the mail is about.
    pub previous: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// The previous member of staff, if the move changed it.
    pub previous_staff: Option<String>,
}

/// Reads the facts of a mail; `None` if it is not, or not about a booking with a customer.
pub async fn load(conn: &mut PgConnection, notification_id: Uuid) -> Result<Option<Facts>> {
    let row = sqlx::query!(
        r#"
        SELECT n.kind AS "kind: NotificationKind", n.locale, n.recipient::text AS "recipient: EmailAddress",
               b.id, b.rev AS "rev: Rev", b.status AS "status: BookingStatus", b.ics_uid, b.link_epoch, lower(b.during) AS "start!", upper(b.during) AS "end!",
               b.zone, b.service_name, b.price_minor, b.currency::text AS "currency!", staff.name AS staff_name,
               c.id AS customer_id, c.link_epoch AS customer_link_epoch, c.name AS customer_name, c.zone AS customer_zone,
               c.email::text AS "customer_email: EmailAddress", c.phone AS customer_phone, b.customer_note,
               addressee.name AS "addressee_name?", former.name AS "former_name?",
               s.name, s.address, s.phone, s.sender::text AS "sender!: EmailAddress",
               s.reply_to::text AS "reply_to!: EmailAddress", s.public_url,
               EXISTS (SELECT FROM users u WHERE u.email = n.recipient AND u.email_verified_at IS NOT NULL) AS "proven!",
               n.rev AS "notification_rev: Rev", event.details #>> '{from,start}' AS previous_start
        FROM notifications n
        JOIN bookings b ON b.id = n.booking_id
        JOIN customers c ON c.id = b.customer_id
        JOIN staff ON staff.id = b.staff_id
        CROSS JOIN settings s
        LEFT JOIN booking_events event ON event.booking_id = n.booking_id AND event.rev = n.rev
        LEFT JOIN staff addressee ON addressee.id = n.staff_id
        LEFT JOIN staff former ON former.id = (event.details #>> '{from,staff_id}')::uuid AND former.id <> b.staff_id
        WHERE n.id = $1
        "#,
        notification_id,
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let stored = |error: ParseError| Error::internal("a stored value of a mail", error);
    let previous = match row.previous_start {
        Some(text) => {
            let start = DateTime::parse_from_rfc3339(&text);
            Some(start.map_err(|error| Error::internal("a stored start", error))?.to_utc())
        }
        None => None,
    };
    Ok(Some(Facts {
        notification_id,
        rev: row.notification_rev,
        kind: row.kind,
        locale: Locale::parse(&row.locale).map_err(stored)?,
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
            start: row.start,
            end: row.end,
            zone: Zone::parse(&row.zone).map_err(stored)?,
            service_name: row.service_name,
            price: Money {
                minor: row.price_minor,
                currency: Currency::parse(&row.currency).map_err(stored)?,
            },
            staff_name: row.staff_name,
            customer_id: row.customer_id,
            customer_link_epoch: row.customer_link_epoch,
            customer_name: row.customer_name,
            customer_email: row.customer_email,
            customer_phone: row.customer_phone,
            customer_note: row.customer_note,
            customer_zone: row.customer_zone.as_deref().map(Zone::parse).transpose().map_err(stored)?,
            previous: previous.map(|start| (start, start + (row.end - row.start))),
            previous_staff: row.former_name,
        },
    }))
}
