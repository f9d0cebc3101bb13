//! Runs the transaction of one batch and says how it failed.

use std::io;

use super::entries::Entries;
use super::entry::{Outcome, Pending, Stage};
use crate::batch_queue::LockMode;
use crate::bookings::mails;
use crate::notifications::count_if_committed;
use crate::pool::is_cut;
use crate::transaction::{BEGIN_BATCH, TRANSACTION_TIMEOUT, Transaction};
use crate::{Core, Error, Result};

/// Failure of a whole transaction. Nothing is stored, unless the answer to COMMIT was lost.
pub(super) struct Failure {
    pub error: Error,
    stage: Stage,
}

impl Failure {
    /// Whether an entry of a failed batch runs again alone. If the answer to COMMIT was lost, only entries with an
    /// idempotency key do: they find the stored answer if the commit took effect.
    pub(super) fn may_run_alone(&self, entry: &Pending) -> bool {
        match self.stage {
            Stage::Begun => matches!(&self.error, Error::Unavailable(error) if is_cut(error)),
            Stage::TimedOut => false,
            Stage::Working => true,
            Stage::Committing => entry.entry.request.is_some(),
        }
    }

    /// Whether it failed before any lock was taken: then the next transaction is likely to fail too.
    pub(super) fn is_outage(&self) -> bool {
        self.stage == Stage::Begun
    }

    /// The error to report for one entry.
    pub(super) fn for_one(&self) -> Error {
        match &self.error {
            Error::IdempotencyInProgress => Error::IdempotencyInProgress,
            error => error.for_one_of_several("a batch of bookings"),
        }
    }
}

/// Runs the entries in one transaction. Returns the outcomes in the same order.
pub(super) async fn run_transaction(
    core: &Core,
    entries: &[&Pending],
    mode: LockMode,
) -> Result<Vec<Outcome>, Failure> {
    let mut stage = Stage::Begun;
    // Boxed once for the batch: it is held through several layers.
    let transaction = Box::pin(count_if_committed(|_| true, run(core, entries, mode, &mut stage)));
    if let Ok(result) = tokio::time::timeout(TRANSACTION_TIMEOUT, transaction).await {
        return result.map_err(|error| Failure { error, stage });
    }
    let error = Error::Unavailable(sqlx::Error::Io(io::ErrorKind::TimedOut.into()));
    Err(Failure { error, stage: Stage::TimedOut })
}

async fn run(core: &Core, entries: &[&Pending], mode: LockMode, stage: &mut Stage) -> Result<Vec<Outcome>> {
    let mut tx = Transaction::begin(&core.writer.pool, BEGIN_BATCH).await?;
    let mut batch = Entries::new(core.now(), entries, mode);
    match batch.decide_and_store(tx.conn()?, stage).await {
        Ok(changed) => {
            if changed {
                *stage = Stage::Committing;
                tx.end("COMMIT").await?;
            } else {
                tx.end("ROLLBACK").await?;
            }
            if batch.has_mails {
                for queue in mails::QUEUES {
                    core.wake.wake(queue);
                }
            }
            Ok(batch.into_outcomes())
        }
        Err(error) => {
            // If the rollback fails, the connection is closed. The first error is the one to report.
            let _ = tx.end("ROLLBACK").await;
            Err(error)
        }
    }
}
