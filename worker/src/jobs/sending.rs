//! The ledger row of one try, and how its facts reach it while Postgres comes and goes.

use std::future::Future;
use std::time::Duration;

use punctual_core::notifications::NotificationOutcome;
use punctual_core::notifications::sending::{self, Dot, Sending};
use punctual_core::{Core, Error};
use punctual_queue::JobContext;

use crate::mails::BuildError;

/// Between tries to write down what the relay said.
const AGAIN: Duration = Duration::from_millis(500);

/// Why a mail is tried again later, with backoff. Its text names no one.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The relay refused the mail for now.
    #[error("the mail server deferred it: {0}")]
    Deferred(String),
    /// The message went out and no reply came back.
    #[error("the mail server did not answer to the message: it is sent once more")]
    InDoubt,
    /// Another worker owns the job.
    #[error("the lease was lost before the message was sent")]
    LeaseLost,
    /// The message can't be made.
    #[error("the message can't be made")]
    Build(#[from] BuildError),
    /// The ledger did not answer.
    #[error("the ledger of mails")]
    Ledger(#[from] Error),
}

impl From<sqlx::Error> for SendError {
    fn from(error: sqlx::Error) -> Self {
        Self::Ledger(error.into())
    }
}

/// The row of one try.
pub struct Ledger {
    core: Core,
    sending: Sending,
}

impl Ledger {
    pub fn new(core: &Core, sending: Sending) -> Self {
        Self { core: core.clone(), sending }
    }

    /// Commits to the dot, if the mail still stands.
    pub async fn commit_to_dot(&self) -> Result<Dot, Error> {
        let mut tx = self.core.pool.begin().await?;
        let dot = sending::commit_to_dot(&mut tx, self.core.now(), &self.sending).await?;
        tx.commit().await?;
        Ok(dot)
    }

    /// The relay has the mail: ledger and job end together. Where another worker owns the job by now, the ledger alone
    /// learns it.
    pub async fn accepted(&self, ctx: &JobContext, reply: &str) {
        until_answered(|| async {
            let mut tx = self.core.pool.begin().await?;
            sending::accepted(&mut tx, self.core.now(), &self.sending, reply).await?;
            match ctx.complete_in(&mut tx).await {
                Ok(()) | Err(punctual_queue::Error::Fenced(_)) => Ok(tx.commit().await?),
                Err(punctual_queue::Error::Database(error)) => Err(error.into()),
                Err(other) => Err(Error::internal("completing a mail's job", other)),
            }
        })
        .await;
    }

    /// The relay does not have the mail; it is tried again.
    pub async fn not_taken(&self, reply: &str) {
        until_answered(|| async {
            let mut conn = self.core.pool.acquire().await?;
            sending::not_taken(&mut conn, &self.sending, reply).await
        })
        .await;
    }

    /// The relay refused the mail for good.
    pub async fn refused(&self, reply: &str) {
        until_answered(|| async {
            let mut conn = self.core.pool.acquire().await?;
            sending::refused(&mut conn, self.core.now(), &self.sending, reply).await
        })
        .await;
    }

    /// Nobody knows whether the relay has the mail. Answers how it ended, if it did.
    pub async fn in_doubt(&self, why: &str) -> Option<NotificationOutcome> {
        until_answered(|| async {
            let mut conn = self.core.pool.acquire().await?;
            sending::in_doubt(&mut conn, self.core.now(), &self.sending, why).await
        })
        .await
    }
}

/// What the relay said is written down, however long Postgres is away: forgetting it could send a mail twice.
/// Every statement that comes here changes nothing when it is repeated.
async fn until_answered<T, F: Future<Output = Result<T, Error>>>(write: impl Fn() -> F) -> T {
    let mut reported = false;
    loop {
        match write().await {
            Ok(done) => return done,
            Err(error) => {
                if !reported {
                    tracing::warn!(error = %error, "the ledger of mails does not answer: trying until it does");
                    reported = true;
                }
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}
