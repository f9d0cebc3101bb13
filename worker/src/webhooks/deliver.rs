use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use punctual_core::notifications::SendNotification;
use punctual_core::webhooks::{
    self, AttemptResult, Attempted, DeliverWebhook, EndpointStatus, Prepared, SkipReason,
};
use punctual_core::{Core, Error};
use punctual_outbound::{Answer, Failure, Request};
use punctual_queue::runtime::AfterCommit;
use punctual_queue::{Data, JobContext, Kind, Outcome, Payload as _};
use rand::Rng as _;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Webhooks;
use crate::metrics;

/// The queue of deliveries.
pub const QUEUE: &str = DeliverWebhook::QUEUE;

/// Pauses after the first and each further failed attempt, in seconds: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h,
/// 24 h; each is varied by a fifth.
const PAUSES: [i64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
/// Over how long deliveries to one host that wait for the same instant are spread.
const MAX_SPREAD: TimeDelta = TimeDelta::minutes(1);
/// The longest pause that an endpoint may request (`Retry-After`).
const MAX_RETRY_AFTER: TimeDelta = TimeDelta::hours(24);

/// The kind of job. If the queue ends a job, its delivery ends too.
pub fn kind() -> Kind {
    Kind::new::<DeliverWebhook, _, _>(deliver).on_final(|conn, job| {
        // The unique key is the delivery's id, also if the payload cannot be read.
        let id = job.info.unique_key.as_deref().and_then(|key| key.parse().ok());
        Box::pin(async move {
            let Some(id) = id else { return Ok(None) };
            let ended = webhooks::job_ended(conn, id).await?;
            let count: AfterCommit = ended.then_some(Box::new(|| metrics::webhook("failed")));
            Ok(count)
        })
    })
}

async fn deliver(
    payload: DeliverWebhook,
    ctx: JobContext,
    core: Data<Core>,
    webhooks: Data<Webhooks>,
) -> Result<Outcome, Error> {
    let now = core.now();
    match attempt(payload, &ctx, &core, &webhooks).await {
        // A database outage says nothing about the endpoint: no attempt is used.
        Err(error @ Error::Unavailable(_)) => {
            Ok(Outcome::Snooze { until: now + TimeDelta::seconds(1), reason: error.to_string() })
        }
        result => result,
    }
}

async fn attempt(
    payload: DeliverWebhook,
    ctx: &JobContext,
    core: &Core,
    webhooks: &Webhooks,
) -> Result<Outcome, Error> {
    let prepared = match webhooks.batches.prepare(payload.delivery_id).await? {
        Attempted::Ready(prepared) => prepared,
        Attempted::Skipped(why) => return end_unposted(core, ctx, payload.delivery_id, why).await,
    };
    // A silent endpoint would hold up all jobs that a dead worker left, mails too.
    ctx.release_rescue_slot();
    let slot = match webhooks.hosts.acquire(prepared.url.authority(), || core.now()).await {
        Ok(slot) => slot,
        Err(until) => return Ok(snooze(ctx, until)),
    };
    if !ctx.lease_is_fresh() {
        return Ok(snooze(ctx, core.now() + TimeDelta::seconds(1)));
    }
    let at = core.now();
    let sent = webhooks.outbound.post(request(&prepared, at)).await;
    let asked = sent.as_ref().ok().and_then(|answer| asked_pause(answer, core.now()));
    if is_overloaded(&sent) {
        slot.failed(core.now(), asked);
    } else if sent.is_ok() {
        slot.succeeded();
    } else {
        // Refused: nothing was sent.
        drop(slot);
    }
    let result = result(&prepared, at, &sent);
    let Some(error) = result.error.clone() else {
        let completed = webhooks.batches.succeeded(payload.delivery_id, result.clone(), ctx.clone()).await?;
        report(&prepared, &result, false, None);
        return Ok(completed);
    };
    let ended = record_failure(core, payload.delivery_id, &result).await?;
    let is_gone = result.code == Some(410);
    report(&prepared, &result, is_gone || ctx.is_last_attempt(), ended);
    Ok(if is_gone {
        Outcome::Fail(error)
    } else {
        // After the last attempt the queue ends the job, and with it the delivery.
        Outcome::RetryAt { at: core.now() + pause(ctx.attempt(), asked), error }
    })
}

/// Ends a delivery that is not posted and its job in one transaction.
async fn end_unposted(
    core: &Core,
    ctx: &JobContext,
    delivery_id: Uuid,
    why: SkipReason,
) -> Result<Outcome, Error> {
    let mut tx = core.pool.begin().await?;
    if !webhooks::end_unposted(&mut tx, delivery_id, why).await? {
        return Ok(Outcome::Snooze { until: core.now(), reason: "it was replayed".to_owned() });
    }
    let completed = complete_in(ctx, &mut tx).await?;
    tx.commit().await?;
    Ok(completed)
}

/// Returns the endpoint's status if the attempt ended it.
async fn record_failure(
    core: &Core,
    delivery_id: Uuid,
    result: &AttemptResult,
) -> Result<Option<EndpointStatus>, Error> {
    let mut tx = core.pool.begin().await?;
    let ended = webhooks::record_failure(&mut tx, delivery_id, result).await?;
    tx.commit().await?;
    if ended.is_some() {
        core.wake.wake(SendNotification::QUEUE);
    }
    Ok(ended)
}

/// Ends the job in the transaction that ended its delivery. If another worker owns the job by now, it finds the delivery
/// ended.
async fn complete_in(ctx: &JobContext, tx: &mut PgConnection) -> Result<Outcome, Error> {
    match ctx.complete_in(tx).await {
        Ok(completed) => Ok(completed),
        Err(punctual_queue::Error::Fenced(_)) => Ok(Outcome::Done),
        Err(punctual_queue::Error::Database(error)) => Err(error.into()),
        Err(other) => Err(Error::internal("completing the job of a webhook", other)),
    }
}

/// The request with its Standard Webhooks headers.
fn request(prepared: &Prepared, at: DateTime<Utc>) -> Request<'_> {
    let signature = prepared.secrets.sign(&prepared.webhook_id, at.timestamp(), &prepared.body);
    let timestamp = at.timestamp().to_string();
    let headers = [
        ("content-type", "application/json"),
        ("webhook-id", prepared.webhook_id.as_str()),
        ("webhook-timestamp", timestamp.as_str()),
        ("webhook-signature", signature.as_str()),
    ];
    // Each value is printable ASCII.
    let headers =
        headers.into_iter().filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?)));
    Request { url: prepared.url.as_str(), headers: headers.collect(), body: prepared.body.clone().into() }
}

