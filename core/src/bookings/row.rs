//! Bookings as they are stored, and who may see them.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::transitions::Standing;
use super::{BookedCustomer, BookedService, BookedStaff, Booking, BookingStatus};
use crate::types::{Actor, Currency, EmailAddress, Money, Note, ParseError, PersonName, Phone, Rev, Zone};
use crate::{Error, Result};

/// A booking with the names it is shown with.
pub(super) struct Row {
    pub id: Uuid,
    pub service_id: Uuid,
    pub staff_id: Uuid,
    pub customer_id: Option<Uuid>,
    pub status: BookingStatus,
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
    pub zone: String,
    pub seat_no: i32,
    pub service_name: String,
    pub duration_min: i32,
    pub price_minor: i64,
    pub currency: String,
    pub customer_note: Note,
    pub staff_note: Note,
    pub hold_expires_at: Option<DateTime<Utc>>,
    pub rev: Rev,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub staff_name: String,
    /// Where mails to its staff go.
    pub staff_email: Option<String>,
    /// The language of its staff, else the business's.
    pub staff_locale: String,
    /// Where mails to the business go.
    pub notify_address: Option<String>,
    pub business_locale: String,
    /// Account the customer belongs to.
    pub owner_id: Option<Uuid>,
    pub customer_name: Option<String>,
    pub customer_email: Option<String>,
    pub customer_phone: Option<String>,
    /// The customer's language, else the business's.
    pub locale: String,
    /// Whether the customer is to be reminded.
    pub wants_reminders: bool,
}

/// `SELECT` of [`Row`]s; what follows the joins is the caller's.
macro_rules! select_bookings {
    ($tail:tt $(, $value:expr)* $(,)?) => {
        $crate::bookings::row::query_bookings!([] "bookings" $tail $(, $value)*)
    };
}
pub(super) use select_bookings;

/// A query of [`Row`]s from a table or CTE: what comes before the `SELECT`, its name, and what follows the joins.
macro_rules! query_bookings {
    ([$($with:tt)*] $from:tt $tail:tt $(, $value:expr)* $(,)?) => {
        sqlx::query_as!(
            $crate::bookings::row::Row,
            $($with)* r#"SELECT b.id, b.service_id, b.staff_id, b.customer_id, b.status AS "status: crate::bookings::BookingStatus",
                      lower(b.during) AS "start!", upper(b.during) AS "end!", b.zone, b.seat_no,
                      b.service_name, b.duration_min, b.price_minor, b.currency, b.customer_note AS "customer_note: crate::types::Note",
                      b.staff_note AS "staff_note: crate::types::Note", b.hold_expires_at, b.rev AS "rev: crate::types::Rev", b.created_at,
                      b.updated_at, staff.name AS staff_name, staff.email::text AS staff_email,
                      coalesce(performer.locale, settings.locale) AS "staff_locale!",
                      settings.notify_address::text, settings.locale AS business_locale, c.user_id AS "owner_id?", c.name AS "customer_name?",
                      c.email::text AS customer_email, c.phone AS "customer_phone?",
                      coalesce(c.locale, settings.locale) AS "locale!",
                      coalesce(c.reminders, true) AS "wants_reminders!"
               FROM "# + $from + r#" AS b
               JOIN staff ON staff.id = b.staff_id
               LEFT JOIN users AS performer ON performer.id = staff.user_id
               CROSS JOIN settings
               LEFT JOIN customers AS c ON c.id = b.customer_id "# + $tail
            $(, $value)*
        )
    };
}
pub(super) use query_bookings;

/// The booking, without a lock.
pub(super) async fn find(db: &mut PgConnection, id: Uuid) -> Result<Option<Row>> {
    Ok(select_bookings!("WHERE b.id = $1", id).fetch_optional(db).await?)
}

/// The booking, locked against changes and against a mail about it passing the point of no return. The lock of its
/// staff comes first.
pub(super) async fn lock(tx: &mut PgConnection, id: Uuid) -> Result<Option<Row>> {
    Ok(select_bookings!("WHERE b.id = $1 FOR NO KEY UPDATE OF b", id).fetch_optional(tx).await?)
}

impl Row {
    /// Whether the actor may see it: staff any booking, others their own.
    pub(super) fn is_visible_to(&self, actor: &Actor) -> bool {
        match actor {
            Actor::Link { booking_id } | Actor::StaffLink { booking_id, .. } => *booking_id == self.id,
            Actor::Account { user_id, .. } => actor.is_staff() || self.owner_id == Some(*user_id),
            Actor::Guest => false,
            Actor::System => true,
        }
    }

    pub(super) fn standing(&self) -> Standing {
        Standing { status: self.status, start: self.start, end: self.end }
    }

    /// The booking as this actor sees it.
    pub(super) fn seen_by(self, actor: &Actor) -> Result<Booking> {
        let stored = |error: ParseError| Error::internal("bookings hold a bad value", error);
        let zone = Zone::parse(&self.zone).map_err(stored)?;
        let customer = self.customer_id.map(|id| {
            Ok(BookedCustomer {
                id,
                // Both are empty once the person was erased.
                name: self
                    .customer_name
                    .filter(|name| !name.is_empty())
                    .map(|name| PersonName::parse(&name))
                    .transpose()?,
                email: self.customer_email.map(|email| EmailAddress::parse(&email)).transpose()?,
                phone: self.customer_phone.map(|phone| Phone::parse(&phone)).transpose()?,
            })
        });
        Ok(Booking {
            id: self.id,
            service: BookedService {
                id: self.service_id,
                name: self.service_name,
                duration_min: self.duration_min,
                price: Money {
                    minor: self.price_minor,
                    currency: Currency::parse(&self.currency).map_err(stored)?,
                },
            },
            staff: BookedStaff { id: self.staff_id, name: self.staff_name },
            customer: customer.transpose().map_err(stored)?,
            status: self.status,
            start: zone.at(self.start),
            end: zone.at(self.end),
            zone,
            seat_no: self.seat_no,
            customer_note: self.customer_note,
            staff_note: actor.is_staff().then_some(self.staff_note),
            hold_expires_at: self.hold_expires_at.filter(|_| self.status == BookingStatus::Held),
            rev: self.rev,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}
