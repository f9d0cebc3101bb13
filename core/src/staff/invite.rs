//! Invites a member of staff by mail.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::lock;
use super::read::find;
use crate::transaction::change_waking;
use crate::types::{ParseError, StaffRole};
use crate::{Core, Error, Result, users};

/// Creates an account for a member of staff who has none, and mails a link that sets its password. An existing
/// account with their address is linked. Each call mails a new link. Without a role, a new account gets that of staff and
/// an existing one keeps its own.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::NoAddress`]; [`Error::Invalid`] when the member of staff is inactive, or the account with
/// the address is another's.
pub async fn invite(core: &Core, staff_id: Uuid, role: Option<StaffRole>) -> Result<()> {
    change_waking(core, users::MAILS, (staff_id, role), |&(staff_id, role), tx, now| {
        Box::pin(apply(tx, now, staff_id, role))
    })
    .await
}

async fn apply(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    staff_id: Uuid,
    role: Option<StaffRole>,
) -> Result<()> {
    lock(tx, &[staff_id]).await?;
    let member = find(tx, staff_id).await?;
    if !member.active {
        let error = ParseError::new("inactive", "does not work here: set `active` first");
        return Err(Error::Invalid { pointer: "/id", error });
    }
    let email = member.email.as_ref().ok_or(Error::NoAddress)?;
    let user_id = users::employ(tx, now, member.user_id, email, &member.name, role).await?;
    if member.user_id == Some(user_id) {
        return Ok(());
    }
    let tied = sqlx::query!(
        "UPDATE staff SET user_id = $2, rev = rev + 1, updated_at = $3 WHERE id = $1",
        staff_id,
        user_id,
        now,
    )
    .execute(tx)
    .await?;
    match tied.rows_affected() {
        1 => Ok(()),
        _ => Err(Error::internal("invite staff", "the row is gone in spite of its lock")),
    }
}
