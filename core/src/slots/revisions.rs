//! Whether the data behind a cached slot list is unchanged.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgPool, Postgres, pool::PoolConnection};
use uuid::Uuid;

use crate::batcher::Batch;
use crate::pool::again_if_cut;
use crate::{Core, Error, Result};

/// Timeout of one check. After it the connection is closed and the lists concerned are rebuilt.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// The revisions of everything a list was built from, read before that data or by the same statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revisions {
    /// Start time of the database server. After a fail-over the same revisions can belong to other data.
    pub(crate) server: DateTime<Utc>,
    /// `settings.calendar_rev`: covers settings, closures, services and their staff, and what pages show of these.
    pub(crate) business: i64,
    /// `staff.calendar_rev` of each member of staff of the service, active or not.
    pub(crate) staff: Vec<(Uuid, i64)>,
    /// `resources.calendar_rev` of each resource that the service can need: covers when it is used.
    pub(crate) resources: Vec<(Uuid, i64)>,
}

impl Revisions {
    /// The revision of the business alone.
    ///
    /// # Errors
    /// [`Error::NotFound`] before the business is set up.
    pub(crate) async fn of_business(core: &Core) -> Result<Self> {
        let row = sqlx::query!(
            r#"SELECT pg_postmaster_start_time() AS "server!", calendar_rev AS business FROM settings"#
        )
        .fetch_optional(&core.pool)
        .await?
        .ok_or(Error::NotFound("business"))?;
        Ok(Self { server: row.server, business: row.business, staff: Vec::new(), resources: Vec::new() })
    }
}

/// Compares revisions with the database on a dedicated connection, so that no check waits behind bookings.
pub(super) struct Check {
    pool: PgPool,
}

impl Check {
    pub(super) fn new(pool: &PgPool) -> Self {
        let options = pool.options().clone().max_connections(1);
        Self { pool: options.connect_lazy_with((*pool.connect_options()).clone()) }
    }

    /// The server's start, the business's revision, and the members of staff and resources whose revision differs from the
    /// one given; `None` where there is no such member of staff or resource.
    async fn current(
        &self,
        (staff_ids, revs): (&[Uuid], &[i64]),
        (resource_ids, resource_revs): (&[Uuid], &[i64]),
    ) -> Result<Current> {
        let mut connection = ClosedOnDrop(Some(self.pool.acquire().await?));
        let rows = sqlx::query!(
            r#"SELECT pg_postmaster_start_time() AS "server!", settings.calendar_rev AS business, changed.id AS "id?",
                      changed.rev AS "rev?"
               FROM settings LEFT JOIN (
                   SELECT known.id, staff.calendar_rev AS rev
                   FROM unnest($1::uuid[], $2::bigint[]) AS known (id, rev) LEFT JOIN staff ON staff.id = known.id
                   WHERE staff.calendar_rev IS DISTINCT FROM known.rev
                   UNION ALL
                   SELECT known.id, resources.calendar_rev
                   FROM unnest($3::uuid[], $4::bigint[]) AS known (id, rev)
                   LEFT JOIN resources ON resources.id = known.id
                   WHERE resources.calendar_rev IS DISTINCT FROM known.rev
               ) AS changed ON true"#,
            staff_ids,
            revs,
            resource_ids,
            resource_revs,
        )
        .fetch_all(connection.get()?)
        .await?;
        connection.keep();
        let server_and_business = rows.first().map(|row| (row.server, row.business));
        let changed = rows.into_iter().filter_map(|row| Some((row.id?, row.rev))).collect();
        Ok(Current { server_and_business, changed })
    }
}

struct Current {
    /// None before the business is set up.
    server_and_business: Option<(DateTime<Utc>, i64)>,
    changed: HashMap<Uuid, Option<i64>>,
}

impl Batch for Check {
    type Request = Arc<Revisions>;
    /// Whether all revisions are current.
    type Answer = bool;

    async fn run(&self, requests: Vec<Arc<Revisions>>) -> Vec<bool> {
        let mut expected: HashMap<Uuid, i64> = HashMap::with_capacity(requests.len());
        let mut staff: HashMap<Uuid, i64> = HashMap::with_capacity(requests.len());
        let mut resources: HashMap<Uuid, i64> = HashMap::new();
        for revisions in &requests {
            for (known, given) in [(&mut staff, &revisions.staff), (&mut resources, &revisions.resources)] {
                for (id, rev) in given {
                    known.entry(*id).or_insert(*rev);
                    expected.entry(*id).or_insert(*rev);
                }
            }
        }
        let (ids, revs): (Vec<Uuid>, Vec<i64>) = staff.into_iter().unzip();
        let (resource_ids, resource_revs): (Vec<Uuid>, Vec<i64>) = resources.into_iter().unzip();
        let check = || self.current((&ids, &revs), (&resource_ids, &resource_revs));
        let current = tokio::time::timeout(CHECK_TIMEOUT, again_if_cut(check)).await;
        let current = match current {
            Ok(Ok(current)) => current,
            // The caller rebuilds the list and gets the same error there.
            Ok(Err(error)) => {
                tracing::debug!(%error, "revisions cannot be read");
                return vec![false; requests.len()];
            }
            Err(_) => return vec![false; requests.len()],
        };
        let is_current = |id: &Uuid, rev: i64| match current.changed.get(id) {
            Some(changed) => *changed == Some(rev),
            None => expected.get(id) == Some(&rev),
        };
        requests
            .iter()
            .map(|revisions| {
                current.server_and_business == Some((revisions.server, revisions.business))
                    && revisions
                        .staff
                        .iter()
                        .chain(&revisions.resources)
                        .all(|(id, rev)| is_current(id, *rev))
            })
            .collect()
    }
}

/// A connection that is closed unless it is kept: after a timeout its state is unknown.
struct ClosedOnDrop(Option<PoolConnection<Postgres>>);

impl ClosedOnDrop {
    fn get(&mut self) -> Result<&mut sqlx::PgConnection> {
        self.0.as_deref_mut().ok_or_else(|| crate::Error::internal("revisions", "the connection is gone"))
    }

    fn keep(mut self) {
        self.0.take();
    }
}

impl Drop for ClosedOnDrop {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(connection.detach());
        }
    }
}
