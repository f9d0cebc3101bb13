//! Webhooks: events of the feed, delivered to programs by HTTP.
//!
//! Each endpoint has a position in the feed. [`fan_out`] creates a delivery and its job for every event after that position
//! and moves it, in one transaction. So no event is lost or fanned out twice, and a paused endpoint continues where it
//! stopped. The worker posts the deliveries; the result of each attempt is stored here.

mod attempt;
mod batches;
mod delivery;
mod endpoint;
mod fan_out;
mod manage;
mod payload;
mod secret;
mod source;

pub use attempt::{
    AttemptResult, Attempted, Prepared, SkipReason, end_unposted, job_ended, record_failure, record_successes,
};
pub use batches::DeliveryBatches;
pub use delivery::{
    Delivery, DeliveryStatus, deliveries, delivery, prune, replay_failed, replay_from, replay_one, send_test,
};
pub use endpoint::{Endpoint, EndpointStatus, WebhookUrl};
pub use fan_out::{FannedOut, fan_out};
pub use manage::{
    EndpointChanges, NewEndpoint, SEES_CUSTOMERS, create, get, list, remove, rotate_secret, update,
};
pub use payload::{DeliverWebhook, payload};
pub use secret::{EndpointSecrets, SECRET_PREFIX};
