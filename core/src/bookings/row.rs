//! Bookings as they are stored, and who may see them.

use sqlx::PgConnection;
use uuid::Uuid;

use super::Booking;
use super::transitions::StatusAt;
use crate::Result;
use crate::types::{Actor, EmailAddress, Locale};

/// A booking with what its mails need.
pub(super) struct Row {
    /// The booking as staff see it.
    pub booking: Booking,
    /// Where mails to its member of staff go; none once they have left.
    pub staff_email: Option<EmailAddress>,
    /// Language of its member of staff, else the business's.
    pub staff_locale: Locale,
    /// Where mails to the business go.
    pub notify_address: Option<EmailAddress>,
    /// Language of the business.
    pub business_locale: Locale,
    /// Account the customer belongs to.
    pub owner_id: Option<Uuid>,
    /// Language of the customer, else the business's.
    pub locale: Locale,
    /// Whether the customer wants reminders of this booking.
    pub wants_reminders: bool,
}

/// `SELECT` of [`Row`]s; what follows the joins is the caller's: a literal, or several as `["a" + "b"]`.
macro_rules! select_bookings {
    ([$($tail:tt)+] $(, $value:expr)* $(,)?) => {
        $crate::bookings::row::query_bookings!([] "bookings" [$($tail)+] $(, $value)*)
    };
    ($tail:tt $(, $value:expr)* $(,)?) => {
        $crate::bookings::row::query_bookings!([] "bookings" [$tail] $(, $value)*)
    };
}
pub(super) use select_bookings;

/// A query of [`Row`]s from a table or CTE: what comes before the `SELECT`, its name, and what follows the joins.
/// The one place where columns become a [`Booking`]; a value that cannot be parsed is an error of decoding.
macro_rules! query_bookings {
    ([$($with:tt)*] $from:tt [$($tail:tt)+] $(, $value:expr)* $(,)?) => {
        sqlx::query!(
            $($with)* r#"SELECT b.id, b.service_id, b.staff_id, b.customer_id,
                      b.status AS "status: crate::types::BookingStatus",
                      lower(b.during) AS "start!", upper(b.during) AS "end!", b.zone AS "zone: crate::types::Zone",
                      b.seat_no, b.seats, b.series_id, b.series_no, b.series_start, b.visit_id, b.for_whom AS "for_whom: crate::types::PersonName", b.service_name, b.duration_min, b.price_minor,
                      b.currency AS "currency: crate::types::Currency",
                      b.customer_note AS "customer_note: crate::types::Note",
                      b.staff_note AS "staff_note: crate::types::Note", b.hold_expires_at,
                      b.rev AS "rev: crate::types::Rev", b.created_at, b.updated_at, staff.name AS staff_name,
                      CASE WHEN staff.active THEN staff.email::text END AS "staff_email: crate::types::EmailAddress",
                      coalesce(performer.locale, settings.locale) AS "staff_locale!: crate::types::Locale",
                      settings.notify_address::text AS "notify_address: crate::types::EmailAddress",
                      settings.locale AS "business_locale: crate::types::Locale", c.user_id AS "owner_id?",
                      coalesce(b.contact_name, nullif(c.name, '')) AS "customer_name?: crate::types::PersonName",
                      c.email::text AS "customer_email?: crate::types::EmailAddress",
                      CASE WHEN b.contact_name IS NULL THEN c.phone ELSE b.contact_phone END
                          AS "customer_phone?: crate::types::Phone",
                      coalesce(c.locale, settings.locale) AS "locale!: crate::types::Locale",
                      b.reminders, b.reminders AND coalesce(c.reminders, true) AS "wants_reminders!"
               FROM "# + $from + r#" AS b
               JOIN staff ON staff.id = b.staff_id
               LEFT JOIN users AS performer ON performer.id = staff.user_id
               CROSS JOIN settings
               LEFT JOIN customers AS c ON c.id = b.customer_id "# + $($tail)+
            $(, $value)*
        )
        .map(|row| $crate::bookings::row::Row {
            booking: $crate::bookings::Booking {
                id: row.id,
                service: $crate::bookings::BookedService {
                    id: row.service_id,
                    name: row.service_name,
                    duration_min: row.duration_min,
                    price: $crate::types::Money { minor: row.price_minor, currency: row.currency },
                },
                staff: $crate::bookings::BookedStaff { id: row.staff_id, name: row.staff_name },
                customer: row.customer_id.map(|id| $crate::bookings::BookedCustomer {
                    id,
                    name: row.customer_name,
                    email: row.customer_email,
                    phone: row.customer_phone,
                }),
                status: row.status,
                start: row.zone.at(row.start),
                end: row.zone.at(row.end),
                zone: row.zone,
                seat_no: row.seat_no,
                seats: row.seats,
                series: row.series_id.zip(row.series_no).zip(row.series_start).map(|((id, no), planned)| {
                    let planned_start = row.zone.at(planned);
                    $crate::bookings::InSeries { id, no, planned_start, moved: planned != row.start }
                }),
                visit_id: row.visit_id,
                for_whom: row.for_whom,
                customer_note: row.customer_note,
                staff_note: Some(row.staff_note),
                reminders: row.reminders,
                hold_expires_at: row
                    .hold_expires_at
                    .filter(|_| row.status == $crate::types::BookingStatus::Held),
                hold_token: None,
                rev: row.rev,
                created_at: row.created_at,
                updated_at: row.updated_at,
            },
            staff_email: row.staff_email,
            staff_locale: row.staff_locale,
            notify_address: row.notify_address,
            business_locale: row.business_locale,
            owner_id: row.owner_id,
            locale: row.locale,
            wants_reminders: row.wants_reminders,
        })
    };
}
pub(super) use query_bookings;