fn result(prepared: &Prepared, at: DateTime<Utc>, sent: &Result<Answer, Failure>) -> AttemptResult {
    let milliseconds = |took: Duration| i32::try_from(took.as_millis()).unwrap_or(i32::MAX);
    match sent {
        Ok(answer) => {
            let delivered = (200..300).contains(&answer.status);
            let kept = (!prepared.names_person && !answer.body.is_empty()).then(|| printable(&answer.body));
            AttemptResult {
                at,
                code: Some(answer.status),
                answer: kept,
                error: (!delivered).then(|| format!("it answered {}", answer.status)),
                took_ms: milliseconds(answer.took),
            }
        }
        Err(failure) => {
            AttemptResult { at, code: None, answer: None, error: Some(failure.to_string()), took_ms: 0 }
        }
    }
}

/// The bytes as text that Postgres stores: at most 1,024 characters, without NUL.
fn printable(body: &[u8]) -> String {
    String::from_utf8_lossy(body).chars().filter(|c| *c != '\0').take(1024).collect()
}

/// Whether the failure concerns the host, not only this delivery.
fn is_overloaded(sent: &Result<Answer, Failure>) -> bool {
    match sent {
        Ok(answer) => matches!(answer.status, 429 | 502 | 503 | 504),
        Err(failure) => !matches!(failure, Failure::Refused(_)),
    }
}

