//! Changing services.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::read::find;
use super::write::{lock_concerned, put_lists};
use super::{Service, ServicePatch};
use crate::hours::{Changed, Fitting, bump_business};
use crate::transaction::change;
use crate::types::{ExpectedRev, Label};
use crate::{Core, Error, Result};

/// Changes a service. Existing bookings keep their terms. Returns the future bookings that no longer fit, because their
/// member of staff no longer performs the service, or it is inactive; they are not changed. Rules of reminders, notices and
/// buffers apply to bookings made or moved afterwards.
///
/// # Errors
/// [`Error::NotFound`], [`Error::RevMismatch`], [`Error::Invalid`] as on creation.
pub async fn update(
    core: &Core,
    service_id: Uuid,
    expected: ExpectedRev,
    patch: ServicePatch,
) -> Result<Changed<Service>> {
    change(core, (service_id, expected, patch), |(service_id, expected, patch), tx, now| {
        Box::pin(apply(tx, now, *service_id, *expected, patch))
    })
    .await
}

async fn apply(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    service_id: Uuid,
    expected: ExpectedRev,
    patch: &ServicePatch,
) -> Result<Changed<Service>> {
    bump_business(tx).await?;
    let current = find(tx, service_id).await?;
    if !expected.matches(current.rev) {
        return Err(Error::RevMismatch { current: current.rev });
    }
    let spec = patch.apply(&current.spec);
    spec.check()?;
    lock_concerned(tx, &current.spec.staff_ids, &spec.staff_ids).await?;
    let concerned: Vec<Uuid> = current.spec.staff_ids.iter().chain(&spec.staff_ids).copied().collect();
    let timetabled = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM class_windows WHERE service_id = $1) AS "timetabled!""#,
        service_id
    )
    .fetch_one(&mut *tx)
    .await?;
    // Its classes take time from other services, by its duration and buffers.
    let fitting = if timetabled {
        Fitting::before(tx, now, &concerned, None).await?
    } else {
        Fitting::before_change_of_service(tx, now, &concerned, service_id).await?
    };
    let changed = sqlx::query!(
        "UPDATE services
         SET name = $2, description = $3, duration_min = $4, slot_step_min = $5, buffer_before_min = $6,
             buffer_after_min = $7, capacity = $8, min_notice_min = $9, horizon_days = $10, cancel_notice_min = $11,
             reschedule_notice_min = $12, requires_confirmation = $13, price_minor = $14, active = $15, category = $16,
             position = $17, rev = rev + 1, updated_at = $18
         WHERE id = $1 AND rev = $19",
        service_id,
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
        current.rev.0,
    )
    .execute(&mut *tx)
    .await?;
    if changed.rows_affected() != 1 {
        return Err(Error::internal("update service", "the row changed under its lock"));
    }
    put_lists(tx, service_id, &spec).await?;
    Ok(Changed { value: find(tx, service_id).await?, stranded: fitting.stranded(tx).await? })
}
