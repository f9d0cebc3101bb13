//! The private listener: `/metrics` in Prometheus' text format.

use std::sync::{Arc, OnceLock};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use poem::{
    Endpoint, Request, Response, Result,
    http::{Method, StatusCode},
};
use sqlx::PgPool;

/// Histogram buckets in seconds, from a read from memory to the longest wait.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Installs the recorder of this process.
///
/// # Errors
/// When another recorder is installed.
pub fn install() -> Result<PrometheusHandle, metrics_exporter_prometheus::BuildError> {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let builder =
        PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)?;
    let handle = builder.install_recorder()?;
    metrics::describe_gauge!("build_info", "Always 1; the version of this program is a label.");
    metrics::gauge!("build_info", "program" => "api", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    metrics::describe_counter!("http_requests_total", "Requests by operation and status.");
    metrics::describe_histogram!(
        "http_request_duration_seconds",
        "From a request's head to its answer's head."
    );
    metrics::describe_counter!(
        "password_queue_full_total",
        "Logins and registrations sent away for want of a place."
    );
    metrics::describe_gauge!("database_connections", "Connections to Postgres, by whether they work.");
    Ok(HANDLE.get_or_init(|| handle).clone())
}

/// Sets the number of connections to Postgres.
pub fn connections<'a>(pools: impl Iterator<Item = &'a PgPool> + Clone) {
    let all: u32 = pools.clone().map(PgPool::size).sum();
    let idle: usize = pools.map(PgPool::num_idle).sum();
    let idle = u32::try_from(idle).unwrap_or(u32::MAX);
    metrics::gauge!("database_connections", "state" => "idle").set(f64::from(idle));
    metrics::gauge!("database_connections", "state" => "busy").set(f64::from(all.saturating_sub(idle)));
}

/// Serves `/metrics`.
pub struct MetricsPage(pub PrometheusHandle);

impl MetricsPage {
    /// To be served.
    pub fn shared(handle: PrometheusHandle) -> Arc<Self> {
        Arc::new(Self(handle))
    }
}

impl Endpoint for MetricsPage {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        if request.uri().path() != "/metrics" {
            return Ok(StatusCode::NOT_FOUND.into());
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Ok(StatusCode::METHOD_NOT_ALLOWED.into());
        }
        Ok(Response::builder().content_type("text/plain; version=0.0.4; charset=utf-8").body(self.0.render()))
    }
}
