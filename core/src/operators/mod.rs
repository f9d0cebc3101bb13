//! What operators can see and change in the queue. Every change is recorded in the same transaction.

mod act;
mod act_on_all;
mod action;
mod actions;
mod bookings;
mod samples;
mod see;

pub use act::act;
pub use act_on_all::{MAX_JOBS_AT_ONCE, Tally, act_on_all};
pub use action::{Action, Operator, OperatorAction, OperatorKind, QueueLimits, Verb};
pub use actions::actions;
pub use bookings::bookings_of;
pub use samples::{QueueSample, history, sample};
pub use see::{JobsWanted, MailStatus, job, jobs, mails, periodic, queues, workers};

use punctual_queue::Payload as _;

use crate::notifications::SendNotification;
use crate::webhooks::DeliverWebhook;

/// The queues of mails and webhooks: they can be paused and limited before their first job.
const OWN_QUEUES: [&str; 2] = [SendNotification::QUEUE, DeliverWebhook::QUEUE];
