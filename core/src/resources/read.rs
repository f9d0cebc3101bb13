//! Reading resources.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::pool::again_if_cut;
use crate::types::{Label, ParseError, Rev};
use crate::{Core, Error, Result};

/// A room or a piece of equipment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// Its id.
    pub id: Uuid,
    /// Name, for staff.
    pub name: Label,
    /// What it is: a service can need any one of a kind.
    pub kind: Label,
    /// Whether new bookings get it.
    pub active: bool,
    /// Version, for If-Match.
    pub rev: Rev,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// Last change.
    pub updated_at: DateTime<Utc>,
}

/// All resources by kind and name, active or not.
pub async fn list(core: &Core) -> Result<Vec<Resource>> {
    again_if_cut(|| async { select(&mut *core.pool.acquire().await?, None).await }).await
}

/// One resource.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(core: &Core, id: Uuid) -> Result<Resource> {
    again_if_cut(|| async { find(&mut *core.pool.acquire().await?, id).await }).await
}

pub(super) async fn find(db: &mut PgConnection, id: Uuid) -> Result<Resource> {
    select(db, Some(id)).await?.pop().ok_or(Error::NotFound("resource"))
}

async fn select(db: &mut PgConnection, id: Option<Uuid>) -> Result<Vec<Resource>> {
    let rows = sqlx::query!(
        r#"SELECT id, name, kind, active, rev AS "rev: Rev", created_at, updated_at FROM resources
           WHERE $1::uuid IS NULL OR id = $1 ORDER BY kind, name, id"#,
        id,
    )
    .fetch_all(db)
    .await?;
    let stored = |error: ParseError| Error::internal("resources hold a bad value", error);
    rows.into_iter()
        .map(|row| {
            Ok(Resource {
                id: row.id,
                name: Label::parse(&row.name).map_err(stored)?,
                kind: Label::parse(&row.kind).map_err(stored)?,
                active: row.active,
                rev: row.rev,
                created_at: row.created_at,
                updated_at: row.updated_at,
            })
        })
        .collect()
}
