//! How a write runs: one transaction in a task of its own, tried again where Postgres asks for it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};
use tracing::Instrument;

use crate::pool::again_if_cut;
use crate::{Core, Error, Result};

/// How often a deadlock or serialization failure is tried again.
const RETRIES: u32 = 3;
/// How long one transaction may take, waits for locks included. Past it the connection is closed, which ends the
/// transaction on the server.
const DEADLINE: Duration = Duration::from_secs(10);

/// Its statements are planned once a connection, not once a booking: planning five of a booking took two
/// thirds as long as running all of them (docs/decisions/0018-generic-plans-for-writes.md).
/// So none may depend on its parameters for a good plan (`$1 IS NULL OR …` on what an index is for).
const BEGIN: &str = "BEGIN; SET LOCAL plan_cache_mode = force_generic_plan";

/// What one transaction does between BEGIN and COMMIT. It may be run several times.
pub(crate) trait Write: Send + Sync + 'static {
    /// What it answers.
    type Output: Send + 'static;

    /// Does it.
    fn run(
        &self,
        tx: &mut PgConnection,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<Outcome<Self::Output>>> + Send;
}

/// How a transaction ends.
pub(crate) enum Outcome<T> {
    /// Something changed: commit, then wake these queues.
    Changed(T, &'static [&'static str]),
    /// Nothing changed: nothing to commit.
    Unchanged(T),
}

/// Runs the write. It goes on when the caller goes away, so that a client which hangs up cannot lose what was about to
/// be committed; `held` is kept until it has ended.
pub(crate) async fn write<W: Write>(
    core: &Core,
    work: Arc<W>,
    held: impl Send + 'static,
) -> Result<W::Output> {
    let core = core.clone();
    let task = async move {
        let result = with_retries(&core, &*work).await;
        drop(held);
        result
    };
    let span = tracing::info_span!("transaction");
    tokio::spawn(task.instrument(span)).await.map_err(|error| Error::internal("a write panicked", error))?
}

/// What [`change`] runs: a function of its arguments within the transaction.
pub(crate) type Step<A, T> = for<'a> fn(
    &'a A,
    &'a mut PgConnection,
    DateTime<Utc>,
) -> Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// [`write`] for a change that is one function of its arguments and wakes no queue.
pub(crate) async fn change<A, T>(core: &Core, args: A, step: Step<A, T>) -> Result<T>
where
    A: Send + Sync + 'static,
    T: Send + 'static,
{
    change_waking(core, &[], args, step).await
}

/// [`change`] that wakes these queues.
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
                tracing::debug!(retry, %error, "a transaction is tried again");
                tokio::time::sleep(Duration::from_millis(rand::random_range(1..=10_u64 << retry))).await;
            }
            result => return result,
        }
    }
}

async fn once<W: Write>(core: &Core, work: &W) -> Result<W::Output> {
    let late = |_| Error::Unavailable(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()));
    let (output, queues) = tokio::time::timeout(DEADLINE, async {
        let mut tx = Transaction::begin(&core.pool).await?;
        match work.run(tx.conn()?, core.now()).await {
            Ok(Outcome::Changed(output, queues)) => {
                tx.end("COMMIT").await?;
                Ok((output, queues))
            }
            Ok(Outcome::Unchanged(output)) => {
                tx.end("ROLLBACK").await?;
                Ok((output, &[][..]))
            }
            Err(error) => {
                // The connection is closed instead if even this fails; the first error is the one that tells why.
                let _ = tx.end("ROLLBACK").await;
                Err(error)
            }
        }
    })
    .await
    .map_err(late)??;
    for queue in queues {
        core.wake.wake(queue);
    }
    Ok(output)
}

/// An open transaction. Unless it is ended, dropping it closes the connection: after a deadline nobody knows what state
/// it is in.
struct Transaction(Option<PoolConnection<Postgres>>);

impl Transaction {
    /// A connection may have been cut while it was idle; the next one has been tried.
    async fn begin(pool: &PgPool) -> Result<Self> {
        again_if_cut(|| async {
            let mut tx = Self(Some(pool.acquire().await?));
            sqlx::raw_sql(BEGIN).execute(tx.conn()?).await?;
            Ok(tx)
        })
        .await
    }

    fn conn(&mut self) -> Result<&mut PgConnection> {
        self.0.as_deref_mut().ok_or_else(|| Error::internal("transaction", "it has ended"))
    }

    async fn end(&mut self, how: &'static str) -> Result<()> {
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
