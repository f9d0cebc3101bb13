//! Group commit of the three steps of a mail: mails that reach the same step while a batch of it is being committed share
//! the next transaction. Each mail is fenced separately, and no result is returned before its commit.
//!
//! A batch waits for a lock for a moment ([`BEGIN_BRIEF_BATCH`]). If it fails as a whole, nothing of it is stored, and each of
//! its mails runs in a transaction of its own, beside the next batches: a booking that is locked for long holds up only its
//! own mail.

use std::future::Future;
use std::io;

use chrono::{DateTime, Utc};
use punctual_queue::{JobContext, Outcome};
use sqlx::PgConnection;
use tracing::Span;
use uuid::Uuid;

use super::{BeginResult, Fence, HandOff, Sending, accepted, begin, mark_handed_off};
use crate::batcher::{Batch, Batcher};
use crate::notifications::facts::{self, Facts};
use crate::notifications::{EndedMail, collect_ended};
use crate::transaction::{BEGIN, BEGIN_BRIEF_BATCH, TRANSACTION_TIMEOUT, Transaction};
use crate::{Core, Error, Result};

/// Commits the steps of this process's mails in batches.
pub struct SendingBatches {
    begin: Steps<Begin>,
    hand_off: Steps<MarkHandedOff>,
    accept: Steps<Accept>,
}

/// The result of beginning an attempt.
pub struct Beginning {
    /// Whether it has begun.
    pub begun: BeginResult,
    /// The content of a mail about a booking; none for other mails, and when the booking is gone.
    pub facts: Option<Facts>,
}

impl SendingBatches {
    /// Batches of this process.
    #[must_use]
    pub fn new(core: &Core) -> Self {
        Self {
            begin: Steps::new(core, Begin),
            hand_off: Steps::new(core, MarkHandedOff),
            accept: Steps::new(core, Accept),
        }
    }

    /// [`begin`], and the content of a mail about a booking.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn begin(&self, notification_id: Uuid, fence: Fence) -> Result<Beginning> {
        self.begin.submit((notification_id, fence)).await
    }

    /// [`mark_handed_off`], committed: after `Marked` the message may be sent.
    ///
    /// # Errors
    /// Those of the database. Whether the mail was marked is then unknown.
    pub async fn mark_handed_off(&self, sending: Sending) -> Result<HandOff> {
        // A batch locks the bookings of its mails in order of id; a mail about several locks its own.
        if sending.shows_several() {
            return self.hand_off.runner.run_alone(sending).await;
        }
        self.hand_off.submit(sending).await
    }

    /// [`accepted`], and the job is completed in the same transaction. If another worker owns the job by now, only the
    /// ledger is written.
    ///
    /// # Errors
    /// Those of the database; the call may be repeated.
    pub async fn accepted(&self, sending: Sending, reply: String, job: JobContext) -> Result<Outcome> {
        self.accept.submit(Accepted { mail: (sending, reply), job }).await
    }
}

/// One step of many mails within a transaction.
trait Step: Clone + Send + Sync + 'static {
    type Mail: Clone + Send + Sync + 'static;
    type Answer: Send + 'static;

    /// The ledger row.
    fn id(mail: &Self::Mail) -> Uuid;

    /// Takes the step. The answers are in the order of the mails.
    fn take(
        &self,
        tx: &mut PgConnection,
        now: DateTime<Utc>,
        mails: &[Self::Mail],
    ) -> impl Future<Output = Result<Vec<Self::Answer>>> + Send;
}

/// The answer of a batch to one mail.
enum Answer<A> {
    Committed(A),
    /// The batch failed and stored nothing.
    NotStored,
    /// The answer to COMMIT was lost.
    Unknown,
}

struct Steps<S: Step> {
    runner: Runner<S>,
    batcher: Batcher<Runner<S>>,
}

#[derive(Clone)]
struct Runner<S> {
    core: Core,
    step: S,
}

impl<S: Step> Steps<S> {
    fn new(core: &Core, step: S) -> Self {
        let runner = Runner { core: core.clone(), step };
        Self { batcher: Batcher::new(runner.clone()), runner }
    }

    async fn submit(&self, mail: S::Mail) -> Result<S::Answer> {
        match self.batcher.submit((mail.clone(), Span::current())).await {
            Some(Answer::Committed(answer)) => Ok(answer),
            // Boxed: a mail that only waits for its batch does not reserve the size of this future.
            Some(Answer::NotStored) => Box::pin(self.runner.run_alone(mail)).await,
            Some(Answer::Unknown) => {
                Err(Error::Unavailable(sqlx::Error::Io(io::Error::other("the answer to COMMIT was lost"))))
            }
            None => Err(Error::internal("a batch of mails", "it panicked")),
        }
    }
}

impl<S: Step> Batch for Runner<S> {
    type Request = (S::Mail, Span);
    type Answer = Answer<S::Answer>;

