//! The note that a customer writes with a booking.

use uuid::Uuid;

use super::Booking;
use super::read::visible;
use crate::pool::again_if_cut;
use crate::types::{Actor, Note};
use crate::{Core, Error, Result};

/// Replaces the customer's note of a pending or confirmed booking that has not begun. The revision stays, because no
/// promised value changes and planned mails remain correct.
///
/// # Errors
/// [`Error::NotFound`] when the actor may not see it, [`Error::NoticePassed`] once it has begun or was cancelled.
pub async fn write_note(core: &Core, actor: &Actor, id: Uuid, note: &Note) -> Result<Booking> {
    again_if_cut(|| visible(core, actor, id)).await?;
    let now = core.now();
    let written = sqlx::query!(
        "UPDATE bookings SET customer_note = $2, updated_at = $3
         WHERE id = $1 AND status IN ('pending', 'confirmed') AND lower(during) > $3",
        id,
        note.as_str(),
        now,
    )
    .execute(&core.pool)
    .await?;
    if written.rows_affected() == 1 {
        Ok(visible(core, actor, id).await?.seen_by(actor))
    } else {
        Err(Error::NoticePassed)
    }
}
