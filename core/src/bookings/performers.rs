//! The staff who may perform a slot. Concurrent requests share one read: when a sale opens, thousands ask at once.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use sqlx::PgPool;
use uuid::Uuid;

use super::RequestedSlot;
use crate::batcher::{Batch, Batcher};
use crate::pool::again_if_cut;
use crate::{Core, Error, Result};

/// The staff who may perform the slot: those whose calendars have to be locked. Read before the transaction.
///
/// # Errors
/// `NotFound` for the service, if no member of staff is requested.
pub(super) async fn performers(core: &Core, slot: &RequestedSlot) -> Result<Vec<Uuid>> {
    // Whether the member of staff performs the service is checked under the lock.
    if let Some(staff_id) = slot.staff_id {
        return Ok(vec![staff_id]);
    }
    let reads: Arc<Batcher<ByService>> = core.state(|| Batcher::new(ByService(core.pool.clone())));
    match reads.submit(slot.service_id).await {
        Some(Ok(Some(staff_ids))) => Ok(staff_ids),
        Some(Ok(None)) => Err(Error::NotFound("service")),
        Some(Err(error)) => Err(error),
        None => Err(Error::internal("the staff of a service", "the read panicked")),
    }
}

struct ByService(PgPool);

impl Batch for ByService {
    type Request = Uuid;
    /// None: there is no such service.
    type Answer = Result<Option<Vec<Uuid>>>;

    async fn run(&self, requests: Vec<Uuid>) -> Vec<Self::Answer> {
        let services: BTreeSet<Uuid> = requests.iter().copied().collect();
        let services: Vec<Uuid> = services.into_iter().collect();
        match again_if_cut(|| self.read(&services)).await {
            Ok(staff) => requests.iter().map(|service| Ok(staff.get(service).cloned())).collect(),
            Err(error) => {
                requests.iter().map(|_| Err(error.for_one_of_several("the staff of a service"))).collect()
            }
        }
    }
}

impl ByService {
    async fn read(&self, services: &[Uuid]) -> Result<HashMap<Uuid, Vec<Uuid>>> {
        let rows = sqlx::query!(
            r#"SELECT id, ARRAY(
                   SELECT staff.id FROM service_staff JOIN staff ON staff.id = service_staff.staff_id
                   WHERE service_id = services.id AND staff.active ORDER BY staff.id) AS "staff_ids!"
               FROM services WHERE id = ANY($1)"#,
            services
        )
        .fetch_all(&self.0)
        .await?;
        Ok(rows.into_iter().map(|row| (row.id, row.staff_ids)).collect())
    }
}
