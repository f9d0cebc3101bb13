//! Group commit of the three steps of a mail. Each mail is fenced separately, and a booking that is locked for long holds up
//! only its own mail.

use chrono::{DateTime, Utc};
use punctual_queue::{JobContext, Outcome};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{BeginResult, Fence, HandOff, Sending, accepted, begin, mark_handed_off};
use crate::group_commit::{GroupCommit, GroupWrite, complete_jobs};
use crate::notifications::facts::{self, Facts};
use crate::{Core, Result};

/// Commits the steps of this process's mails in batches.
pub struct SendingBatches {
    begin: GroupCommit<Begin>,
    hand_off: GroupCommit<MarkHandedOff>,
    accept: GroupCommit<Accept>,
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
            begin: GroupCommit::new(core, Begin),
            hand_off: GroupCommit::new(core, MarkHandedOff),
            accept: GroupCommit::new(core, Accept),
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
            return self.hand_off.write_alone(sending).await;
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

#[derive(Clone)]
struct Begin;

impl GroupWrite for Begin {
    type Item = (Uuid, Fence);
    type Answer = Beginning;

    fn id(mail: &Self::Item) -> Uuid {
        mail.0
    }

    async fn write(
        &self,
        tx: &mut PgConnection,
        now: DateTime<Utc>,
        mails: &[Self::Item],
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
        let mut facts = facts::load(tx, now, &about_bookings).await?;
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

impl GroupWrite for MarkHandedOff {
    type Item = Sending;
    type Answer = HandOff;

    fn id(mail: &Self::Item) -> Uuid {
        mail.notification_id
    }

    async fn write(
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

impl GroupWrite for Accept {
    type Item = Accepted;
    type Answer = Outcome;

    fn id(mail: &Self::Item) -> Uuid {
        mail.mail.0.notification_id
    }

    async fn write(
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
        complete_jobs(tx, &jobs).await
    }
}
