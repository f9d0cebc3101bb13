//! Periodic work on the domain, as jobs that the leader enqueues.

use punctual_core::notifications::{self, SendNotification};
use punctual_core::{Core, Error, bookings, changes, idempotency, operators, privacy, sessions, webhooks};
use punctual_queue::{Data, JobContext, Outcome, Payload};
use serde::{Deserialize, Serialize};

use crate::metrics;

/// Their queue.
pub const QUEUE: &str = "sweeps";

macro_rules! sweep {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, Serialize, Deserialize)]
        pub struct $name {}

        impl Payload for $name {
            const KIND: &'static str = $kind;
            const QUEUE: &'static str = QUEUE;
            // The next run follows anyway.
            const MAX_ATTEMPTS: i32 = 3;
        }
    };
}

sweep! {
    /// Enqueues the mails that are due soon.
    EnqueueDue, "mail.enqueue_due.v1"
}
sweep! {
    /// Ends holds that have expired.
    ExpireHolds, "booking.expire_holds.v1"
}
sweep! {
    /// Ends pending bookings whose start has passed.
    ExpirePending, "booking.expire_pending.v1"
}
sweep! {
    /// Completes past bookings that staff did not mark.
    CompletePast, "booking.complete_past.v1"
}
sweep! {
    /// Samples the queues for the charts of the ops page.
    SampleQueues, "queue.sample.v1"
}

sweep! {
    /// Erases customers whose retention period is over.
    EraseOutdated, "customer.erase_outdated.v1"
}
sweep! {
    /// Removes expired idempotent responses and sessions.
    Tidy, "core.tidy.v1"
}

/// Most customers that one run erases; the next run continues.
const MAX_ERASED_PER_RUN: u64 = 5000;

pub async fn enqueue_due(_: EnqueueDue, ctx: JobContext, core: Data<Core>) -> Result<Outcome, Error> {
    let enqueued = notifications::enqueue_due(&core.pool, core.now()).await?;
    if enqueued > 0 {
        ctx.wake(SendNotification::QUEUE);
        tracing::debug!(enqueued, "mails enqueued");
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
    let done = privacy::erase_outdated(&core, MAX_ERASED_PER_RUN).await?;
    if done.erased > 0 {
        metrics::customers_erased(done.erased);
        tracing::info!(
            erased = done.erased,
            more = done.more,
            "customers past their retention period were erased"
        );
    }
    Ok(Outcome::Done)
}

pub async fn tidy(_: Tidy, core: Data<Core>) -> Result<Outcome, Error> {
    let (pool, now) = (&core.pool, core.now());
    let (answers, tokens) = (idempotency::prune(pool, now).await?, sessions::prune(pool, now).await?);
    let (events, deliveries) = (changes::remove_old(pool, now).await?, webhooks::prune(pool, now).await?);
    tracing::debug!(answers, tokens, events, deliveries, "expired rows removed");
    Ok(Outcome::Done)
}

pub async fn sample_queues(_: SampleQueues, core: Data<Core>) -> Result<Outcome, Error> {
    operators::sample(&core).await?;
    Ok(Outcome::Done)
}