/// The pause of `Retry-After`: seconds or a date (RFC 9110 §10.2.3).
fn asked_pause(answer: &Answer, now: DateTime<Utc>) -> Option<TimeDelta> {
    let text = answer.retry_after.as_deref()?.trim();
    let asked = match text.parse::<u32>() {
        Ok(seconds) => TimeDelta::seconds(seconds.into()),
        Err(_) => DateTime::parse_from_rfc2822(text).ok()?.to_utc() - now,
    };
    Some(asked.clamp(TimeDelta::zero(), MAX_RETRY_AFTER))
}

/// The pause after this attempt (1 is the first), varied by a fifth; longer if the endpoint requested it.
fn pause(attempt: i32, asked: Option<TimeDelta>) -> TimeDelta {
    let at = usize::try_from(attempt - 1).unwrap_or(0).min(PAUSES.len() - 1);
    let varied = PAUSES[at] * 1000 * rand::rng().random_range(80..=120) / 100;
    TimeDelta::milliseconds(varied).max(asked.unwrap_or_default())
}

/// Waits for the host. Deliveries that wait for the same instant are spread over as long again, at most [`MAX_SPREAD`]: they
/// are due before those of new events, which would wait behind all of them.
fn snooze(ctx: &JobContext, until: DateTime<Utc>) -> Outcome {
    let spread = (until - ctx.now()).clamp(TimeDelta::zero(), MAX_SPREAD);
    let until = until + spread / 64 * i32::try_from(ctx.id().0.rem_euclid(64)).unwrap_or_default();
    Outcome::Snooze { until, reason: "the host is busy or does not answer".to_owned() }
}

fn report(prepared: &Prepared, result: &AttemptResult, is_last: bool, ended: Option<EndpointStatus>) {
    let outcome = match &result.error {
        None => "delivered",
        Some(_) if is_last => "failed",
        Some(_) => "retried",
    };
    // A failed delivery is counted when its job has ended.
    if outcome != "failed" {
        metrics::webhook(outcome);
    }
    metrics::webhook_took(result.took_ms);
    let (endpoint, event) = (prepared.endpoint_id, prepared.webhook_id.as_str());
    tracing::info!(endpoint_id = %endpoint, event, code = result.code, took_ms = result.took_ms, outcome, "webhook");
    if let Some(status) = ended {
        let status = if status == EndpointStatus::Gone { "gone" } else { "disabled" };
        metrics::webhook_endpoint_ended(status);
        tracing::warn!(endpoint_id = %endpoint, status, "a webhook endpoint has ended: nothing more is posted to it");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_follow_the_schedule_within_a_fifth_and_grant_what_is_asked() {
        for (at, seconds) in PAUSES.iter().enumerate() {
            let pause = pause(i32::try_from(at).unwrap() + 1, None).num_milliseconds();
            assert!((seconds * 800..=seconds * 1200).contains(&pause), "{pause}");
        }
        assert_eq!(pause(1, Some(TimeDelta::minutes(9))), TimeDelta::minutes(9));
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date_within_a_day() {
        let now = DateTime::parse_from_rfc3339("2027-05-04T10:00:00Z").unwrap().to_utc();
        let asked = |text: &str| {
            let answer = Answer {
                status: 503,
                retry_after: Some(text.to_owned()),
                body: Vec::new(),
                took: Duration::ZERO,
            };
            asked_pause(&answer, now)
        };
        assert_eq!(asked(" 120 "), Some(TimeDelta::minutes(2)));
        assert_eq!(asked("Tue, 04 May 2027 10:05:00 GMT"), Some(TimeDelta::minutes(5)));
        assert_eq!(asked("Tue, 04 May 2027 09:00:00 GMT"), Some(TimeDelta::zero()));
        assert_eq!(asked("4000000000"), Some(MAX_RETRY_AFTER));
        assert_eq!(asked("soon"), None);
    }
}
