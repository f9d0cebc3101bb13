//! Reads services.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::{ServiceSpec, display};
use crate::calendar::{CivilTime, ReminderRule};
use crate::types::{Currency, Label, Note, ParseError, Rev};
use crate::{Core, Error, Result};

/// A service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// The service's id.
    pub id: Uuid,
    /// Its fields.
    #[serde(flatten)]
    pub spec: ServiceSpec,
    /// What differs with single members of staff, by id.
    #[serde(default)]
    pub staff_terms: Vec<StaffTerms>,
    /// Currency of its price: the business's.
    pub currency: Currency,
    /// Version, for If-Match.
    pub rev: Rev,
    /// When the row was inserted.
    pub created_at: DateTime<Utc>,
    /// Last change.
    pub updated_at: DateTime<Utc>,
}

/// What differs with one member of staff; none: it is the service's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffTerms {
    /// The member of staff.
    pub staff_id: Uuid,
    /// Duration in elapsed minutes, 5 to 1440.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_min: Option<u32>,
    /// Price in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_minor: Option<i64>,
}

impl Service {
    /// The service as this member of staff performs it.
    #[must_use]
    pub fn performed_by(&self, staff_id: Option<Uuid>) -> Cow<'_, Self> {
        let own = self.staff_terms.iter().find(|terms| Some(terms.staff_id) == staff_id);
        let Some(own) = own else { return Cow::Borrowed(self) };
        let mut service = self.clone();
        service.spec.duration_min = own.duration_min.unwrap_or(service.spec.duration_min);
        service.spec.price_minor = own.price_minor.unwrap_or(service.spec.price_minor);
        Cow::Owned(service)
    }
}

/// One service, active or not.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(core: &Core, service_id: Uuid) -> Result<Service> {
    find(&mut *core.pool.acquire().await?, service_id).await
}

pub(super) async fn find(db: &mut PgConnection, service_id: Uuid) -> Result<Service> {
    select(db, Some(service_id), true).await?.pop().ok_or(Error::NotFound("service"))
}

/// The services by position and name; inactive ones only if `include_inactive`.
pub async fn list(core: &Core, include_inactive: bool) -> Result<Vec<Service>> {
    select(&mut *core.pool.acquire().await?, None, include_inactive).await
}

async fn select(
    db: &mut PgConnection,
    service_id: Option<Uuid>,
    include_inactive: bool,
) -> Result<Vec<Service>> {
    let rows = sqlx::query!(
        r#"SELECT s.id, s.name, description, duration_min, slot_step_min, buffer_before_min, buffer_after_min, capacity,
                  min_notice_min, horizon_days, cancel_notice_min, reschedule_notice_min, requires_confirmation,
                  price_minor, active, s.rev AS "rev: Rev", created_at, s.updated_at, settings.currency,
                  ARRAY(SELECT staff_id FROM service_staff WHERE service_id = s.id ORDER BY staff_id) AS "staff_ids!",
                  ARRAY(SELECT kind::text FROM service_reminders WHERE service_id = s.id ORDER BY rule)
                      AS "rule_kinds!",
                  ARRAY(SELECT minutes FROM service_reminders WHERE service_id = s.id ORDER BY rule)
                      AS "rule_minutes!",
                  coalesce((SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                                       'staff_id', staff_id, 'duration_min', own.duration_min,
                                       'price_minor', own.price_minor)) ORDER BY staff_id)
                            FROM service_staff AS own
                            WHERE own.service_id = s.id AND num_nonnulls(own.duration_min, own.price_minor) > 0), '[]')
                      AS "staff_terms!: Json<Vec<StaffTerms>>",
                  category, position,
                  coalesce((SELECT jsonb_object_agg(t.locale, jsonb_build_object('name', t.name, 'description',
                                                    t.description, 'category', t.category))
                            FROM service_translations AS t WHERE t.service_id = s.id), '{}') AS "translations!"
           FROM services AS s CROSS JOIN settings
           WHERE ($1::uuid IS NULL OR s.id = $1) AND (active OR $2)
           ORDER BY position, s.name, s.id"#,
        service_id,
        include_inactive,
    )
    .fetch_all(db)
    .await?;
    let stored = |error: ParseError| Error::internal("services hold a bad value", error);
    rows.into_iter()
        .map(|row| {
            Ok(Service {
                id: row.id,
                spec: ServiceSpec {
                    name: Label::parse(&row.name).map_err(stored)?,
                    description: Note::parse(&row.description).map_err(stored)?,
                    duration_min: row.duration_min.unsigned_abs(),
                    slot_step_min: row.slot_step_min.unsigned_abs(),
                    buffer_before_min: row.buffer_before_min.unsigned_abs(),
                    buffer_after_min: row.buffer_after_min.unsigned_abs(),
                    capacity: row.capacity.unsigned_abs(),
                    min_notice_min: row.min_notice_min.unsigned_abs(),
                    horizon_days: row.horizon_days.unsigned_abs(),
                    cancel_notice_min: row.cancel_notice_min.unsigned_abs(),
                    reschedule_notice_min: row.reschedule_notice_min.unsigned_abs(),
                    requires_confirmation: row.requires_confirmation,
                    price_minor: row.price_minor,
                    active: row.active,
                    reminders: stored_rules(&row.rule_kinds, &row.rule_minutes)?,
                    staff_ids: row.staff_ids,
                    display: display::stored(row.category.as_deref(), row.position, row.translations)?,
                },
                staff_terms: row.staff_terms.0,
                currency: Currency::parse(&row.currency).map_err(stored)?,
                rev: row.rev,
                created_at: row.created_at,
                updated_at: row.updated_at,
            })
        })
        .collect()
}

/// Reminder rules from their columns, in the order of the rows.
pub(crate) fn stored_rules(kinds: &[String], minutes: &[i32]) -> Result<Vec<ReminderRule>> {
    let rule = |(kind, minutes): (&String, &i32)| {
        let minutes = minutes.unsigned_abs();
        if kind == "offset" {
            return Some(ReminderRule::Offset { minutes });
        }
        let at = u16::try_from(minutes).ok().and_then(|minutes| CivilTime::from_minutes(minutes).ok())?;
        Some(ReminderRule::DayBeforeAt { at })
    };
    kinds
        .iter()
        .zip(minutes)
        .map(rule)
        .collect::<Option<_>>()
        .ok_or_else(|| Error::internal("service_reminders hold a bad time", "more minutes than a day has"))
}
