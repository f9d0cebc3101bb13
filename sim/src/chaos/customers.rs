//! Customers who book, move and cancel over HTTP during faults, with a record of the answers. A request without an
//! answer is repeated with the same key until it gets one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{NaiveDate, TimeDelta};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Result;

/// First day of bookings, in days from now: the workers' clock runs fast.
const FIRST_DAY: i64 = 25;
const DAYS: i64 = 20;
/// A customer without an answer for this long counts as a violation.
const WAIT_TIMEOUT: Duration = Duration::from_secs(40);
/// Between attempts.
const RETRY_DELAY: Duration = Duration::from_millis(200);
/// Interval and timeout of the readiness probes, as a load balancer makes them.
const PROBE_INTERVAL: Duration = Duration::from_millis(100);
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);
/// Timeout of one attempt.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);

/// The answers received so far.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// The last revision and status of each booking.
    pub bookings: HashMap<String, (i64, String)>,
    /// Violations: a 500, or no answer.
    pub violations: Vec<String>,
    /// Requests, answered ones among them, and attempts that failed and were repeated.
    pub requests: u64,
    pub answered: u64,
    pub repeated: u64,
}

/// The customers' access to the api, with an administrator's rights. Clones share their state.
#[derive(Clone)]
pub struct ApiClient {
    /// Base URLs of the apis that are ready.
    ready: Arc<Mutex<Vec<String>>>,
    turn: Arc<AtomicUsize>,
    pub token: String,
    pub service: String,
    pub staff: Vec<String>,
    today: NaiveDate,
    client: Client,
    observed: Arc<Mutex<Observed>>,
}

impl ApiClient {
    pub fn new(url: &str, today: NaiveDate) -> Self {
        Self {
            ready: Arc::new(Mutex::new(vec![url.to_owned()])),
            turn: Arc::default(),
            token: String::new(),
            service: String::new(),
            staff: Vec::new(),
            today,
            client: Client::new(),
            observed: Arc::default(),
        }
    }

    /// The next api in round-robin order.
    fn server(&self) -> String {
        let ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        ready.get(turn % ready.len().max(1)).cloned().unwrap_or_default()
    }

    /// Probes the readiness of these apis in a loop.
    pub async fn watch(self, urls: Vec<String>) {
        let probe = Client::new();
        loop {
            let mut ready = Vec::new();
            for url in &urls {
                let answer = probe.get(format!("{url}/readyz")).timeout(PROBE_TIMEOUT).send().await;
                if answer.is_ok_and(|answer| answer.status().is_success()) {
                    ready.push(url.clone());
                }
            }
            // Without any ready api the list stays as it was, as a load balancer does.
            if !ready.is_empty() {
                *self.ready.lock().unwrap_or_else(PoisonError::into_inner) = ready;
            }
            tokio::time::sleep(PROBE_INTERVAL).await;
        }
    }

    /// Waits until this many apis are ready.
    pub async fn wait_for_ready(&self, apis: usize) {
        while self.ready.lock().unwrap_or_else(PoisonError::into_inner).len() < apis {
            tokio::time::sleep(PROBE_INTERVAL).await;
        }
    }

    pub fn observed(&self) -> Observed {
        self.known().clone()
    }

    fn known(&self) -> MutexGuard<'_, Observed> {
        self.observed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes an endpoint of webhooks for events of these types (none: all); returns its id.
    pub async fn add_webhook(&self, url: &str, types: &[&str]) -> Result<String> {
        let made = self.request(Method::POST, "/v1/webhooks", &json!({ "url": url, "types": types })).await?;
        Ok(made["endpoint"]["id"].as_str().unwrap_or_default().to_owned())
    }

    /// One attempt; any answer but a success is an error.
    pub async fn request(&self, method: Method, path: &str, body: &Value) -> Result<Value> {
        let (status, answer) = self.send(method, path, None, None, body).await?;
        if status.is_success() { Ok(answer) } else { Err(format!("{path}: {status} {answer}").into()) }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        rev: Option<i64>,
        body: &Value,
    ) -> reqwest::Result<(StatusCode, Value)> {
        let mut request =
            self.client.request(method.clone(), format!("{}{path}", self.server())).timeout(ATTEMPT_TIMEOUT);
        if method != Method::GET && !body.is_null() {
            request = request.json(body);
        }
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(rev) = rev {
            request = request.header("If-Match", format!("\"{rev}\""));
        } else if method == Method::PUT {
            request = request.header("If-Match", "*");
        }
        let answer = request.send().await?;
        let status = answer.status();
        Ok((status, answer.json().await?))
    }

