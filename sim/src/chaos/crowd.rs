//! Nearly a thousand endpoints that are told of one type of event; a tenth of them never answers.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use punctual_testkit::webhook_receiver::{Answering, WebhookReceiver};
use sqlx::PgPool;

use super::Result;
use super::customers::ApiClient;
use crate::checker::Pushed;

/// The type: the load makes no such event.
pub const EVENT_TYPE: &str = "service.updated";
/// With the others nearly as many as a business may have.
const ENDPOINTS: u16 = 990;
/// Every so many endpoints one never answers.
const DEAD_EVERY: u16 = 10;

/// The endpoints. Each has an address of its own, so that each is a host of its own.
pub struct Crowd {
    /// The one receiver of all that answer.
    pub good: WebhookReceiver,
    /// Ids of the endpoints that answer.
    pub ids: Vec<String>,
    addresses: Vec<Ipv4Addr>,
}

impl Crowd {
    /// Makes the endpoints.
    pub async fn open(api_client: &ApiClient) -> Result<Self> {
        let good = WebhookReceiver::start_on(Ipv4Addr::UNSPECIFIED).await;
        let dead = WebhookReceiver::start_on(Ipv4Addr::UNSPECIFIED).await;
        dead.usually([Answering::Never]);
        let (mut ids, mut addresses) = (Vec::new(), Vec::new());
        for number in 0..ENDPOINTS {
            let [high, low] = number.to_be_bytes();
            let address = Ipv4Addr::new(127, 2, high, low);
            if number % DEAD_EVERY == 0 {
                api_client.add_webhook(&dead.url_at(address), &[EVENT_TYPE]).await?;
            } else {
                ids.push(api_client.add_webhook(&good.url_at(address), &[EVENT_TYPE]).await?);
                addresses.push(address);
            }
        }
        Ok(Self { good, ids, addresses })
    }

    /// Makes an event.
    pub async fn change(pool: &PgPool) -> Result<()> {
        let changed = "UPDATE services SET updated_at = clock_timestamp() WHERE id = (SELECT min(id::text)::uuid FROM services)";
        sqlx::query(changed).execute(pool).await?;
        Ok(())
    }

    /// What each endpoint that answers received.
    pub fn pushed(&self) -> Vec<Vec<Pushed>> {
        let mut by_host: BTreeMap<String, Vec<Pushed>> =
            self.addresses.iter().map(|address| (address.to_string(), Vec::new())).collect();
        for request in self.good.received() {
            let host = request.header("host").split(':').next().unwrap_or_default().to_owned();
            by_host.entry(host).or_default().push(Pushed::from(&request));
        }
        by_host.into_values().collect()
    }
}