    async fn run(&self, requests: Vec<(S::Mail, Span)>) -> Vec<Answer<S::Answer>> {
        let (mails, spans): (Vec<S::Mail>, Vec<Span>) = requests.into_iter().unzip();
        let mut committing = false;
        match self.transaction(BEGIN_BRIEF_BATCH, &mails, &mut committing).await {
            Ok((answers, ended)) => {
                for end in ended {
                    // Logged in the trace of the job whose mail it is.
                    let span = mails.iter().zip(&spans).find(|(mail, _)| S::id(mail) == end.id);
                    span.map_or_else(Span::none, |(_, span)| span.clone()).in_scope(|| end.count());
                }
                answers.into_iter().map(Answer::Committed).collect()
            }
            Err(error) => {
                tracing::info!(%error, mails = mails.len(), "a batch of mails failed; each is written by itself");
                let failed = || if committing { Answer::Unknown } else { Answer::NotStored };
                mails.iter().map(|_| failed()).collect()
            }
        }
    }
}

impl<S: Step> Runner<S> {
    async fn run_alone(&self, mail: S::Mail) -> Result<S::Answer> {
        let (answers, ended) = self.transaction(BEGIN, &[mail], &mut false).await?;
        ended.into_iter().for_each(EndedMail::count);
        answers.into_iter().next().ok_or_else(|| Error::internal("a mail's step", "it has no answer"))
    }

    /// Returns the answers, and the ends of mails that were committed.
    async fn transaction(
        &self,
        begin: &'static str,
        mails: &[S::Mail],
        committing: &mut bool,
    ) -> Result<(Vec<S::Answer>, Vec<EndedMail>)> {
        let transaction = async {
            let mut tx = Transaction::begin(&self.core.pool, begin).await?;
            match self.step.take(tx.conn()?, self.core.now(), mails).await {
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

#[derive(Clone)]
struct Begin;

impl Step for Begin {
    type Mail = (Uuid, Fence);
    type Answer = Beginning;

    fn id(mail: &Self::Mail) -> Uuid {
        mail.0
    }

    async fn take(
        &self,
        tx: &mut PgConnection,
        now: DateTime<Utc>,
        mails: &[Self::Mail],
    ) -> Result<Vec<Beginning>> {
        let begun = begin(tx, now, mails).await?;
        let about_bookings: Vec<Uuid> = begun
            .iter()
            .filter_map(|begun| match begun {
                BeginResult::Sending(sending)
                    if sending.booking_id.is_some() && !sending.kind.is_about_several() =>
                {
                    Some(sending.notification_id)
                }
                _ => None,
            })
            .collect();
        let mut facts = facts::load(tx, &about_bookings).await?;
        let facts_of = |begun: &BeginResult| match begun {
            BeginResult::Sending(sending) => facts.remove(&sending.notification_id),
            _ => None,
        };
        let facts: Vec<Option<Facts>> = begun.iter().map(facts_of).collect();
        Ok(begun.into_iter().zip(facts).map(|(begun, facts)| Beginning { begun, facts }).collect())
    }
}

#[derive(Clone)]
struct MarkHandedOff;

impl Step for MarkHandedOff {
    type Mail = Sending;
    type Answer = HandOff;

    fn id(mail: &Self::Mail) -> Uuid {
        mail.notification_id
    }

    async fn take(
        &self,
        tx: &mut PgConnection,
        now: DateTime<Utc>,
        mails: &[Sending],
    ) -> Result<Vec<HandOff>> {
        mark_handed_off(tx, now, mails).await
    }
}

#[derive(Clone)]
struct Accept;

/// A mail that the relay accepted, and its job.
#[derive(Clone)]
struct Accepted {
    mail: (Sending, String),
    job: JobContext,
}

impl Step for Accept {
    type Mail = Accepted;
    type Answer = Outcome;

    fn id(mail: &Self::Mail) -> Uuid {
        mail.mail.0.notification_id
    }

    async fn take(
        &self,
        tx: &mut PgConnection,
        now: DateTime<Utc>,
        mails: &[Accepted],
    ) -> Result<Vec<Outcome>> {
        let replies: Vec<(Sending, String)> = mails.iter().map(|accepted| accepted.mail.clone()).collect();
        let recorded = accepted(&mut *tx, now, &replies).await?;
        for ((sending, _), _) in replies.iter().zip(recorded).filter(|(_, recorded)| !recorded) {
            tracing::warn!(notification_id = %sending.notification_id, "an accepted mail has no ledger row");
        }
        let jobs: Vec<&JobContext> = mails.iter().map(|accepted| &accepted.job).collect();
        let completed = match JobContext::complete_all_in(tx, &jobs).await {
            Ok(completed) => completed,
            Err(punctual_queue::Error::Database(error)) => return Err(error.into()),
            Err(other) => return Err(Error::internal("completing the jobs of mails", other)),
        };
        Ok(completed.into_iter().map(|completed| completed.unwrap_or(Outcome::Done)).collect())
    }
}
