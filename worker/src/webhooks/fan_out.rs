use std::time::Duration;

use punctual_core::{Core, changes, webhooks};
use tokio_util::sync::CancellationToken;

use crate::metrics;

/// Between checks for new events.
const INTERVAL: Duration = Duration::from_millis(250);
/// Timeout of one check.
const DEADLINE: Duration = Duration::from_secs(20);
/// Checks between measurements of the feed's lag.
const LAG_EVERY: u32 = 10;

/// Creates deliveries of new events until it is stopped. Every worker runs it; they share the endpoints by row locks.
pub async fn run_fan_out(core: Core, stop: CancellationToken) {
    let mut failing = false;
    let mut looks = 0_u32;
    loop {
        let made = tokio::time::timeout(DEADLINE, webhooks::fan_out(&core)).await;
        let more = match made {
            Ok(Ok(made)) => {
                failing = false;
                metrics::webhook_deliveries_made(made.deliveries);
                made.endpoints > 0
            }
            Ok(Err(error)) => {
                if !failing {
                    tracing::warn!(%error, "webhook deliveries cannot be made from the feed: trying until they can");
                }
                failing = true;
                false
            }
            Err(_) => {
                tracing::warn!("making webhook deliveries from the feed took too long");
                false
            }
        };
        looks = looks.wrapping_add(1);
        if looks.is_multiple_of(LAG_EVERY)
            && let Ok(lag) = changes::lag(&core.pool, core.now()).await
        {
            metrics::feed_lag(lag);
        }
        if stop.is_cancelled() {
            return;
        }
        if !more && tokio::time::timeout(INTERVAL, stop.cancelled()).await.is_ok() {
            return;
        }
    }
}
