//! What time does to the domain, as jobs that the leader enqueues.

use punctual_core::notifications::{self, SendNotification};
use punctual_core::{Core, Error, bookings, idempotency, operators, privacy, sessions};
use punctual_queue::{Data, JobContext, Outcome, Payload};
use serde::{Deserialize, Serialize};

use crate::metrics;

/// Where they wait.
pub const QUEUE: &str = "sweeps";

macro_rules! sweep {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, Serialize, Deserialize)]
        pub struct $name {}

        impl Payload for $name {
            const KIND: &'static str = $kind;
            const QUEUE: &'static str = QUEUE;
            // The next tick tries again.
            const MAX_ATTEMPTS: i32 = 3;
        }
    };
}

sweep! {
    /// Hands over to the queue the mails that fall due.
    EnqueueDue, "mail.enqueue_due.v1"
}
sweep! {
    /// Ends holds that ran out.
    ExpireHolds, "booking.expire_holds.v1"
}
sweep! {
    /// Ends pending bookings whose start has come.
    ExpirePending, "booking.expire_pending.v1"
}
sweep! {
    /// Completes bookings nobody has judged.
    CompletePast, "booking.complete_past.v1"
}
sweep! {
    /// Looks at the queues for the pictures of the ops page.
    SampleQueues, "queue.sample.v1"
}

sweep! {
    /// Erases customers whom the business keeps no longer.
    EraseOutdated, "customer.erase_outdated.v1"
}
sweep! {
    /// Removes stored answers and sessions that have run out.
    Tidy, "core.tidy.v1"
}

/// How many customers one run erases at most; the next goes on.
const ERASED_AT_ONCE: u64 = 5000;

pub async fn enqueue_due(_: EnqueueDue, ctx: JobContext, core: Data<Core>) -> Result<Outcome, Error> {
    let enqueued = notifications::enqueue_due(&core.pool, core.now()).await?;
    if enqueued > 0 {
        ctx.wake(SendNotification::QUEUE);
        tracing::debug!(enqueued, "mails fall due");
    }
    Ok(Outcome::Done)
}

pub async fn expire_holds(_: ExpireHolds, core: Data<Core>) -> Result<Outcome, Error> {
    bookings::expire_holds(&core).await?;
    Ok(Outcome::Done)
}

pub async fn expire_pending(_: ExpirePending, core: Data<Core>) -> Result<Outcome, Error> {
    bookings::expire_pending(&core).await?;
    Ok(Outcome::Done)
}

pub async fn complete_past(_: CompletePast, core: Data<Core>) -> Result<Outcome, Error> {
    bookings::complete_past(&core).await?;
    Ok(Outcome::Done)
}

pub async fn erase_outdated(_: EraseOutdated, core: Data<Core>) -> Result<Outcome, Error> {
    let kept = privacy::erase_outdated(&core, ERASED_AT_ONCE).await?;
    if kept.erased > 0 {
        metrics::customers_erased(kept.erased);
        tracing::info!(erased = kept.erased, more = kept.more, "customers are kept no longer");
    }
    Ok(Outcome::Done)
}

pub async fn tidy(_: Tidy, core: Data<Core>) -> Result<Outcome, Error> {
    let (answers, tokens) =
        (idempotency::prune(&core.pool, core.now()).await?, sessions::prune(&core.pool, core.now()).await?);
    tracing::debug!(answers, tokens, "what had run out was removed");
    Ok(Outcome::Done)
}

pub async fn sample_queues(_: SampleQueues, core: Data<Core>) -> Result<Outcome, Error> {
    operators::sample(&core).await?;
    Ok(Outcome::Done)
}
