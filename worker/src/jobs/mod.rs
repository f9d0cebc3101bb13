//! All kinds of job and all periodic jobs of the worker, in one list.

mod ledger;
mod send_notification;
mod sweeps;

use std::time::Duration;

use punctual_core::Core;
use punctual_core::notifications::SendNotification;
use punctual_queue::runtime::Builder;
use punctual_queue::{Job, Kind, Payload, Periodic, Queue};

use crate::webhooks::{self, Webhooks};
pub use send_notification::Mailer;
use sweeps::{CompletePast, EnqueueDue, EraseOutdated, ExpireHolds, ExpirePending, SampleQueues, Tidy};

/// Registers queues, kinds of job with their handlers, and periodic jobs. `concurrency` is the most mails under way at a time.
pub fn register(
    builder: Builder,
    core: &Core,
    mailer: Mailer,
    webhooks: Webhooks,
    concurrency: u32,
) -> Builder {
    let capacity = mailer.relay.mails_at_once();
    builder
        .data(core.clone())
        .data(mailer)
        .data(webhooks)
        .queue(Queue::new(SendNotification::QUEUE).concurrency(concurrency).capacity(capacity).weight(4))
        .queue(Queue::new(sweeps::QUEUE).concurrency(2))
        .queue(
            Queue::new(webhooks::QUEUE)
                .concurrency(webhooks::CONCURRENCY)
                .key_limit(webhooks::ENDPOINT_LIMIT),
        )
        .kind(send_notification::kind(core))
        .on_unknown(send_notification::on_unknown(core))
        .kind(webhooks::kind())
        .kind(Kind::new::<EnqueueDue, _, _>(sweeps::enqueue_due))
        .kind(Kind::new::<ExpireHolds, _, _>(sweeps::expire_holds))
        .kind(Kind::new::<ExpirePending, _, _>(sweeps::expire_pending))
        .kind(Kind::new::<CompletePast, _, _>(sweeps::complete_past))
        .kind(Kind::new::<EraseOutdated, _, _>(sweeps::erase_outdated))
        .kind(Kind::new::<Tidy, _, _>(sweeps::tidy))
        .kind(Kind::new::<SampleQueues, _, _>(sweeps::sample_queues))
        .periodic(periodic::<EnqueueDue>(Duration::from_secs(30)))
        .periodic(periodic::<ExpireHolds>(Duration::from_mins(1)))
        .periodic(periodic::<ExpirePending>(Duration::from_mins(1)))
        .periodic(periodic::<CompletePast>(Duration::from_mins(15)))
        .periodic(periodic::<EraseOutdated>(Duration::from_hours(1)))
        .periodic(periodic::<Tidy>(Duration::from_hours(1)))
        .periodic(periodic::<SampleQueues>(Duration::from_secs(30)))
}

/// Enqueues a job of this kind at each interval.
fn periodic<P: Payload + Default>(every: Duration) -> Periodic {
    Periodic::every(P::KIND, every, |_| Job::new(&P::default()))
}
