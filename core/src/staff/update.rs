//! Changes of members of staff.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::read::find;
use super::{StaffMember, lock};
use crate::hours::{Changed, Fitting, bump_shown};
use crate::transaction::change;
use crate::types::{About, EmailAddress, ExpectedRev, ParseError, PersonName, StaffRole};
use crate::{Core, Error, Result, users};

/// Fields to change; `None` keeps a field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::option_option, reason = "leave, remove and set are three cases")]
pub struct StaffPatch {
    /// New name.
    pub name: Option<PersonName>,
    /// New address; `Some(None)` removes it.
    pub email: Option<Option<EmailAddress>>,
    /// New account; `Some(None)` removes it.
    pub user_id: Option<Option<Uuid>>,
    /// New sentence about them.
    pub about: Option<About>,
    /// Whether they take new bookings.
    pub active: Option<bool>,
    /// Role of their account; administrators keep theirs.
    pub role: Option<StaffRole>,
}

/// Changes a member of staff. When one becomes inactive, all future bookings are returned as no longer fitting; they
/// are not changed. An account that is removed loses the role of staff.
///
/// # Errors
/// [`Error::NotFound`], [`Error::RevMismatch`], [`Error::Invalid`] when the account is unknown or belongs to another member of
/// staff, and for a role of one without an account or who does not work here.
pub async fn update(
    core: &Core,
    staff_id: Uuid,
    expected: ExpectedRev,
    patch: StaffPatch,
) -> Result<Changed<StaffMember>> {
    change(core, (staff_id, expected, patch), |(staff_id, expected, patch), tx, now| {
        Box::pin(apply(tx, now, *staff_id, *expected, patch))
    })
    .await
}

async fn apply(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    staff_id: Uuid,
    expected: ExpectedRev,
    patch: &StaffPatch,
) -> Result<Changed<StaffMember>> {
    bump_shown(tx).await?;
    lock(tx, &[staff_id]).await?;
    let current = find(tx, staff_id).await?;
    if !expected.matches(current.rev) {
        return Err(Error::RevMismatch { current: current.rev });
    }
    let name = patch.name.as_ref().unwrap_or(&current.name);
    let email = patch.email.as_ref().unwrap_or(&current.email);
    let fitting = Fitting::before(tx, now, &[staff_id], None).await?;
    let changed = sqlx::query!(
        "UPDATE staff SET name = $2, email = $3, user_id = $4, active = $5, about = $6, rev = rev + 1, updated_at = $7,
                feed_epoch = CASE WHEN active AND NOT $5 AND feed_epoch > 0 THEN feed_epoch + 1 ELSE feed_epoch END
         WHERE id = $1 AND rev = $8",
        staff_id,
        name.as_str(),
        email.as_ref().map(EmailAddress::as_str) as _,
        patch.user_id.unwrap_or(current.user_id),
        patch.active.unwrap_or(current.active),
        patch.about.as_ref().unwrap_or(&current.about).as_str(),
        now,
        current.rev.0,
    )
    .execute(&mut *tx)
    .await?;
    if changed.rows_affected() != 1 {
        return Err(Error::internal("update staff", "the row changed under its lock"));
    }
    let value = find(tx, staff_id).await?;
    let left = current.active && !value.active;
    if let Some(dismissed) = current.user_id.filter(|_| left || value.user_id != current.user_id) {
        users::dismiss(tx, now, dismissed).await?;
    }
    if let Some(returned) = value.user_id.filter(|_| !current.active && value.active) {
        users::reinstate(tx, now, returned).await?;
    }
    if let Some(role) = patch.role {
        let Some(user_id) = value.user_id.filter(|_| value.active) else {
            let error = ParseError::new("no_account", "has no account: invite them first");
            return Err(Error::Invalid { pointer: "/role", error });
        };
        users::set_role(tx, now, user_id, role).await?;
    }
    Ok(Changed { value: find(tx, staff_id).await?, stranded: fitting.stranded(tx).await? })
}
