//! Deliveries in batches: those that are read, or that end, at the same time share a query or a transaction. Posting 900 of
//! them takes most of its time in Postgres otherwise.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use punctual_queue::{JobContext, Outcome};
use sqlx::PgConnection;
use uuid::Uuid;

use super::attempt::{AttemptResult, Attempted, prepare, record_successes};
use crate::batcher::{Batch, Batcher};
use crate::config::Keys;
use crate::group_commit::{GroupCommit, GroupWrite, complete_jobs};
use crate::{Core, Error, Result};

/// The deliveries of this process.
pub struct DeliveryBatches {
    reader: Reader,
    prepare: Batcher<Reader>,
    succeed: GroupCommit<Succeed>,
}

impl DeliveryBatches {
    /// Batches of this process; secrets are derived from `keys`.
    #[must_use]
    pub fn new(core: &Core, keys: Arc<Keys>) -> Self {
        let reader = Reader { core: core.clone(), keys };
        Self { prepare: Batcher::new(reader.clone()), reader, succeed: GroupCommit::new(core, Succeed) }
    }

    /// Reads what is to be posted.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; [`Error::Internal`] when the link key of the secret is no longer configured.
    pub async fn prepare(&self, delivery_id: Uuid) -> Result<Attempted> {
        match self.prepare.submit(delivery_id).await {
            Some(prepared) => prepared,
            // The batch failed. By itself the delivery gets an error of its own, if it is the cause.
            None => self
                .reader
                .read(&[delivery_id])
                .await?
                .pop()
                .unwrap_or_else(|| Err(Error::internal("preparing a webhook", "it has no result"))),
        }
    }

    /// Stores a successful attempt and completes the job, in one transaction, so that a replay finds both or neither. If
    /// another worker owns the job by now, it finds the delivery ended.
    ///
    /// # Errors
    /// Those of the database; the call may be repeated.
    pub async fn succeeded(
        &self,
        delivery_id: Uuid,
        result: AttemptResult,
        job: JobContext,
    ) -> Result<Outcome> {
        self.succeed.submit((delivery_id, result, job)).await
    }
}

#[derive(Clone)]
struct Reader {
    core: Core,
    keys: Arc<Keys>,
}

impl Reader {
    async fn read(&self, ids: &[Uuid]) -> Result<Vec<Result<Attempted>>> {
        prepare(&self.core.pool, &self.keys, self.core.now(), ids).await
    }
}

impl Batch for Reader {
    type Request = Uuid;
    type Answer = Result<Attempted>;

    async fn run(&self, requests: Vec<Uuid>) -> Vec<Result<Attempted>> {
        // After an error there are no answers: each delivery is then read by itself.
        self.read(&requests).await.unwrap_or_default()
    }
}

#[derive(Clone)]
struct Succeed;

impl GroupWrite for Succeed {
    type Item = (Uuid, AttemptResult, JobContext);
    type Answer = Outcome;

    fn id(item: &Self::Item) -> Uuid {
        item.0
    }

    async fn write(
        &self,
        tx: &mut PgConnection,
        _now: DateTime<Utc>,
        items: &[Self::Item],
    ) -> Result<Vec<Outcome>> {
        let attempts: Vec<(Uuid, AttemptResult)> =
            items.iter().map(|(id, result, _)| (*id, result.clone())).collect();
        record_successes(&mut *tx, &attempts).await?;
        let jobs: Vec<&JobContext> = items.iter().map(|(_, _, job)| job).collect();
        complete_jobs(tx, &jobs).await
    }
}
