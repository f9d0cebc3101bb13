//! What services need.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::calendar::MAX_NEEDS;
use crate::hours::lock_all;
use crate::pool::again_if_cut;
use crate::transaction::change;
use crate::types::{ExpectedRev, Label, ParseError, Rev};
use crate::{Core, Error, Result};

/// What a service needs, at most five in all, each for the whole time that its booking blocks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceNeeds {
    /// These very resources.
    pub all: Vec<Uuid>,
    /// Any one of each of these kinds.
    pub any: Vec<Label>,
    /// Version of the service, for If-Match.
    #[serde(skip)]
    pub rev: Option<Rev>,
}

/// What a service needs.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn needs(core: &Core, service_id: Uuid) -> Result<ServiceNeeds> {
    again_if_cut(|| async { find(&mut *core.pool.acquire().await?, service_id).await }).await
}

async fn find(db: &mut PgConnection, service_id: Uuid) -> Result<ServiceNeeds> {
    let row = sqlx::query!(
        r#"SELECT s.rev AS "rev: Rev",
                  ARRAY(SELECT resource_id FROM service_resources
                        WHERE service_id = s.id AND resource_id IS NOT NULL ORDER BY no) AS "all!: Vec<Uuid>",
                  ARRAY(SELECT kind FROM service_resources WHERE service_id = s.id AND kind IS NOT NULL ORDER BY no)
                      AS "any!: Vec<String>"
           FROM services AS s WHERE s.id = $1"#,
        service_id,
    )
    .fetch_optional(db)
    .await?
    .ok_or(Error::NotFound("service"))?;
    let stored = |error| Error::internal("service_resources hold a bad value", error);
    let any = row.any.iter().map(|kind| Label::parse(kind).map_err(stored)).collect::<Result<_>>()?;
    Ok(ServiceNeeds { all: row.all, any, rev: Some(row.rev) })
}

/// Replaces what a service needs; a new revision of the service. Bookings keep the resources that they have, or have none. It
/// locks every calendar, so that nothing is decided meanwhile by what was needed.
///
/// # Errors
/// [`Error::NotFound`] for the service; [`Error::RevMismatch`]; [`Error::Invalid`] for an unknown resource, a kind of which
/// there is none, and for more than five.
pub async fn put_needs(
    core: &Core,
    service_id: Uuid,
    expected: ExpectedRev,
    needs: ServiceNeeds,
) -> Result<ServiceNeeds> {
    change(core, (service_id, expected, needs), |(service_id, expected, needs), tx, now| {
        Box::pin(async move {
            lock_all(tx).await?;
            let current = find(tx, *service_id).await?.rev.unwrap_or(Rev(0));
            if !expected.matches(current) {
                return Err(Error::RevMismatch { current });
            }
            let all: BTreeSet<Uuid> = needs.all.iter().copied().collect();
            let any: BTreeSet<&str> = needs.any.iter().map(Label::as_str).collect();
            check(tx, &all, &any).await?;
            sqlx::query!("DELETE FROM service_resources WHERE service_id = $1", service_id)
                .execute(&mut *tx)
                .await?;
            sqlx::query!(
                "INSERT INTO service_resources (service_id, no, resource_id, kind)
                 SELECT $1, row_number() OVER (ORDER BY kind IS NOT NULL, resource_id, kind), resource_id, kind
                 FROM (SELECT unnest($2::uuid[]) AS resource_id, NULL AS kind
                       UNION ALL SELECT NULL, unnest($3::text[])) AS needs",
                service_id,
                &all.iter().copied().collect::<Vec<_>>(),
                &any.iter().map(|kind| (*kind).to_owned()).collect::<Vec<_>>(),
            )
            .execute(&mut *tx)
            .await?;
            let changed = sqlx::query!(
                "UPDATE services SET rev = rev + 1, updated_at = $2 WHERE id = $1 AND rev = $3",
                service_id,
                now,
                current.0,
            )
            .execute(&mut *tx)
            .await?;
            if changed.rows_affected() != 1 {
                return Err(Error::internal("what a service needs", "the service changed under the lock"));
            }
            find(tx, *service_id).await
        })
    })
    .await
}

async fn check(tx: &mut PgConnection, all: &BTreeSet<Uuid>, any: &BTreeSet<&str>) -> Result<()> {
    let invalid =
        |pointer, code, message| Err(Error::Invalid { pointer, error: ParseError::new(code, message) });
    if all.len() + any.len() > MAX_NEEDS {
        return invalid("/any", "too_many", "a service needs at most five things in all");
    }
    let known = sqlx::query!(r#"SELECT id, kind FROM resources"#).fetch_all(tx).await?;
    if !all.iter().all(|id| known.iter().any(|resource| resource.id == *id)) {
        return invalid("/all", "unknown_resource", "there is no such resource");
    }
    if !any.iter().all(|kind| known.iter().any(|resource| resource.kind == *kind)) {
        return invalid("/any", "unknown_kind", "there is no resource of this kind: add one first");
    }
    Ok(())
}
