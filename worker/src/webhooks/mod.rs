//! Webhooks: creates deliveries from the feed and posts them.

mod deliver;
mod fan_out;
mod hosts;

use std::sync::Arc;
use std::time::Duration;

use punctual_core::Core;
use punctual_core::config::Keys;
use punctual_core::webhooks::DeliveryBatches;
use punctual_outbound::{Networks, Outbound, SystemLookup};
use punctual_queue::Limit;

pub use deliver::{QUEUE, kind};
pub use fan_out::run_fan_out;
use hosts::Hosts;

/// How long one attempt may take, from the lookup to the end of the answer.
const DEADLINE: Duration = Duration::from_secs(15);
/// How much of an answer is read and kept, in bytes.
const MAX_ANSWER_BYTES: usize = 1024;
/// Deliveries that one worker posts at a time. Most of their time is waiting for an answer.
pub const CONCURRENCY: u32 = 512;

/// Deliveries of one endpoint that start each second, over all workers.
pub const ENDPOINT_LIMIT: Limit = Limit::per_second(50).burst(50);

/// Dependencies of posting; one per process. Cheap to clone.
#[derive(Clone)]
pub struct Webhooks {
    outbound: Outbound,
    batches: Arc<DeliveryBatches>,
    hosts: Arc<Hosts>,
}

impl Webhooks {
    /// Posts to public addresses and to these private networks; secrets are derived from `keys`.
    ///
    /// # Errors
    /// When TLS can't be set up.
    pub fn new(
        core: &Core,
        networks: Vec<ipnet::IpNet>,
        keys: Arc<Keys>,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let outbound = Outbound::new(Networks::new(networks), SystemLookup, DEADLINE, MAX_ANSWER_BYTES)?;
        Ok(Self { outbound, batches: Arc::new(DeliveryBatches::new(core, keys)), hosts: Arc::default() })
    }
}
