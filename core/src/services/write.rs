//! Writes shared by creating and changing a service.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{ServiceSpec, display};
use crate::calendar::ReminderRule;
use crate::staff::lock;
use crate::types::ParseError;
use crate::{Error, Result};

/// Locks the calendars of the service's present and future staff; refuses unknown ids.
pub(super) async fn lock_concerned(tx: &mut PgConnection, old: &[Uuid], new: &[Uuid]) -> Result<()> {
    let concerned: Vec<Uuid> = old.iter().chain(new).copied().collect();
    let locked = lock(tx, &concerned).await?;
    if new.iter().all(|id| locked.iter().any(|staff| staff.id == *id)) {
        Ok(())
    } else {
        let error = ParseError::new("unknown_staff", "there is no such member of staff");
        Err(Error::Invalid { pointer: "/staff_ids", error })
    }
}

/// Replaces the service's staff, reminder rules and translations.
pub(super) async fn put_lists(tx: &mut PgConnection, service_id: Uuid, spec: &ServiceSpec) -> Result<()> {
    sqlx::query!(
        "DELETE FROM service_staff WHERE service_id = $1 AND staff_id <> ALL($2)",
        service_id,
        &spec.staff_ids
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "INSERT INTO service_staff (service_id, staff_id) SELECT $1, unnest($2::uuid[]) ON CONFLICT DO NOTHING",
        service_id,
        &spec.staff_ids
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("DELETE FROM service_reminders WHERE service_id = $1", service_id).execute(&mut *tx).await?;
    let (kinds, minutes): (Vec<String>, Vec<i32>) = spec
        .reminders
        .iter()
        .map(|rule| match *rule {
            ReminderRule::Offset { minutes } => ("offset".to_owned(), minutes.cast_signed()),
            ReminderRule::DayBeforeAt { at } => ("day_before_at".to_owned(), i32::from(at.minutes())),
        })
        .unzip();
    sqlx::query!(
        "INSERT INTO service_reminders (service_id, rule, kind, minutes)
         SELECT $1, rule, kind::reminder_rule_kind, minutes
         FROM unnest($2::text[], $3::integer[]) WITH ORDINALITY AS rules (kind, minutes, rule)",
        service_id,
        &kinds,
        &minutes,
    )
    .execute(&mut *tx)
    .await?;
    display::put_translations(tx, service_id, &spec.display).await
}
