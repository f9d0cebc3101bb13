//! Webhooks: events of the feed, delivered to programs that want to be told.
//!
//! Each endpoint has a place in the feed. [`fan_out`] makes a delivery and its job for every event after that place and moves the
//! place, in one transaction: an event is neither lost nor delivered twice by us, and an endpoint that was paused goes on where it
//! stopped. The worker posts the deliveries; how each attempt went is kept here.

mod attempt;
mod delivery;
mod endpoint;
mod fan_out;
mod manage;
mod payload;
mod secret;
mod source;

pub use attempt::{AttemptResult, Attempted, Over, Prepared, end_unposted, job_ended, prepare, record};
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
