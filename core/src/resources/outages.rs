//! When resources are out of service.

use chrono::{DateTime, FixedOffset, Utc};
use punctual_queue::new_id;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use sqlx::postgres::types::PgRange;
use uuid::Uuid;

use super::read::find;
use crate::calendar::Span;
use crate::hours::{Changed, Fitting, lock_all, zone};
use crate::idempotency::{Answer, IdempotencyKey, Request, change_once};
use crate::pool::again_if_cut;
use crate::transaction::change;
use crate::types::{Actor, ParseError, Reason, Zone};
use crate::{Core, Error, Result};

/// A time at which a resource is out of service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    /// Its id.
    pub id: Uuid,
    /// The resource.
    pub resource_id: Uuid,
    /// Start, with the offset of the business's zone.
    pub start: DateTime<FixedOffset>,
    /// End, exclusive, with the offset of the business's zone.
    pub end: DateTime<FixedOffset>,
    /// Reason, shown to staff.
    pub reason: Reason,
}

/// A new outage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOutage {
    /// Start and end.
    pub during: Span,
    /// Reason, shown to staff.
    pub reason: Reason,
}

/// The outages of a resource that have not ended, by start.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn outages(core: &Core, resource_id: Uuid) -> Result<Vec<Outage>> {
    again_if_cut(|| async {
        let db = &mut *core.pool.acquire().await?;
        find(db, resource_id).await?;
        let zone = zone(db).await?;
        let rows = sqlx::query!(
            r#"SELECT id, lower(during) AS "start!", upper(during) AS "end!", reason FROM resource_outages
               WHERE resource_id = $1 AND upper(during) > $2 ORDER BY lower(during), id"#,
            resource_id,
            core.now(),
        )
        .fetch_all(db)
        .await?;
        let stored = |error: ParseError| Error::internal("outages hold a bad value", error);
        rows.into_iter()
            .map(|row| {
                let during = Span::new(row.start, row.end)
                    .ok_or_else(|| Error::internal("outages hold a bad value", "an empty one"))?;
                let reason = Reason::parse(&row.reason).map_err(stored)?;
                Ok(Outage::new(row.id, resource_id, zone, &NewOutage { during, reason }))
            })
            .collect()
    })
    .await
}

/// Puts a resource out of service for a time; returned are the bookings that no longer fit. The caller has checked that `actor`
/// may; the key is theirs.
///
/// # Errors
/// [`Error::NotFound`]; with a key [`Error::IdempotencyInProgress`] and [`Error::IdempotencyKeyReused`].
pub async fn add_outage(
    core: &Core,
    actor: &Actor,
    key: Option<&IdempotencyKey>,
    resource_id: Uuid,
    new: NewOutage,
) -> Result<Answer<Changed<Outage>>> {
    let body = (resource_id, new.during.start(), new.during.end(), &new.reason);
    let request = Request::with_key("resource_outage.create", actor, key, &body)?;
    change_once(core, request, (resource_id, new), |(resource_id, new), tx, now| {
        Box::pin(insert(tx, now, *resource_id, new))
    })
    .await
}

async fn insert(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    resource_id: Uuid,
    new: &NewOutage,
) -> Result<Changed<Outage>> {
    let staff_ids = lock_all(tx).await?;
    find(tx, resource_id).await?;
    let zone = zone(tx).await?;
    let fitting = Fitting::before(tx, now, &staff_ids, None).await?;
    let id = new_id(now);
    sqlx::query!(
        "INSERT INTO resource_outages (id, resource_id, during, reason) VALUES ($1, $2, $3, $4)",
        id,
        resource_id,
        PgRange::from(new.during.start()..new.during.end()),
        new.reason.as_str(),
    )
    .execute(&mut *tx)
    .await?;
    let value = Outage::new(id, resource_id, zone, new);
    Ok(Changed { value, stranded: fitting.stranded(tx).await? })
}

/// Puts a resource into service again. No booking can be affected.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn remove_outage(core: &Core, resource_id: Uuid, outage_id: Uuid) -> Result<()> {
    change(core, (resource_id, outage_id), |(resource_id, outage_id), tx, _| {
        Box::pin(async move {
            lock_all(tx).await?;
            let deleted = sqlx::query!(
                "DELETE FROM resource_outages WHERE id = $1 AND resource_id = $2",
                outage_id,
                resource_id
            )
            .execute(&mut *tx)
            .await?;
            if deleted.rows_affected() == 1 { Ok(()) } else { Err(Error::NotFound("outage")) }
        })
    })
    .await
}

impl Outage {
    fn new(id: Uuid, resource_id: Uuid, zone: Zone, new: &NewOutage) -> Self {
        let NewOutage { during, reason } = new;
        let (start, end) = (zone.at(during.start()), zone.at(during.end()));
        Self { id, resource_id, start, end, reason: reason.clone() }
    }
}
