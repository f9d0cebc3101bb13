//! Runs a write as one transaction in a task of its own and retries it after deadlocks and serialization failures.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};
use tracing::Instrument;

use crate::notifications::count_if_committed;
use crate::pool::again_if_cut;
use crate::{Core, Error, Result};

/// Retries after a deadlock or serialization failure.
pub(crate) const RETRIES: u32 = 3;
/// Timeout of one transaction, lock waits included. After it the connection is closed, which ends the transaction on
/// the server.
pub(crate) const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(10);

/// Makes Postgres plan each statement once per connection: planning five statements of a booking took two thirds of the
/// time of running all of them (docs/decisions/0018-generic-plans-for-writes.md). So no statement may need its parameters for a
/// good plan (such as `$1 IS NULL OR …` on an indexed column).
pub(crate) const BEGIN: &str = "BEGIN; SET LOCAL plan_cache_mode = force_generic_plan";
/// [`BEGIN`] for the statements of a batch. Each looks up some rows by key for an array of requests. On a table that is not
/// analysed yet the planner would read all of it, and keep that plan while the table grows. Without JIT: a discouraged scan is
/// estimated so high that compiling it would seem to pay.
pub(crate) const BEGIN_BATCH: &str = "BEGIN; SET LOCAL plan_cache_mode = force_generic_plan; \
    SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL jit = off";
/// [`BEGIN_BATCH`] for a batch that runs its requests one by one if it meets a lock of another transaction for long.
pub(crate) const BEGIN_BRIEF_BATCH: &str = "BEGIN; SET LOCAL plan_cache_mode = force_generic_plan; \
    SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL jit = off; \
    SET LOCAL lock_timeout = '50ms'";

/// [`BEGIN_BATCH`] for statements that only read: planning the three of a slot list took six times as long as running them.
pub(crate) const BEGIN_READ: &str = "BEGIN READ ONLY; SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off; \
     SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL jit = off";

/// The work of one transaction between BEGIN and COMMIT. It may run several times.
pub(crate) trait Write: Send + Sync + 'static {
    /// The result.
    type Output: Send + 'static;

    /// Does the work.
    fn run(
        &self,
        tx: &mut PgConnection,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<Outcome<Self::Output>>> + Send;
}

/// How a transaction ends.
pub(crate) enum Outcome<T> {
    /// Commit, then wake these queues.
    Changed(T, &'static [&'static str]),
    /// Nothing changed: roll back.
    Unchanged(T),
}

impl<T> Outcome<T> {
    fn is_changed(&self) -> bool {
        matches!(self, Self::Changed(..))
    }
}

/// Runs the write. It continues when the caller is cancelled, so that a client that disconnects loses no commit. `held`
/// is dropped when the write has ended.
pub(crate) async fn write<W: Write>(
    core: &Core,
    work: Arc<W>,
    held: impl Send + 'static,
) -> Result<W::Output> {
    let cloned = core.clone();
    let task = async move {
        let result = with_retries(&cloned, &*work).await;
        drop(held);
        result
    };
    let span = tracing::info_span!("transaction");
    core.writer
        .spawn(task.instrument(span))
        .await
        .map_err(|error| Error::internal("a write panicked", error))?
}

/// A function that [`change`] runs within the transaction.
pub(crate) type Step<A, T> = for<'a> fn(
    &'a A,
    &'a mut PgConnection,
    DateTime<Utc>,
) -> Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// [`write`] for a function of its arguments that wakes no queue.
pub(crate) async fn change<A, T>(core: &Core, args: A, step: Step<A, T>) -> Result<T>
where
    A: Send + Sync + 'static,
    T: Send + 'static,
{
    change_waking(core, &[], args, step).await
}

/// [`change`] that then wakes these queues.
pub(crate) async fn change_waking<A, T>(
    core: &Core,
    queues: &'static [&'static str],
    args: A,
    step: Step<A, T>,
) -> Result<T>
where
    A: Send + Sync + 'static,
    T: Send + 'static,
{
    write(core, Arc::new(Change { args, queues, step }), ()).await
}

struct Change<A, T> {
    args: A,
    queues: &'static [&'static str],
    step: Step<A, T>,
}

impl<A: Send + Sync + 'static, T: Send + 'static> Write for Change<A, T> {
    type Output = T;

    async fn run(&self, tx: &mut PgConnection, now: DateTime<Utc>) -> Result<Outcome<T>> {
        (self.step)(&self.args, tx, now).await.map(|output| Outcome::Changed(output, self.queues))
    }
}

async fn with_retries<W: Write>(core: &Core, work: &W) -> Result<W::Output> {
    let mut retry = 0;
    loop {
        match once(core, work).await {
            Err(error) if error.is_transient() && retry < RETRIES => {
                retry += 1;
                tracing::debug!(retry, %error, "a transaction is retried");
                tokio::time::sleep(retry_delay(retry)).await;
            }
            result => return result,
        }
    }
}

/// A random delay before the n-th retry, so that transactions that conflicted do not conflict again.
pub(crate) fn retry_delay(retry: u32) -> Duration {
    Duration::from_millis(rand::random_range(1..=10_u64 << retry))
}

async fn once<W: Write>(core: &Core, work: &W) -> Result<W::Output> {
    let timed_out = |_| Error::Unavailable(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()));
    let transaction = async {
        let mut tx = Transaction::begin(&core.writer.pool, BEGIN).await?;
        match work.run(tx.conn()?, core.now()).await {
            Ok(outcome) => {
                tx.end(if outcome.is_changed() { "COMMIT" } else { "ROLLBACK" }).await?;
                Ok(outcome)
            }
            Err(error) => {
                // If the rollback fails, the connection is closed. The first error is the one to report.
                let _ = tx.end("ROLLBACK").await;
                Err(error)
            }
        }
    };
    let transaction = count_if_committed(Outcome::is_changed, transaction);
    match tokio::time::timeout(TRANSACTION_TIMEOUT, transaction).await.map_err(timed_out)?? {
        Outcome::Changed(output, queues) => {
            for queue in queues {
                core.wake.wake(queue);
            }
            Ok(output)
        }
        Outcome::Unchanged(output) => Ok(output),
    }
}

/// An open transaction. Dropping it before its end closes the connection, whose state is then unknown.
pub(crate) struct Transaction(Option<PoolConnection<Postgres>>);

impl Transaction {
    /// Begins with these statements. An idle connection may have been cut; the pool then tests the next one before handing
    /// it out.
    pub(crate) async fn begin(pool: &PgPool, begin: &'static str) -> Result<Self> {
        again_if_cut(|| async {
            let mut tx = Self(Some(pool.acquire().await?));
            sqlx::raw_sql(begin).execute(tx.conn()?).await?;
            Ok(tx)
        })
        .await
    }

    pub(crate) fn conn(&mut self) -> Result<&mut PgConnection> {
        self.0.as_deref_mut().ok_or_else(|| Error::internal("transaction", "it has ended"))
    }

    /// Ends a transaction that only read. If that fails, the connection is closed; what was read stays true.
    pub(crate) async fn end_read(mut self) {
        let _ = self.end("COMMIT").await;
    }

    /// Runs the statement, `COMMIT` or `ROLLBACK`, and returns the connection to the pool if it succeeded.
    pub(crate) async fn end(&mut self, how: &'static str) -> Result<()> {
        sqlx::raw_sql(how).execute(self.conn()?).await?;
        self.0.take();
        Ok(())
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(connection.detach());
        }
    }
}
