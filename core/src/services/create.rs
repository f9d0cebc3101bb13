//! Adding services.

use chrono::{DateTime, Utc};
use punctual_queue::new_id;
use sqlx::PgConnection;

use super::read::find;
use super::write::{lock_concerned, put_lists};
use super::{Service, ServiceSpec};
use crate::hours::bump_business;
use crate::idempotency::{Answer, IdempotencyKey, Request, change_once};
use crate::types::{Actor, Label};
use crate::{Core, Result};

/// Adds a service. The caller has checked that `actor` may; the key is theirs.
///
/// # Errors
/// [`crate::Error::Invalid`] for a value out of bounds or an unknown member of staff; with a key
/// [`crate::Error::IdempotencyInProgress`] and [`crate::Error::IdempotencyKeyReused`].
pub async fn create(
    core: &Core,
    actor: &Actor,
    key: Option<&IdempotencyKey>,
    spec: ServiceSpec,
) -> Result<Answer<Service>> {
    spec.check()?;
    let request = Request::with_key("services.create", actor, key, &spec)?;
    change_once(core, request, spec, |spec, tx, now| Box::pin(insert(tx, now, spec))).await
}

async fn insert(tx: &mut PgConnection, now: DateTime<Utc>, spec: &ServiceSpec) -> Result<Service> {
    bump_business(tx).await?;
    lock_concerned(tx, &[], &spec.staff_ids).await?;
    let id = new_id(now);
    sqlx::query!(
        "INSERT INTO services (id, name, description, duration_min, slot_step_min, buffer_before_min, buffer_after_min,
                               capacity, min_notice_min, horizon_days, cancel_notice_min, reschedule_notice_min,
                               requires_confirmation, price_minor, active, category, position, created_at,
                               updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $18)",
        id,
        spec.name.as_str(),
        spec.description.as_str(),
        spec.duration_min.cast_signed(),
        spec.slot_step_min.cast_signed(),
        spec.buffer_before_min.cast_signed(),
        spec.buffer_after_min.cast_signed(),
        spec.capacity.cast_signed(),
        spec.min_notice_min.cast_signed(),
        spec.horizon_days.cast_signed(),
        spec.cancel_notice_min.cast_signed(),
        spec.reschedule_notice_min.cast_signed(),
        spec.requires_confirmation,
        spec.price_minor,
        spec.active,
        spec.display.category.as_ref().map(Label::as_str),
        spec.display.position.cast_signed(),
        now,
    )
    .execute(&mut *tx)
    .await?;
    put_lists(tx, id, spec).await?;
    find(tx, id).await
}