    /// Repeats a request until its answer is final.
    async fn request_until_answered(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        rev: Option<i64>,
        body: &Value,
    ) -> Option<(StatusCode, Value)> {
        self.known().requests += 1;
        let began = Instant::now();
        loop {
            let why = match self.send(method.clone(), path, key, rev, body).await {
                Ok((StatusCode::INTERNAL_SERVER_ERROR, answer)) => {
                    self.known().violations.push(format!("{method} {path} was answered with {answer}"));
                    answer.to_string()
                }
                Ok((status, answer)) if is_for_now(status, &answer) => answer.to_string(),
                Ok(answer) => {
                    self.known().answered += 1;
                    return Some(answer);
                }
                Err(error) => error.to_string(),
            };
            if began.elapsed() > WAIT_TIMEOUT {
                self.known().violations.push(format!("{method} {path} was not answered: {why}"));
                return None;
            }
            self.known().repeated += 1;
            tokio::time::sleep(RETRY_DELAY).await;
        }
    }

    /// A random slot.
    pub fn slot(&self, rng: &mut SmallRng) -> Value {
        let day = self.today + TimeDelta::days(FIRST_DAY + rng.random_range(0..DAYS));
        let minute = rng.random_range(0..24 * 12) * 5;
        let start = format!("{day}T{:02}:{:02}:00Z", minute / 60, minute % 60);
        json!({ "service_id": self.service, "staff_id": self.staff[rng.random_range(0..self.staff.len())], "start": start })
    }

    /// Books a slot; `None` when another customer has it. A repeated request with this key gets the same 201.
    pub async fn book(&self, key: &str, slot: &Value) -> Option<String> {
        let mut wish = slot.clone();
        wish["contact"] = json!({ "email": format!("{key}@example.org"), "name": "Ada" });
        let (status, answer) =
            self.request_until_answered(Method::POST, "/v1/bookings", Some(key), None, &wish).await?;
        match status {
            StatusCode::CREATED => self.learn(&answer),
            StatusCode::CONFLICT => None,
            _ => self.complain(&format!("booking {slot}"), status, &answer),
        }
    }

    /// Cancels or moves a booking that no other client changes.
    async fn change(&self, id: &str, rng: &mut SmallRng) {
        let Some((rev, _)) = self.known().bookings.get(id).cloned() else { return };
        let (path, body) = if rng.random_bool(0.5) {
            (format!("/v1/bookings/{id}/cancel"), Value::Null)
        } else {
            let mut slot = self.slot(rng);
            slot.as_object_mut().map(|slot| slot.remove("service_id"));
            (format!("/v1/bookings/{id}/reschedule"), slot)
        };
        let Some((status, answer)) =
            self.request_until_answered(Method::POST, &path, None, Some(rev), &body).await
        else {
            return;
        };
        match status {
            StatusCode::OK => drop(self.learn(&answer)),
            StatusCode::CONFLICT => {}
            // An earlier attempt without an answer had succeeded.
            StatusCode::PRECONDITION_FAILED => {
                let path = format!("/v1/bookings/{id}");
                if let Some((_, answer)) =
                    self.request_until_answered(Method::GET, &path, None, None, &Value::Null).await
                {
                    self.learn(&answer);
                }
            }
            _ => drop(self.complain(&path, status, &answer)),
        }
    }

    fn learn(&self, booking: &Value) -> Option<String> {
        let (id, status) = (booking["id"].as_str()?, booking["status"].as_str()?);
        let told = (booking["rev"].as_i64()?, status.to_owned());
        self.known().bookings.insert(id.to_owned(), told);
        Some(id.to_owned())
    }

    fn complain(&self, what: &str, status: StatusCode, answer: &Value) -> Option<String> {
        self.known().violations.push(format!("{what}: {status} {answer}"));
        None
    }
}

/// Whether the answer asks for a retry.
fn is_for_now(status: StatusCode, answer: &Value) -> bool {
    matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS)
        || answer["code"] == "idempotency_in_progress"
}

/// Customers who act until they are stopped.
pub struct Load {
    stop: CancellationToken,
    customers: JoinSet<()>,
}

impl Load {
    /// Starts this many customers. Equal seeds give equal requests.
    pub fn start(api_client: &ApiClient, customers: u64, seed: u64, pause: Duration) -> Self {
        let stop = CancellationToken::new();
        let mut load = JoinSet::new();
        for number in 0..customers {
            let (api_client, stop) = (api_client.clone(), stop.clone());
            let rng = SmallRng::seed_from_u64(seed.wrapping_mul(1_000).wrapping_add(number));
            load.spawn(live(api_client, rng, stop, format!("c{seed:x}-{number}"), pause));
        }
        Self { stop, customers: load }
    }

    /// Waits until each has its last answer.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.customers.join_next().await.is_some() {}
    }
}

async fn live(
    api_client: ApiClient,
    mut rng: SmallRng,
    stop: CancellationToken,
    name: String,
    pause: Duration,
) {
    let mut own: Vec<String> = Vec::new();
    for number in 0.. {
        if stop.is_cancelled() {
            return;
        }
        if own.is_empty() || rng.random_bool(0.65) {
            let slot = api_client.slot(&mut rng);
            own.extend(api_client.book(&format!("{name}-{number}"), &slot).await);
        } else {
            let at = rng.random_range(0..own.len());
            api_client.change(&own[at], &mut rng).await;
        }
        let thinks = pause.mul_f64(rng.random_range(0.5..1.5));
        let _ = tokio::time::timeout(thinks, stop.cancelled()).await;
    }
}
