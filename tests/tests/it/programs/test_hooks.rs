//! A salon with a worker that may post to 127.0.0.1, and endpoints at receivers of the test.

use std::fmt::Write as _;
use std::ops::Deref;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use punctual_core::changes::EventType;
use punctual_core::config::{Config, Keys};
use punctual_core::types::{PageSize, Reason};
use punctual_core::webhooks::{self, Delivery, Endpoint, NewEndpoint, WebhookUrl};
use punctual_testkit::webhook_receiver::Received;
use punctual_testkit::{TestRedis, wait_for};
use serde_json::Value;
use sha2::Sha256;
use sqlx::PgPool;
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

/// A salon whose workers count limits in Redis: there an endpoint's first deliveries wait for nothing, while a worker
/// alone would let each wait for a few milliseconds of the test's clock, which stands.
pub struct Hooks {
    test: TestWorker,
    redis: TestRedis,
}

impl Hooks {
    /// A worker with these settings.
    pub async fn hire_worker_with(&mut self, settings: &[(&str, &str)]) {
        let url = self.redis.url();
        let settings: Vec<_> = settings.iter().copied().chain([("REDIS_URL", url.as_str())]).collect();
        self.test.hire_worker_with(&settings).await;
    }

    /// Stops the workers.
    pub async fn close(self) {
        self.test.close().await;
    }
}

impl Deref for Hooks {
    type Target = TestWorker;

    fn deref(&self) -> &TestWorker {
        &self.test
    }
}

/// A salon without a worker; `None`, with a notice, where there is no Redis.
pub async fn without_worker() -> Option<Hooks> {
    Some(Hooks { redis: TestRedis::start().await?, test: TestWorker::without_worker().await })
}

/// A salon with a worker that may post to this machine; `None`, with a notice, where there is no Redis.
pub async fn open() -> Option<Hooks> {
    let mut hooks = without_worker().await?;
    hooks.hire_worker_with(&[LOCAL]).await;
    Some(hooks)
}

/// An endpoint for bookings at this URL, with its secret.
pub async fn endpoint(salon: &Salon, url: &str) -> (Endpoint, String) {
    let new = NewEndpoint {
        url: WebhookUrl::parse(url).unwrap(),
        description: Reason::default(),
        types: EventType::ALL
            .iter()
            .copied()
            .filter(|event_type| event_type.as_str().starts_with("booking."))
            .collect(),
        include_customer: false,
    };
    let (endpoint, secrets) = webhooks::create(&salon.core, &keys(), new, true).await.unwrap();
    (endpoint, secrets.display())
}

/// Waits until no committed event is hidden: tests beside this one hold transactions open on the same server.
pub async fn until_readable(pool: &PgPool) {
    wait_for("the feed to show all that was committed", async || {
        let hidden: i64 = sqlx::query_scalar(
            "SELECT (SELECT count(*) FROM booking_events WHERE xid >= pg_snapshot_xmin(pg_current_snapshot()))
                  + (SELECT count(*) FROM catalogue_events WHERE xid >= pg_snapshot_xmin(pg_current_snapshot()))",
        )
        .fetch_one(pool)
        .await
        .unwrap();
        if hidden == 0 { Ok(()) } else { Err(hidden) }
    })
    .await;
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
