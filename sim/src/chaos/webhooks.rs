//! Receivers of webhooks, good and bad, and the events that the good ones received.

use std::net::Ipv4Addr;
use std::time::Duration;

use punctual_testkit::webhook_receiver::{Answering, WebhookReceiver};
use punctual_testkit::{WAIT_TIMEOUT, try_wait_for};
use reqwest::Method;
use serde_json::Value;
use sqlx::PgPool;
use tokio::net::TcpSocket;

use super::Result;
use super::crowd::{Crowd, EVENT_TYPE};
use super::customers::ApiClient;
use crate::checker::{EndpointObservations, Pushed, WebhookObservations};

/// How long the slow receiver takes: its requests pile up.
const SLOW: Duration = Duration::from_millis(700);
/// Events of the bad receivers: few, so that their retries stay a small part of the load.
const FEW: [&str; 1] = ["booking.cancelled"];
/// Answers that are no proper HTTP, or none that means success.
const INVALID_ANSWERS: [Answering; 8] = [
    Answering::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nshort"),
    Answering::Raw(b"SSH-2.0-OpenSSH_9.2\r\n"),
    Answering::Raw(b""),
    Answering::Raw(b"HTTP/1.1 999 \xff\xfe\r\nContent-Length: 0\r\n\r\n"),
    Answering::Raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    Answering::Raw(b"HTTP/1.1 429 Later\r\nRetry-After: -1\r\nContent-Length: 0\r\n\r\n"),
    Answering::Raw(b"HTTP/1.1 500 No\r\nContent-Length: 4\r\n\r\n\0\0\0\0"),
    Answering::Status(503, "Retry-After: 99999999999999999999\r\n"),
];

/// The endpoints and their receivers.
pub struct Webhooks {
    /// Two that answer at once. They must receive every event.
    pub good: [WebhookReceiver; 2],
    /// The ids of their endpoints.
    ids: Vec<String>,
    /// Nearly a thousand more, once a fault needs them.
    crowd: Option<Crowd>,
    /// Where redirects lead; nothing may arrive here.
    trap: WebhookReceiver,
    /// The address of an endpoint that refuses connections: bound and not listening.
    _refusing: TcpSocket,
    /// The feed's cursor when the endpoints were made.
    begin: String,
}

impl Webhooks {
    /// Makes the endpoints. No worker may run yet: the feed is compared from where the good ones begin.
    pub async fn open(api_client: &ApiClient, pool: &PgPool) -> Result<Self> {
        let good = [WebhookReceiver::start().await, WebhookReceiver::start().await];
        let mut ids = Vec::new();
        for receiver in &good {
            ids.push(api_client.add_webhook(&receiver.url(), &[]).await?);
        }
        let begin: String = sqlx::query_scalar(
            "SELECT concat(cursor_xid, '-', cursor_id) FROM webhook_endpoints
             ORDER BY cursor_xid DESC, cursor_id DESC LIMIT 1",
        )
        .fetch_one(pool)
        .await?;
        let slow = WebhookReceiver::start().await;
        slow.usually([Answering::Slow(SLOW)]);
        let liar = WebhookReceiver::start().await;
        liar.usually(INVALID_ANSWERS);
        let (redirecting, trap) = (WebhookReceiver::start().await, WebhookReceiver::start().await);
        let location: &str = format!("Location: {}\r\n", trap.url()).leak();
        redirecting.usually([301, 302, 303, 307, 308].map(|status| Answering::Status(status, location)));
        for receiver in [slow, liar, redirecting] {
            api_client.add_webhook(&receiver.url(), &FEW).await?;
        }
        let refusing = TcpSocket::new_v4()?;
        refusing.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        api_client.add_webhook(&format!("http://{}/hook", refusing.local_addr()?), &FEW).await?;
        Ok(Self { good, ids, crowd: None, trap, _refusing: refusing, begin })
    }

    /// The endpoints of the crowd, made at the first call.
    pub async fn crowd(&mut self, api_client: &ApiClient) -> Result<&Crowd> {
        let crowd = match self.crowd.take() {
            Some(crowd) => crowd,
            None => Crowd::open(api_client).await?,
        };
        Ok(self.crowd.insert(crowd))
    }

    /// Forgets all scripts.
    pub fn heal(&self) {
        for receiver in &self.good {
            receiver.clear();
            receiver.release();
        }
    }

    /// Waits until the good endpoints received all events, then reads the feed and what they received.
    pub async fn told(
        &self,
        api_client: &ApiClient,
        pool: &PgPool,
    ) -> std::result::Result<WebhookObservations, Vec<String>> {
        let owed = "SELECT format('event %s of endpoint %s is %s after %s attempts: %s', d.event_id, d.endpoint_id, d.status,
                                  d.attempts, coalesce(d.error, ''))
                    FROM webhook_deliveries d WHERE d.endpoint_id::text = ANY ($1) AND d.status <> 'delivered'
                    UNION ALL
                    SELECT format('endpoint %s is %s, with events after its place in the feed', w.id, w.status)
                    FROM webhook_endpoints w WHERE w.id::text = ANY ($1) AND EXISTS (
                        SELECT FROM (SELECT xid, id FROM booking_events UNION ALL
                                     SELECT xid, id FROM catalogue_events) AS e
                        WHERE (e.xid, e.id) > (w.cursor_xid, w.cursor_id))
                    LIMIT 5";
        let ids: Vec<&String> =
            self.ids.iter().chain(self.crowd.iter().flat_map(|crowd| &crowd.ids)).collect();
        let delivered = try_wait_for(WAIT_TIMEOUT, async || {
            let found: sqlx::Result<Vec<String>> = sqlx::query_scalar(owed).bind(&ids).fetch_all(pool).await;
            match found {
                Ok(owed) if owed.is_empty() => Ok(()),
                found => Err(found),
            }
        });
        delivered
            .await
            .map_err(|owed| vec![format!("good endpoints were not told of all events: {owed}")])?;
        let fed = self.feed(api_client).await.map_err(|error| vec![format!("the feed: {error}")])?;
        let good = self.good.iter().map(|receiver| EndpointObservations {
            event_type: None,
            pushed: receiver.received().iter().map(Pushed::from).collect(),
        });
        let crowd = self
            .crowd
            .iter()
            .flat_map(Crowd::pushed)
            .map(|pushed| EndpointObservations { event_type: Some(EVENT_TYPE), pushed });
        Ok(WebhookObservations {
            endpoints: good.chain(crowd).collect(),
            fed,
            trapped: self.trap.received().len(),
        })
    }

    /// All events since the endpoints were made.
    async fn feed(&self, api_client: &ApiClient) -> Result<Vec<Value>> {
        let (mut events, mut after) = (Vec::new(), self.begin.clone());
        loop {
            let path = format!("/v1/events?limit=100&after={after}");
            let page = api_client.request(Method::GET, &path, &Value::Null).await?;
            events.extend(page["data"].as_array().into_iter().flatten().cloned());
            page["next_cursor"].as_str().unwrap_or_default().clone_into(&mut after);
            if page["has_more"] != true {
                return Ok(events);
            }
        }
    }
}
