//! What the worker counts of mails, beside what the queue counts of jobs.

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use punctual_core::notifications::NotificationKind;
use sqlx::PgPool;

use crate::smtp::Step;

/// Upper bounds in seconds, from a wake-up to the longest wait for a reply.
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0];

/// Collects from now on what the process counts.
///
/// # Errors
/// When another recorder is installed.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let builder =
        PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)?;
    let handle = builder.install_recorder()?;
    metrics::describe_counter!(
        "mails_total",
        "Tries to send a mail that came to a verdict, by kind and outcome."
    );
    metrics::describe_counter!(
        "mail_relay_failures_total",
        "Troubles of the mail server itself, by the step at which they showed."
    );
    metrics::describe_counter!(
        "customers_erased_total",
        "Customers erased because the business keeps nobody that long."
    );
    metrics::describe_gauge!("mail_relay_breaker_open", "1 while mails are held back from the mail server.");
    metrics::describe_gauge!(
        "mail_relay_connections",
        "Connections to the mail server, by whether they work."
    );
    metrics::describe_gauge!("database_connections", "Connections to Postgres, by whether they work.");
    Ok(handle)
}

/// A try came to a verdict, or the queue gave the mail up.
pub fn mail(kind: NotificationKind, outcome: &'static str) {
    metrics::counter!("mails_total", "kind" => kind.as_str(), "outcome" => outcome).increment(1);
}

/// So many customers were kept long enough.
pub fn customers_erased(count: u64) {
    metrics::counter!("customers_erased_total").increment(count);
}

/// The relay itself failed at a step.
pub fn relay_failed(step: Step) {
    metrics::counter!("mail_relay_failures_total", "step" => step.as_str()).increment(1);
}

/// Whether mails are held back.
pub fn breaker(open: bool) {
    metrics::gauge!("mail_relay_breaker_open").set(f64::from(u8::from(open)));
}

/// How many connections to Postgres and to the mail server there are, as busy and idle.
pub fn connections(pool: &PgPool, relay: (usize, usize)) {
    let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
    metrics::gauge!("database_connections", "state" => "idle").set(f64::from(idle));
    metrics::gauge!("database_connections", "state" => "busy")
        .set(f64::from(pool.size().saturating_sub(idle)));
    let float = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    metrics::gauge!("mail_relay_connections", "state" => "busy").set(float(relay.0));
    metrics::gauge!("mail_relay_connections", "state" => "idle").set(float(relay.1));
}
