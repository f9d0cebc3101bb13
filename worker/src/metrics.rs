//! The worker's own metrics. The queue's are in the queue crate.

use chrono::TimeDelta;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use punctual_core::notifications::{NotificationKind, NotificationOutcome, ResendableMail};
use sqlx::PgPool;

use crate::smtp::Step;

/// Histogram buckets in seconds, from a wake-up to the longest wait for a reply.
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0];

/// Installs the recorder of this process.
///
/// # Errors
/// If another recorder is installed.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let builder =
        PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)?;
    let handle = builder.install_recorder()?;
    metrics::describe_gauge!("build_info", "Always 1; the version of this program is a label.");
    metrics::gauge!("build_info", "program" => "worker", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    metrics::describe_counter!(
        "mails_total",
        "Attempts to send a mail that had a result, by kind and outcome."
    );
    metrics::describe_counter!(
        "mail_relay_failures_total",
        "Failures of the mail server itself, by SMTP step."
    );
    metrics::describe_counter!(
        "customers_erased_total",
        "Customers erased because their retention period was over."
    );
    metrics::describe_counter!("mails_ended_total", "Mails that ended, by kind and outcome.");
    metrics::describe_gauge!(
        "mails_to_resend",
        "Mails that failed or are in doubt, are still true, and that only a person may send again."
    );
    metrics::describe_counter!("webhook_deliveries_made_total", "Deliveries made from events of the feed.");
    metrics::describe_counter!("webhook_attempts_total", "Webhooks posted, by outcome.");
    metrics::describe_histogram!("webhook_attempt_seconds", "Duration of webhooks that were answered.");
    metrics::describe_counter!(
        "webhook_endpoints_ended_total",
        "Endpoints disabled after five failing days, or gone after an answer 410."
    );
    metrics::describe_gauge!(
        "feed_lag_seconds",
        "Age of the oldest event that an older open transaction hides from the feed."
    );
    metrics::describe_gauge!("mail_relay_breaker_open", "1 while mails are held back from the mail server.");
    metrics::describe_gauge!(
        "mails_oldest_owed_age_seconds",
        "How long the oldest mail that is due has not been sent, whatever the state of its job."
    );
    metrics::describe_gauge!("mail_relay_connections", "Connections to the mail server, busy and idle.");
    metrics::describe_gauge!(
        "mail_relay_connection_limit",
        "Connections that the mail server seems to allow this process."
    );
    metrics::describe_gauge!("database_connections", "Connections to Postgres, busy and idle.");
    Ok(handle)
}

/// Counts the result of an attempt, or a mail that the queue ended.
pub fn mail(kind: NotificationKind, outcome: &'static str) {
    metrics::counter!("mails_total", "kind" => kind.as_str(), "outcome" => outcome).increment(1);
}

/// Counts erased customers.
pub fn customers_erased(count: u64) {
    metrics::counter!("customers_erased_total").increment(count);
}

/// Counts deliveries made from the feed.
pub fn webhook_deliveries_made(count: u64) {
    metrics::counter!("webhook_deliveries_made_total").increment(count);
}

/// Counts an attempt to deliver a webhook: `delivered`, `retried` or `failed`.
pub fn webhook(outcome: &'static str) {
    metrics::counter!("webhook_attempts_total", "outcome" => outcome).increment(1);
}

/// Records how long an endpoint took to answer, in milliseconds; 0: it did not.
pub fn webhook_took(took_ms: i32) {
    if took_ms > 0 {
        metrics::histogram!("webhook_attempt_seconds").record(f64::from(took_ms) / 1000.0);
    }
}

/// Counts an endpoint that ended: `disabled` or `gone`.
pub fn webhook_endpoint_ended(status: &'static str) {
    metrics::counter!("webhook_endpoints_ended_total", "status" => status).increment(1);
}

/// Sets the feed's lag.
pub fn feed_lag(seconds: u64) {
    metrics::gauge!("feed_lag_seconds").set(f64::from(u32::try_from(seconds).unwrap_or(u32::MAX)));
}

/// Counts a failure of the relay itself.
pub fn relay_failed(step: Step) {
    metrics::counter!("mail_relay_failures_total", "step" => step.as_str()).increment(1);
}

/// Sets the age of the oldest due mail that has not been sent, in seconds.
pub fn oldest_owed_mail(age: TimeDelta) {
    metrics::gauge!("mails_oldest_owed_age_seconds").set(age.as_seconds_f64());
}

/// Sets how many mails can only be resent by hand.
pub fn mails_to_resend(mails: &[ResendableMail]) {
    for outcome in [NotificationOutcome::Failed, NotificationOutcome::InDoubt] {
        let count = mails.iter().filter(|mail| mail.outcome == outcome).count();
        metrics::gauge!("mails_to_resend", "outcome" => outcome.as_str())
            .set(f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
    }
}

/// Sets whether the circuit is open.
pub fn breaker(open: bool) {
    metrics::gauge!("mail_relay_breaker_open").set(f64::from(u8::from(open)));
}

/// Sets how many connections the relay seems to allow.
pub fn connection_limit(limit: usize) {
    metrics::gauge!("mail_relay_connection_limit").set(f64::from(u32::try_from(limit).unwrap_or(u32::MAX)));
}

/// Sets the number of connections to Postgres and to the mail server; `relay` is (busy, idle).
pub fn connections(pool: &PgPool, relay: (usize, usize)) {
    let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
    metrics::gauge!("database_connections", "state" => "idle").set(f64::from(idle));
    metrics::gauge!("database_connections", "state" => "busy")
        .set(f64::from(pool.size().saturating_sub(idle)));
    let float = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    metrics::gauge!("mail_relay_connections", "state" => "busy").set(float(relay.0));
    metrics::gauge!("mail_relay_connections", "state" => "idle").set(float(relay.1));
}
