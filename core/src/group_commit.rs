//! Group commit for writes of many jobs: those that arrive while a batch is being committed share the next transaction. No
//! answer is returned before its commit.
//!
//! A batch waits for a lock for a moment ([`BEGIN_BRIEF_BATCH`]). If it fails as a whole, nothing of it is stored, and each of
//! its items is written in a transaction of its own, beside the next batches: a row that is locked for long holds up only
//! its own item.

use std::future::Future;
use std::io;

use chrono::{DateTime, Utc};
use punctual_queue::{JobContext, Outcome};
use sqlx::PgConnection;
use tracing::Span;
use uuid::Uuid;

use crate::batcher::{Batch, Batcher};
use crate::notifications::{EndedMail, collect_ended};
use crate::transaction::{BEGIN, BEGIN_BRIEF_BATCH, TRANSACTION_TIMEOUT, Transaction};
use crate::{Core, Error, Result};

/// A write of many items within one transaction.
pub(crate) trait GroupWrite: Clone + Send + Sync + 'static {
    /// What is written.
    type Item: Clone + Send + Sync + 'static;
    /// The result for one item.
    type Answer: Send + 'static;

    /// The row that the item is about.
    fn id(item: &Self::Item) -> Uuid;

    /// Writes all items. The answers are in the order of the items.
    fn write(
        &self,
        tx: &mut PgConnection,
        now: DateTime<Utc>,
        items: &[Self::Item],
    ) -> impl Future<Output = Result<Vec<Self::Answer>>> + Send;
}

/// Commits the items of this process in batches.
pub(crate) struct GroupCommit<W: GroupWrite> {
    runner: Runner<W>,
    batcher: Batcher<Runner<W>>,
}

impl<W: GroupWrite> GroupCommit<W> {
    pub(crate) fn new(core: &Core, write: W) -> Self {
        let runner = Runner { core: core.clone(), write };
        Self { batcher: Batcher::new(runner.clone()), runner }
    }

    /// Writes the item with others and commits.
    ///
    /// # Errors
    /// Those of the database. Whether the item was written is then unknown.
    pub(crate) async fn submit(&self, item: W::Item) -> Result<W::Answer> {
        match self.batcher.submit((item.clone(), Span::current())).await {
            Some(Answer::Committed(answer)) => Ok(answer),
            // Boxed: an item that only waits for its batch does not reserve the size of this future.
            Some(Answer::NotStored) => Box::pin(self.write_alone(item)).await,
            Some(Answer::Unknown) => {
                Err(Error::Unavailable(sqlx::Error::Io(io::Error::other("the answer to COMMIT was lost"))))
            }
            None => Err(Error::internal("a batch of writes", "it panicked")),
        }
    }

    /// Writes the item in a transaction of its own.
    ///
    /// # Errors
    /// As [`Self::submit`].
    pub(crate) async fn write_alone(&self, item: W::Item) -> Result<W::Answer> {
        let (answers, ended) = self.runner.transaction(BEGIN, &[item], &mut false).await?;
        ended.into_iter().for_each(EndedMail::count);
        answers.into_iter().next().ok_or_else(|| Error::internal("a batch of writes", "it has no answer"))
    }
}

/// Completes jobs in the transaction that stores their results. The outcomes are in the order of the jobs; if another worker
/// owns a job by now, that one completes it, and this handler has nothing left to do.
pub(crate) async fn complete_jobs(tx: &mut PgConnection, jobs: &[&JobContext]) -> Result<Vec<Outcome>> {
    match JobContext::complete_all_in(tx, jobs).await {
        Ok(completed) => Ok(completed.into_iter().map(|outcome| outcome.unwrap_or(Outcome::Done)).collect()),
        Err(punctual_queue::Error::Database(error)) => Err(error.into()),
        Err(other) => Err(Error::internal("completing jobs", other)),
    }
}

/// The answer of a batch to one item.
enum Answer<A> {
    Committed(A),
    /// The batch failed and stored nothing.
    NotStored,
    /// The answer to COMMIT was lost.
    Unknown,
}

#[derive(Clone)]
struct Runner<W> {
    core: Core,
    write: W,
}

impl<W: GroupWrite> Batch for Runner<W> {
    type Request = (W::Item, Span);
    type Answer = Answer<W::Answer>;

    async fn run(&self, requests: Vec<(W::Item, Span)>) -> Vec<Answer<W::Answer>> {
        let (items, spans): (Vec<W::Item>, Vec<Span>) = requests.into_iter().unzip();
        let mut committing = false;
        match self.transaction(BEGIN_BRIEF_BATCH, &items, &mut committing).await {
            Ok((answers, ended)) => {
                for end in ended {
                    // Logged in the trace of the job whose mail it is.
                    let span = items.iter().zip(&spans).find(|(item, _)| W::id(item) == end.id);
                    span.map_or_else(Span::none, |(_, span)| span.clone()).in_scope(|| end.count());
                }
                answers.into_iter().map(Answer::Committed).collect()
            }
            Err(error) => {
                tracing::info!(%error, items = items.len(), "a batch failed; each of its items is written by itself");
                let failed = || if committing { Answer::Unknown } else { Answer::NotStored };
                items.iter().map(|_| failed()).collect()
            }
        }
    }
}

impl<W: GroupWrite> Runner<W> {
    /// Returns the answers, and the ends of mails that were committed.
    async fn transaction(
        &self,
        begin: &'static str,
        items: &[W::Item],
        committing: &mut bool,
    ) -> Result<(Vec<W::Answer>, Vec<EndedMail>)> {
        let transaction = async {
            let mut tx = Transaction::begin(&self.core.pool, begin).await?;
            match self.write.write(tx.conn()?, self.core.now(), items).await {
                Ok(answers) => {
                    *committing = true;
                    tx.end("COMMIT").await?;
                    Ok(answers)
                }
                Err(error) => {
                    // If the rollback fails, the connection is closed. The first error is the one to report.
                    let _ = tx.end("ROLLBACK").await;
                    Err(error)
                }
            }
        };
        match tokio::time::timeout(TRANSACTION_TIMEOUT, collect_ended(transaction)).await {
            Ok((result, ended)) => result.map(|answers| (answers, ended)),
            Err(_) => Err(Error::Unavailable(sqlx::Error::Io(io::ErrorKind::TimedOut.into()))),
        }
    }
}
