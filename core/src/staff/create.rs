//! New members of staff.

use chrono::{DateTime, Utc};
use punctual_queue::new_id;
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::StaffMember;
use super::read::find;
use crate::hours::bump_shown;
use crate::idempotency::{Answer, IdempotencyKey, Request, change_once};
use crate::types::{Actor, EmailAddress, PersonName};
use crate::{Core, Result};

/// A new member of staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewStaff {
    /// Name shown to customers.
    pub name: PersonName,
    /// Recipient of mails about their bookings; none: no mails.
    pub email: Option<EmailAddress>,
    /// Their account, if they have one.
    pub user_id: Option<Uuid>,
}

/// Adds a member of staff, active, without hours or services. The caller has checked that `actor` may; the key is theirs.
///
/// # Errors
/// [`crate::Error::Invalid`] when the account is unknown or belongs to another member of staff; with a key
/// [`crate::Error::IdempotencyInProgress`] and [`crate::Error::IdempotencyKeyReused`].
pub async fn create(
    core: &Core,
    actor: &Actor,
    key: Option<&IdempotencyKey>,
    staff: NewStaff,
) -> Result<Answer<StaffMember>> {
    let request = Request::with_key("staff.create", actor, key, &staff)?;
    change_once(core, request, staff, |staff, tx, now| Box::pin(insert(tx, now, staff))).await
}

async fn insert(tx: &mut PgConnection, now: DateTime<Utc>, staff: &NewStaff) -> Result<StaffMember> {
    bump_shown(tx).await?;
    let id = new_id(now);
    sqlx::query!(
        "INSERT INTO staff (id, user_id, name, email, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)",
        id,
        staff.user_id,
        staff.name.as_str(),
        staff.email.as_ref().map(EmailAddress::as_str) as _,
        now,
    )
    .execute(&mut *tx)
    .await?;
    find(tx, id).await
}
