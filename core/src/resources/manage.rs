//! Adding and changing resources. Only administrators may; the caller has checked that.

use chrono::{DateTime, Utc};
use punctual_queue::new_id;
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Resource;
use super::read::find;
use crate::hours::{Changed, Fitting, bump_business, lock_all};
use crate::idempotency::{Answer, IdempotencyKey, Request, change_once};
use crate::transaction::change;
use crate::types::{Actor, ExpectedRev, Label};
use crate::{Core, Error, Result};

/// A new resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewResource {
    /// Name, for staff.
    pub name: Label,
    /// What it is.
    pub kind: Label,
}

/// A change of a resource; none: it stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResourcePatch {
    /// Name, for staff.
    pub name: Option<Label>,
    /// What it is.
    pub kind: Option<Label>,
    /// Whether new bookings get it.
    pub active: Option<bool>,
}

/// Adds a resource. Services that need any one of its kind can have it at once.
///
/// # Errors
/// [`Error::NotFound`] before the business is set up; with a key [`Error::IdempotencyInProgress`] and
/// [`Error::IdempotencyKeyReused`].
pub async fn create(
    core: &Core,
    actor: &Actor,
    key: Option<&IdempotencyKey>,
    new: NewResource,
) -> Result<Answer<Resource>> {
    let request = Request::with_key("resources.create", actor, key, &new)?;
    change_once(core, request, new, |new, tx, now| Box::pin(insert(tx, now, new))).await
}

async fn insert(tx: &mut PgConnection, now: DateTime<Utc>, new: &NewResource) -> Result<Resource> {
    bump_business(tx).await?;
    let id = new_id(now);
    sqlx::query!(
        "INSERT INTO resources (id, name, kind, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)",
        id,
        new.name.as_str(),
        new.kind.as_str(),
        now,
    )
    .execute(&mut *tx)
    .await?;
    find(tx, id).await
}

/// Changes a resource. Bookings keep what they have; returned are those that no longer fit, because it is not active. It locks
/// every calendar, so that nothing is decided meanwhile by what it was.
///
/// # Errors
/// [`Error::NotFound`], [`Error::RevMismatch`].
pub async fn update(
    core: &Core,
    id: Uuid,
    expected: ExpectedRev,
    patch: ResourcePatch,
) -> Result<Changed<Resource>> {
    change(core, (id, expected, patch), |(id, expected, patch), tx, now| {
        Box::pin(apply(tx, now, *id, *expected, patch))
    })
    .await
}

async fn apply(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    id: Uuid,
    expected: ExpectedRev,
    patch: &ResourcePatch,
) -> Result<Changed<Resource>> {
    let staff_ids = lock_all(tx).await?;
    let current = find(tx, id).await?;
    if !expected.matches(current.rev) {
        return Err(Error::RevMismatch { current: current.rev });
    }
    let fitting = Fitting::before(tx, now, &staff_ids, None).await?;
    let changed = sqlx::query!(
        "UPDATE resources
         SET name = $2, kind = $3, active = $4, rev = rev + 1, calendar_rev = calendar_rev + 1, updated_at = $5
         WHERE id = $1 AND rev = $6",
        id,
        patch.name.as_ref().unwrap_or(&current.name).as_str(),
        patch.kind.as_ref().unwrap_or(&current.kind).as_str(),
        patch.active.unwrap_or(current.active),
        now,
        current.rev.0,
    )
    .execute(&mut *tx)
    .await?;
    if changed.rows_affected() != 1 {
        return Err(Error::internal("changing a resource", "it changed under the lock"));
    }
    Ok(Changed { value: find(tx, id).await?, stranded: fitting.stranded(tx).await? })
}
