//! A booking as shown on the page of its manage link.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::change_status::require_notice;
use super::{Booking, BookingStatus, row};
use crate::calendar::{last_bookable_date, local_date};
use crate::pool::again_if_cut;
use crate::settings::{self, Business};
use crate::types::{Actor, BookingAction, Locale, Zone};
use crate::{Core, Error, Result, slots};

/// A booking, what its customer can do with it now, and what the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Managed {
    /// The booking, as its customer sees it.
    pub booking: Booking,
    /// The other bookings of its visit, by start; empty if it was booked by itself.
    pub rest_of_visit: Vec<VisitPart>,
    /// The business.
    pub business: Business,
    /// The customer's language, else the business's.
    pub locale: Locale,
    /// The customer.
    pub customer_id: Uuid,
    /// Epoch of the customer's unsubscribe links.
    pub customer_link_epoch: i32,
    /// The customer's zone, if known.
    pub customer_zone: Option<Zone>,
    /// Whether the customer wants reminders in general.
    pub wants_any_reminders: bool,
    /// Whether the service has reminders.
    pub has_reminders: bool,
    /// Whether the customer may cancel it now.
    pub can_cancel: bool,
    /// Whether the customer may move it now.
    pub can_move: bool,
    /// The customer may cancel until this many minutes before the start.
    pub cancel_notice_min: u32,
    /// The customer may move until this many minutes before the start.
    pub reschedule_notice_min: u32,
    /// Whether staff have to confirm a move.
    pub requires_confirmation: bool,
    /// Today, in the business's zone.
    pub today: NaiveDate,
    /// The last date to which it can be moved.
    pub last_date: NaiveDate,
}

/// Another booking of the visit, by the same customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitPart {
    /// The booking's id.
    pub id: Uuid,
    /// Epoch of its manage link.
    pub link_epoch: i32,
    /// What was booked.
    pub service: String,
    /// Who performs it.
    pub staff: String,
    /// Its status.
    pub status: BookingStatus,
    /// Start.
    pub start: DateTime<Utc>,
    /// End.
    pub end: DateTime<Utc>,
}

/// The booking of a manage link of this epoch.
///
/// # Errors
/// [`Error::NotFound`] when the link was revoked, the booking is gone or its customer was erased.
pub async fn managed(core: &Core, id: Uuid, link_epoch: i32) -> Result<Managed> {
    again_if_cut(|| load(core, id, link_epoch)).await
}

async fn load(core: &Core, id: Uuid, link_epoch: i32) -> Result<Managed> {
    let (db, now) = (&mut *core.pool.acquire().await?, core.now());
    let actor = Actor::Link { booking_id: id };
    let link = sqlx::query!(
        r#"SELECT c.id AS customer_id, c.zone AS "zone: Zone", c.link_epoch, c.reminders
         FROM bookings AS b JOIN customers AS c ON c.id = b.customer_id
         WHERE b.id = $1 AND b.link_epoch + c.link_epoch = $2 AND c.erased_at IS NULL"#,
        id,
        link_epoch,
    )
    .fetch_optional(&mut *db)
    .await?
    .ok_or(Error::NotFound("booking"))?;
    let row = row::find(db, id).await?.ok_or(Error::NotFound("booking"))?;
    let rest_of_visit = match row.booking.visit_id {
        Some(visit_id) => rest_of_visit(db, visit_id, id, link.customer_id).await?,
        None => Vec::new(),
    };
    let terms = slots::terms(db, row.booking.service.id, None).await?;
    let business = settings::get(&mut *db).await?;
    let allowed = row.status_at().allowed(&actor, now);
    let may = |action, notice| allowed.contains(&action) && require_notice(&row, &actor, notice, now).is_ok();
    Ok(Managed {
        rest_of_visit,
        business,
        locale: row.locale,
        customer_id: link.customer_id,
        customer_link_epoch: link.link_epoch,
        customer_zone: link.zone,
        wants_any_reminders: link.reminders,
        has_reminders: !terms.reminders.is_empty(),
        can_cancel: may(BookingAction::Cancel, terms.cancel_notice_min),
        can_move: may(BookingAction::Reschedule, terms.reschedule_notice_min),
        cancel_notice_min: terms.cancel_notice_min,
        reschedule_notice_min: terms.reschedule_notice_min,
        requires_confirmation: terms.requires_confirmation,
        today: local_date(terms.zone, now),
        last_date: last_bookable_date(terms.zone, &terms.rules, now),
        booking: row.seen_by(&actor),
    })
}

async fn rest_of_visit(
    db: &mut PgConnection,
    visit_id: Uuid,
    id: Uuid,
    customer_id: Uuid,
) -> Result<Vec<VisitPart>> {
    let rest = sqlx::query_as!(
        VisitPart,
        r#"SELECT b.id, b.link_epoch + c.link_epoch AS "link_epoch!", b.service_name AS service, s.name AS staff,
                  b.status AS "status: BookingStatus", lower(b.during) AS "start!", upper(b.during) AS "end!"
         FROM bookings AS b JOIN customers AS c ON c.id = b.customer_id JOIN staff AS s ON s.id = b.staff_id
         WHERE b.visit_id = $1 AND b.id <> $2 AND b.customer_id = $3
         ORDER BY lower(b.during), b.id"#,
        visit_id,
        id,
        customer_id,
    );
    Ok(rest.fetch_all(db).await?)
}
