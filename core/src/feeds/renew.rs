//! Creates and renews the URL of a feed.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::transaction::change;
use crate::types::Actor;
use crate::{Core, Error, Result};

/// Creates the feed of a member of staff, or revokes its URL. Returns the epoch of the new URL. Allowed to
/// administrators and that member of staff.
///
/// # Errors
/// [`Error::NotFound`], also for one who has left; [`Error::Forbidden`].
pub async fn renew(core: &Core, actor: &Actor, staff_id: Uuid) -> Result<i32> {
    change(core, (*actor, staff_id), |(actor, staff_id), tx, now| Box::pin(raise(tx, now, actor, *staff_id)))
        .await
}

async fn raise(tx: &mut PgConnection, now: DateTime<Utc>, actor: &Actor, staff_id: Uuid) -> Result<i32> {
    let owner =
        sqlx::query_scalar!("SELECT user_id FROM staff WHERE id = $1 AND active FOR NO KEY UPDATE", staff_id)
            .fetch_optional(&mut *tx)
            .await?
            .ok_or(Error::NotFound("staff"))?;
    let own = actor.is_staff() && owner.is_some() && owner == actor.user_id();
    if !actor.is_admin() && !own {
        return Err(Error::Forbidden);
    }
    let epoch = sqlx::query_scalar!(
        "UPDATE staff SET feed_epoch = feed_epoch + 1, updated_at = $2 WHERE id = $1 RETURNING feed_epoch",
        staff_id,
        now,
    )
    .fetch_one(tx)
    .await?;
    Ok(epoch)
}
