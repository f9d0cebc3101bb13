//! The lock of a calendar.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::types::Actor;
use crate::{Error, Result};

/// A member of staff whose row this transaction has locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked {
    /// The id of the member of staff.
    pub id: Uuid,
    /// Their account.
    pub user_id: Option<Uuid>,
    /// Whether they take new bookings.
    pub active: bool,
}

/// Locks the calendars of these members of staff until the transaction ends, in the order of their ids, and increments
/// their `calendar_rev`. It is a statement of its own, so later statements of the transaction read data from after the
/// wait. Unknown ids are omitted; the result is ordered by id.
pub async fn lock(tx: &mut PgConnection, staff_ids: &[Uuid]) -> Result<Vec<Locked>> {
    let mut locked = sqlx::query_as!(
        Locked,
        "WITH locked AS (
             SELECT id FROM staff WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE
         )
         UPDATE staff SET calendar_rev = calendar_rev + 1 FROM locked WHERE staff.id = locked.id
         RETURNING staff.id, staff.user_id, staff.active",
        staff_ids,
    )
    .fetch_all(tx)
    .await?;
    locked.sort_unstable_by_key(|staff| staff.id);
    Ok(locked)
}

/// Locks calendars without incrementing `calendar_rev`, in the order of their ids, and returns the ids it has locked. Those
/// of unknown staff are omitted, and without `wait` those that another transaction has locked.
pub(crate) async fn lock_for_batch(
    tx: &mut PgConnection,
    staff_ids: &[Uuid],
    wait: bool,
) -> Result<Vec<Uuid>> {
    let locked = if wait {
        sqlx::query_scalar!(
            "SELECT id FROM staff WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE",
            staff_ids
        )
        .fetch_all(tx)
        .await?
    } else {
        sqlx::query_scalar!(
            "SELECT id FROM staff WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED",
            staff_ids
        )
        .fetch_all(tx)
        .await?
    };
    Ok(locked)
}

/// Increments `calendar_rev` of calendars that this transaction has locked and changed.
pub(crate) async fn increment_revs(tx: &mut PgConnection, staff_ids: &[Uuid]) -> Result<()> {
    sqlx::query!("UPDATE staff SET calendar_rev = calendar_rev + 1 WHERE id = ANY($1)", staff_ids)
        .execute(tx)
        .await?;
    Ok(())
}

/// Locks the calendar of one member of staff to change hours or time off.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Forbidden`] when the actor is neither that person nor manages all calendars.
pub async fn lock_own(tx: &mut PgConnection, actor: &Actor, staff_id: Uuid) -> Result<()> {
    let locked = lock(tx, &[staff_id]).await?;
    let staff = locked.first().ok_or(Error::NotFound("staff"))?;
    let own = staff.user_id.is_some() && staff.user_id == actor.user_id();
    if actor.manages_calendars() || (actor.is_staff() && own) { Ok(()) } else { Err(Error::Forbidden) }
}
