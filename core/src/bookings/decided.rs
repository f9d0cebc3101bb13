//! A booking as staff meet it through the link of a mail that asks them to confirm or decline it.

use uuid::Uuid;

use super::{Action, Booking, row};
use crate::pool::again_if_cut;
use crate::settings::{self, Business};
use crate::types::{Actor, Locale};
use crate::{Core, Error, Result};

/// A booking to be decided on, or that was, and what a page about it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The booking, as staff see it.
    pub booking: Booking,
    /// The business.
    pub business: Business,
    /// The language of the mail.
    pub locale: Locale,
    /// Who decides.
    pub actor: Actor,
    /// Whether it waits for an answer.
    pub is_open: bool,
}

/// The booking of a link to decide: that of the mail with this id. A link is void once the booking is somebody else's,
/// or the member of staff or the business no longer gets mail where the link was sent.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn to_decide(core: &Core, notification_id: Uuid, link_epoch: i32) -> Result<Decided> {
    again_if_cut(|| load(core, notification_id, link_epoch)).await
}

async fn load(core: &Core, notification_id: Uuid, link_epoch: i32) -> Result<Decided> {
    let (db, now) = (&mut *core.pool.acquire().await?, core.now());
    let link = sqlx::query!(
        r#"SELECT b.id AS booking_id, n.locale, staff.user_id AS "user_id?"
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
    let actor = Actor::StaffLink { booking_id: row.id, user_id: link.user_id };
    let stored = |error| Error::internal("the ledger holds a bad value", error);
    let business = settings::get(&mut *db).await?;
    let is_open = row.standing().allowed(&actor, now).contains(&Action::Confirm);
    Ok(Decided {
        business,
        locale: Locale::parse(&link.locale).map_err(stored)?,
        actor,
        is_open,
        booking: row.seen_by(&actor)?,
    })
}
