//! A salon with a worker that may post to 127.0.0.1, and endpoints at receivers of the test.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use punctual_core::config::{Config, Keys};
use punctual_core::types::{PageSize, Reason};
use punctual_core::webhooks::{self, Delivery, Endpoint, NewEndpoint, WebhookUrl};
use punctual_testkit::wait_for;
use punctual_testkit::webhook_receiver::{Received, WebhookReceiver};
use serde_json::Value;
use sha2::Sha256;
use uuid::Uuid;

use crate::core::salon::Salon;
use crate::mails::test_worker::TestWorker;

/// The private network of the receivers.
pub const LOCAL: (&str, &str) = ("PUNCTUAL_WEBHOOK_NETWORKS", "127.0.0.0/8");

/// The keys of the worker.
pub fn keys() -> Keys {
    let variables = [("PUNCTUAL_LINK_KEYS".to_owned(), Keys::write_local(1, &[7; 32]))];
    let config = Config::parse(variables.into(), |_| Err(std::io::ErrorKind::NotFound.into())).unwrap();
    config.link_keys().unwrap().clone()
}

/// A salon with a worker that may post to this machine.
pub async fn open() -> TestWorker {
    let mut test = TestWorker::without_worker().await;
    test.hire_worker_with(&[LOCAL]).await;
    test
}

/// An endpoint for bookings at this URL, with its secret.
pub async fn endpoint(salon: &Salon, url: &str) -> (Endpoint, String) {
    let new = NewEndpoint {
        url: WebhookUrl::parse(url).unwrap(),
        description: Reason::default(),
        types: Vec::new(),
        include_customer: false,
    };
    let (endpoint, secrets) = webhooks::create(&salon.core, &keys(), new).await.unwrap();
    (endpoint, secrets.display())
}

/// The deliveries of an endpoint, the newest first, once they fit.
pub async fn deliveries_that(
    salon: &Salon,
    endpoint: Uuid,
    fit: impl Fn(&[Delivery]) -> bool,
) -> Vec<Delivery> {
    wait_for("the deliveries", async || {
        let page = webhooks::deliveries(&salon.core.pool, endpoint, None, PageSize::default(), None);
        let found = page.await.unwrap().data;
        if fit(&found) { Ok(found) } else { Err(found) }
    })
    .await
}

/// Waits until this many webhooks of bookings arrived; those of the catalogue are left out.
pub async fn bookings(receiver: &WebhookReceiver, count: usize) -> Vec<Received> {
    wait_for(format!("{count} webhooks of bookings"), async || {
        let of_bookings = |received: &Received| body(received)["data"]["booking"].is_object();
        let found: Vec<_> = receiver.received().into_iter().filter(of_bookings).collect();
        if found.len() == count { Ok(found) } else { Err(found) }
    })
    .await
}

pub fn body(received: &Received) -> Value {
    serde_json::from_slice(&received.body).unwrap()
}

/// Whether a signature of this secret is among those of the request, by an HMAC of the test's own.
pub fn is_signed_by(received: &Received, secret: &str) -> bool {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    let mut signed = String::new();
    write!(signed, "{}.{}.", received.header("webhook-id"), received.header("webhook-timestamp")).unwrap();
    mac.update(signed.as_bytes());
    mac.update(&received.body);
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    received.header("webhook-signature").split(' ').any(|signature| signature == expected)
}