/// The booking, without a lock.
pub(super) async fn find(db: &mut PgConnection, id: Uuid) -> Result<Option<Row>> {
    Ok(select_bookings!("WHERE b.id = $1", id).fetch_optional(db).await?)
}

/// The booking, locked against changes and against handing off a mail about it. The row of its staff is to be locked
/// before. The lock is a separate statement without joins: after a wait, READ COMMITTED rechecks the new row against the
/// joined rows of the old one, and a booking that was moved to other staff meanwhile would not be found.
pub(super) async fn lock(tx: &mut PgConnection, id: Uuid) -> Result<Option<Row>> {
    sqlx::query_scalar!("SELECT id FROM bookings WHERE id = $1 FOR NO KEY UPDATE", id)
        .fetch_optional(&mut *tx)
        .await?;
    find(tx, id).await
}

/// [`lock`] for several bookings, in the order of their ids; unknown ones are omitted.
pub(super) async fn lock_many(tx: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Row>> {
    sqlx::query_scalar!("SELECT id FROM bookings WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE", ids)
        .fetch_all(&mut *tx)
        .await?;
    Ok(select_bookings!("WHERE b.id = ANY($1)", ids).fetch_all(tx).await?)
}

impl Row {
    /// Whether the actor may see it: staff any booking, others their own.
    pub(super) fn is_visible_to(&self, actor: &Actor) -> bool {
        match actor {
            Actor::Link { booking_id } | Actor::StaffLink { booking_id, .. } => {
                *booking_id == self.booking.id
            }
            Actor::Account { user_id, .. } => actor.is_staff() || self.owner_id == Some(*user_id),
            Actor::Guest => false,
            Actor::System | Actor::ApiKey { .. } => true,
        }
    }

    /// Status and times, for the table of transitions.
    pub(super) fn status_at(&self) -> StatusAt {
        let Booking { status, start, end, .. } = &self.booking;
        StatusAt { status: *status, start: start.to_utc(), end: end.to_utc() }
    }

    /// The booking as this actor sees it: the staff's note is for staff.
    pub(super) fn seen_by(self, actor: &Actor) -> Booking {
        let staff_note = self.booking.staff_note.filter(|_| actor.is_staff());
        Booking { staff_note, ..self.booking }
    }
}
