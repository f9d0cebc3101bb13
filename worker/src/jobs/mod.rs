//! Every job the worker runs, in one list, and what it does by the clock.

mod send_notification;
mod sending;
mod sweeps;

use std::time::Duration;

use punctual_core::Core;
use punctual_core::notifications::SendNotification;
use punctual_queue::runtime::Builder;
use punctual_queue::{Job, Kind, Payload, Periodic, Queue};

pub use send_notification::Mailer;
use sweeps::{CompletePast, EnqueueDue, EraseOutdated, ExpireHolds, ExpirePending, SampleQueues, Tidy};

/// Registers the queues, the kinds of job with their handlers, and the periodic jobs.
pub fn register(builder: Builder, core: &Core, mailer: Mailer, concurrency: u32) -> Builder {
    builder
        .data(core.clone())
        .data(mailer)
        .queue(Queue::new(SendNotification::QUEUE).concurrency(concurrency).weight(4))
        .queue(Queue::new(sweeps::QUEUE).concurrency(2))
        .kind(send_notification::kind(core))
        .on_unknown(send_notification::on_unknown(core))
        .kind(Kind::new::<EnqueueDue, _, _>(sweeps::enqueue_due))
        .kind(Kind::new::<ExpireHolds, _, _>(sweeps::expire_holds))
        .kind(Kind::new::<ExpirePending, _, _>(sweeps::expire_pending))
        .kind(Kind::new::<CompletePast, _, _>(sweeps::complete_past))
        .kind(Kind::new::<EraseOutdated, _, _>(sweeps::erase_outdated))
        .kind(Kind::new::<Tidy, _, _>(sweeps::tidy))
        .kind(Kind::new::<SampleQueues, _, _>(sweeps::sample_queues))
        .periodic(each::<EnqueueDue>(Duration::from_secs(30)))
        .periodic(each::<ExpireHolds>(Duration::from_mins(1)))
        .periodic(each::<ExpirePending>(Duration::from_mins(1)))
        .periodic(each::<CompletePast>(Duration::from_mins(15)))
        .periodic(each::<EraseOutdated>(Duration::from_hours(1)))
        .periodic(each::<Tidy>(Duration::from_hours(1)))
        .periodic(each::<SampleQueues>(Duration::from_secs(30)))
}

/// A job of this kind for each tick.
fn each<P: Payload + Default>(every: Duration) -> Periodic {
    Periodic::every(P::KIND, every, |_| Job::new(&P::default()))
}
