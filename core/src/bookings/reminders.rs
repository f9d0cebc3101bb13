//! Turns the reminders of one booking on or off.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Booking;
use super::read::visible;
use super::row;
use crate::notifications::{cancel_reminders, plan_reminders_again};
use crate::pool::again_if_cut;
use crate::transaction::change;
use crate::types::Actor;
use crate::{Core, Error, Result};

/// Turns reminders on or off for a pending or confirmed booking that has not begun. If off, unsent ones end as
/// `unwanted`. If so, those not yet due are planned again, unless the customer has turned off all reminders. The revision
/// stays, because no promised value changes.
///
/// # Errors
/// [`Error::NotFound`] when the actor may not see it, [`Error::NoticePassed`] once it has begun or was cancelled.
pub async fn choose_reminders(core: &Core, actor: &Actor, id: Uuid, wanted: bool) -> Result<Booking> {
    again_if_cut(|| visible(core, actor, id)).await?;
    change(core, (*actor, id, wanted), |&(actor, id, wanted), tx, now| {
        Box::pin(choose(tx, now, actor, id, wanted))
    })
    .await
}

async fn choose(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    actor: Actor,
    id: Uuid,
    wanted: bool,
) -> Result<Booking> {
    let written = sqlx::query!(
        "UPDATE bookings SET reminders = $2, updated_at = $3
         WHERE id = $1 AND status IN ('pending', 'confirmed') AND lower(during) > $3",
        id,
        wanted,
        now,
    )
    .execute(&mut *tx)
    .await?;
    if written.rows_affected() == 0 {
        return Err(Error::NoticePassed);
    }
    if wanted {
        plan_reminders_again(tx, now, &[id]).await?;
    } else {
        cancel_reminders(tx, now, &[id]).await?;
    }
    Ok(row::find(tx, id).await?.ok_or(Error::NotFound("booking"))?.seen_by(&actor))
}
