//! A pending booking as shown on the page of the confirm or decline link in a mail to staff.

use uuid::Uuid;

use super::{Booking, row};
use crate::pool::again_if_cut;
use crate::settings::{self, Business};
use crate::types::{Actor, BookingAction, Locale};
use crate::{Core, Error, Result};

/// A booking that staff are to confirm or decline, or already have, with what the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The booking, as staff see it.
    pub booking: Booking,
    /// The business.
    pub business: Business,
    /// The language of the mail.
    pub locale: Locale,
    /// The recipient of the mail, who decides.
    pub actor: Actor,
    /// Whether it still waits for a decision.
    pub is_open: bool,
}

/// The booking of the mail with this id. The link is void once the booking was moved to a colleague, or once the member of
/// staff or the business has another address than the one the link was sent to.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn decision(core: &Core, notification_id: Uuid, link_epoch: i32) -> Result<Decision> {
    again_if_cut(|| load(core, notification_id, link_epoch)).await
}

async fn load(core: &Core, notification_id: Uuid, link_epoch: i32) -> Result<Decision> {
    let (db, now) = (&mut *core.pool.acquire().await?, core.now());
    let link = sqlx::query!(
        r#"SELECT b.id AS booking_id, n.locale AS "locale: Locale", staff.user_id AS "user_id?"
           FROM notifications AS n
           JOIN bookings AS b ON b.id = n.booking_id
           CROSS JOIN settings AS s
           LEFT JOIN staff ON staff.id = n.staff_id
           WHERE n.id = $1 AND n.kind = 'staff_pending' AND b.link_epoch = $2
             AND CASE WHEN n.staff_id IS NULL THEN n.recipient = s.notify_address
                      ELSE n.staff_id = b.staff_id AND n.recipient = staff.email AND staff.active END"#,
        notification_id,
        link_epoch,
    )
    .fetch_optional(&mut *db)
    .await?
    .ok_or(Error::NotFound("mail"))?;
    let row = row::find(db, link.booking_id).await?.ok_or(Error::NotFound("booking"))?;
    let actor = Actor::StaffLink { booking_id: row.booking.id, user_id: link.user_id };
    let business = settings::get(&mut *db).await?;
    let is_open = row.status_at().allowed(&actor, now).contains(&BookingAction::Confirm);
    Ok(Decision { business, locale: link.locale, actor, is_open, booking: row.seen_by(&actor) })
}
