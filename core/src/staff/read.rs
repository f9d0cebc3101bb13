//! Reads members of staff.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::types::{About, EmailAddress, ParseError, PersonName, Rev, Role};
use crate::{Core, Error, Result};

/// A member of staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffMember {
    /// The id of the member of staff.
    pub id: Uuid,
    /// Their account; only administrators see it.
    pub user_id: Option<Uuid>,
    /// Role of the account; only staff see it.
    #[serde(default)]
    pub role: Option<Role>,
    /// Name shown to customers.
    pub name: PersonName,
    /// Recipient of mails about their bookings; only staff see it.
    pub email: Option<EmailAddress>,
    /// A sentence about them, shown to customers; may be empty.
    #[serde(default)]
    pub about: About,
    /// Tag of their photo; none: there is none.
    #[serde(default)]
    pub photo: Option<String>,
    /// Whether they take new bookings.
    pub active: bool,
    /// Services they perform, by id.
    pub service_ids: Vec<Uuid>,
    /// Version, for If-Match.
    pub rev: Rev,
    /// When the row was inserted.
    pub created_at: DateTime<Utc>,
    /// Last change.
    pub updated_at: DateTime<Utc>,
}

/// One member of staff, active or not.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(core: &Core, staff_id: Uuid) -> Result<StaffMember> {
    find(&mut *core.pool.acquire().await?, staff_id).await
}

pub(super) async fn find(db: &mut PgConnection, staff_id: Uuid) -> Result<StaffMember> {
    select(db, Some(staff_id), None, true).await?.pop().ok_or(Error::NotFound("staff"))
}

/// The member of staff of an account, active or not.
pub async fn of_account(db: impl PgExecutor<'_>, user_id: Uuid) -> Result<Option<Uuid>> {
    Ok(sqlx::query_scalar!("SELECT id FROM staff WHERE user_id = $1", user_id).fetch_optional(db).await?)
}

/// Members of staff by name: those who perform `service_id`, if given; inactive ones only if `include_inactive`.
pub async fn list(core: &Core, service_id: Option<Uuid>, include_inactive: bool) -> Result<Vec<StaffMember>> {
    select(&mut *core.pool.acquire().await?, None, service_id, include_inactive).await
}

async fn select(
    db: &mut PgConnection,
    staff_id: Option<Uuid>,
    service_id: Option<Uuid>,
    include_inactive: bool,
) -> Result<Vec<StaffMember>> {
    let rows = sqlx::query!(
        r#"SELECT id, user_id, name, email::text, about,
                  (SELECT users.role FROM users WHERE users.id = staff.user_id) AS "role: Role",
                  (SELECT tag FROM staff_photos WHERE staff_id = staff.id) AS photo, active, rev AS "rev: Rev", created_at, updated_at,
                  ARRAY(SELECT service_id FROM service_staff WHERE staff_id = staff.id ORDER BY service_id)
                      AS "service_ids!"
           FROM staff
           WHERE ($1::uuid IS NULL OR id = $1) AND (active OR $3)
             AND ($2::uuid IS NULL OR EXISTS (SELECT FROM service_staff WHERE service_id = $2 AND staff_id = staff.id))
           ORDER BY name, id"#,
        staff_id,
        service_id,
        include_inactive,
    )
    .fetch_all(db)
    .await?;
    let stored = |error: ParseError| Error::internal("staff hold a bad value", error);
    rows.into_iter()
        .map(|row| {
            Ok(StaffMember {
                id: row.id,
                user_id: row.user_id,
                role: row.role,
                name: PersonName::stored(row.name),
                email: row.email.map(|text| EmailAddress::parse(&text)).transpose().map_err(stored)?,
                about: About::parse(&row.about).map_err(stored)?,
                photo: row.photo,
                active: row.active,
                service_ids: row.service_ids,
                rev: row.rev,
                created_at: row.created_at,
                updated_at: row.updated_at,
            })
        })
        .collect()
}
