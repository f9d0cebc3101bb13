//! Writes the results of one attempt to the ledger, also while Postgres is temporarily unavailable.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use punctual_core::notifications::NotificationOutcome;
use punctual_core::notifications::sending::{self, HandOff, Sending, SendingBatches};
use punctual_core::{Core, Error};
use punctual_queue::{JobContext, Outcome};

use crate::mails::BuildError;

/// Between two attempts to write a result.
const RETRY_DELAY: Duration = Duration::from_millis(500);

/// Why a mail is tried again later, with backoff. Contains no personal data.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The relay temporarily refused the mail.
    #[error("the mail server deferred it: {0}")]
    Deferred(String),
    /// The message was sent and no reply came.
    #[error("the mail server did not answer to the message: it is sent once more")]
    InDoubt,
    /// Another worker owns the job.
    #[error("the lease was lost before the message was sent")]
    LeaseLost,
    /// The message cannot be built.
    #[error("the message can't be made")]
    Build(#[from] BuildError),
    /// The database failed.
    #[error("the ledger of mails")]
    Ledger(#[from] Error),
}

impl From<sqlx::Error> for SendError {
    fn from(error: sqlx::Error) -> Self {
        Self::Ledger(error.into())
    }
}

/// The ledger row of one attempt.
pub struct LedgerEntry {
    core: Core,
    batches: Arc<SendingBatches>,
    sending: Sending,
}

impl LedgerEntry {
    pub fn new(core: &Core, batches: Arc<SendingBatches>, sending: Sending) -> Self {
        Self { core: core.clone(), batches, sending }
    }

    /// Records that the message is about to be handed to the relay, unless the mail is no longer valid.
    pub async fn mark_handed_off(&self) -> Result<HandOff, Error> {
        self.batches.mark_handed_off(self.sending).await
    }

    /// The relay accepted the mail: ledger row and job end in one transaction. If another worker owns the job by now,
    /// only the ledger is written.
    pub async fn accepted(&self, ctx: &JobContext, reply: &str) -> Outcome {
        until_written(|| self.batches.accepted(self.sending, reply.to_owned(), ctx.clone())).await
    }

    /// The relay does not have the mail; it will be tried again.
    pub async fn not_taken(&self, reply: &str) {
        until_written(|| async {
            let mut conn = self.core.pool.acquire().await?;
            sending::not_taken(&mut conn, &self.sending, reply).await
        })
        .await;
    }

    /// The relay permanently refused the mail.
    pub async fn refused(&self, reply: &str) {
        until_written(|| async {
            let mut conn = self.core.pool.acquire().await?;
            sending::refused(&mut conn, self.core.now(), &self.sending, reply).await
        })
        .await;
    }

    /// The relay may or may not have the mail. Returns the outcome if this ended the mail.
    pub async fn in_doubt(&self, why: &str) -> Option<NotificationOutcome> {
        until_written(|| async {
            let mut conn = self.core.pool.acquire().await?;
            sending::in_doubt(&mut conn, self.core.now(), &self.sending, why).await
        })
        .await
    }
}

/// Repeats `write` until it succeeds, however long Postgres is unavailable: a lost result could cause a second copy of
/// the mail. `write` must be idempotent.
async fn until_written<T, F: Future<Output = Result<T, Error>>>(write: impl Fn() -> F) -> T {
    let mut reported = false;
    loop {
        match write().await {
            Ok(done) => return done,
            Err(error) => {
                if !reported {
                    tracing::warn!(error = %error, "the mail ledger cannot be written; retrying");
                    reported = true;
                }
                tokio::time::sleep(RETRY_DELAY).await;
            }
        }
    }
}
