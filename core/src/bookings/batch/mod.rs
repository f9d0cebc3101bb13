//! Group commit of bookings and holds: requests that arrive while a batch is committed share the next transaction.
//! Correctness and fairness: docs/decisions/0023-group-commit-of-bookings.md.

mod decide;
mod entries;
mod entry;
mod store;
mod transaction;

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(super) use self::entry::{NewEntry, RequestKind};
use self::entry::{Outcome, Pending, Reply};
use self::transaction::{Failure, run_transaction};
use crate::batch_queue::{BatchQueue, LockMode, NotServed, RequestResult, RunBatch};
use crate::keyed_mutex::KeyedMutexGuard;
use crate::transaction::{RETRIES, TRANSACTION_TIMEOUT, retry_delay};
use crate::{Core, Error, Result};

/// How long a request waits for its batch to start.
const WAIT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the next batch collects requests after one of several.
const GATHER: Duration = Duration::from_millis(10);
/// `Retry-After` of the refusal.
const RETRY_AFTER: Duration = Duration::from_secs(1);

type Queue = BatchQueue<Pending, Reply>;

/// Makes a booking or a hold in the next batch. It is committed even if the caller is cancelled once its batch has started.
///
/// # Errors
/// Those of the entry; [`Error::Overloaded`] when its batch does not start in time.
pub(super) async fn submit(
    core: &Core,
    key_guard: Option<KeyedMutexGuard<String>>,
    entry: NewEntry,
) -> Reply {
    let queue: Arc<Queue> = core.state(Queue::default);
    let keys = entry.performers.clone();
    let pending = Pending { entry, span: tracing::info_span!("transaction"), _key_guard: key_guard };
    let batches = core.limits.booking_batches;
    match queue.submit(&Batches(core.clone()), batches, WAIT_TIMEOUT, keys, pending).await {
        Ok(reply) => reply,
        Err(NotServed::Full | NotServed::TimedOut) => Err(Error::Overloaded { retry_after: RETRY_AFTER }),
        Err(NotServed::Panicked) => Err(Error::internal("a batch of bookings", "it panicked")),
    }
}

#[derive(Clone)]
struct Batches(Core);

impl RunBatch for Batches {
    type Request = Pending;
    type Answer = Reply;

    fn gather(&self) -> Duration {
        GATHER
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.writer.spawn(task);
    }

    async fn run(&self, pending: Vec<Pending>, mode: LockMode) -> Vec<RequestResult<Pending, Reply>> {
        let entries: Vec<&Pending> = pending.iter().collect();
        let outcomes = match run_transaction(&self.0, &entries, mode).await {
            Ok(outcomes) => outcomes,
            Err(failure) => self.run_one_by_one(&entries, failure).await,
        };
        pending
            .into_iter()
            .zip(outcomes)
            .map(|(pending, outcome)| match outcome {
                Outcome::Reply(reply) => RequestResult::Answer(*reply),
                Outcome::Locked(mode) => RequestResult::Locked(pending, mode),
            })
            .collect()
    }
}

impl Batches {
    /// Runs each entry of a failed batch in its own transaction, so that only the entry that cannot be committed fails. After
    /// [`TRANSACTION_TIMEOUT`] the remaining entries fail with the error of the batch.
    async fn run_one_by_one(&self, entries: &[&Pending], failure: Failure) -> Vec<Outcome> {
        if let [entry] = entries {
            let reply = if failure.error.is_transient() { self.run_alone(entry).await } else { Err(failure) };
            return vec![reply.unwrap_or_else(|failure| Outcome::reply(Err(failure.error)))];
        }
        tracing::info!(error = %failure.error, requests = entries.len(), "a batch of bookings is run one by one");
        let mut outcomes = Vec::with_capacity(entries.len());
        let deadline = Instant::now() + TRANSACTION_TIMEOUT;
        // The database is not available: fail the others at once.
        let mut outage: Option<Failure> = None;
        for entry in entries {
            let may_run = Instant::now() < deadline && failure.may_run_alone(entry);
            let failed = outage.as_ref().or_else(|| (!may_run).then_some(&failure));
            let outcome = match failed {
                Some(failed) => Outcome::reply(Err(failed.for_one())),
                None => match self.run_alone(entry).await {
                    Ok(outcome) => outcome,
                    Err(failed) => {
                        let error = failed.for_one();
                        if failed.is_outage() {
                            outage = Some(failed);
                            Outcome::reply(Err(error))
                        } else {
                            Outcome::reply(Err(failed.error))
                        }
                    }
                },
            };
            outcomes.push(outcome);
        }
        outcomes
    }

    /// Runs one entry, again after a deadlock or serialization failure.
    async fn run_alone(&self, entry: &Pending) -> Result<Outcome, Failure> {
        let mut retry = 0;
        loop {
            match run_transaction(&self.0, &[entry], LockMode::Wait).await {
                Ok(mut outcomes) => {
                    let missing = || Outcome::reply(Err(Error::internal("a batch of one", "no outcome")));
                    return Ok(outcomes.pop().unwrap_or_else(missing));
                }
                Err(failure) if failure.error.is_transient() && retry < RETRIES => {
                    retry += 1;
                    tracing::debug!(retry, error = %failure.error, "a booking is retried");
                    tokio::time::sleep(retry_delay(retry)).await;
                }
                Err(failure) => return Err(failure),
            }
        }
    }
}
