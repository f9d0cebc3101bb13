//! Decides the transition of a lease: before the job starts, when its handler returns, and when it is stopped.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng;

use crate::availability::is_caused_by_unavailable;
use crate::backoff;
use crate::context::StopReason;
use crate::error::BoxError;
use crate::finish_reason::FinishReason;
use crate::job::JobState;
use crate::job_info::JobInfo;
use crate::outcome::Outcome;
use crate::store::claim::Claimed;
use crate::store::transition::Transition;

/// Errors and reasons are truncated to this many bytes.
const MAX_TEXT: usize = 2000;
/// How long a job waits that failed because Postgres was not available.
const OUTAGE_PAUSE: Duration = Duration::from_secs(2);
/// A job whose process died this many consecutive times is poison.
const POISON_RESCUES: i16 = 3;

/// Whether the job's process died so often that it must run alone, or not at all.
pub(crate) fn is_poison(claimed: &Claimed) -> bool {
    claimed.info.rescues >= POISON_RESCUES
}

/// Whether the job may run by its own row: it has no stop request, is not poison and has not expired. Poison may run if its
/// kind has [`super::Kind::retry_poison_until_expiry`].
pub(crate) fn is_runnable(claimed: &Claimed, now: DateTime<Utc>, retries_poison: bool) -> bool {
    claimed.stop.is_none()
        && (retries_poison || !is_poison(claimed))
        && claimed.info.expires_at.is_none_or(|expires_at| now < expires_at)
}

/// The transition of a claimed job that is not started; `None`: start it. `wait` is the delay that the limit per key
/// requires. `holds` is whether the process trusts its leases and is not shutting down. `retries_poison` is whether its kind is
/// retried for any number of deaths of its process.
pub(crate) fn resolve_start(
    claimed: &Claimed,
    now: DateTime<Utc>,
    wait: Duration,
    holds: bool,
    retries_poison: bool,
) -> Option<Transition> {
    if !holds {
        return Some(Transition::Release);
    }
    let reason = match claimed.stop {
        Some(JobState::Cancelled) => Some(FinishReason::Cancelled),
        Some(_) => Some(FinishReason::Discarded),
        None if is_poison(claimed) && !retries_poison => Some(FinishReason::Poison),
        None if !is_runnable(claimed, now, retries_poison) => Some(FinishReason::Expired),
        None => None,
    };
    if let Some(reason) = reason {
        return Some(Transition::Finish(reason));
    }
    (!wait.is_zero()).then(|| {
        let at = now + TimeDelta::from_std(wait).unwrap_or(TimeDelta::days(365));
        Transition::WaitForSlot { at }
    })
}

/// The transition of a job whose payload this build can't decode.
pub(crate) fn undecodable(error: &serde_json::Error) -> Transition {
    Transition::Finish(FinishReason::Undecodable(cut(error.to_string())))
}

/// The transition of a job whose handler returned at `now`.
pub(crate) fn resolve_outcome(
    info: &JobInfo,
    result: Result<Outcome, BoxError>,
    now: DateTime<Utc>,
    rng: &mut impl Rng,
) -> Transition {
    match result {
        Ok(Outcome::Done) => Transition::Complete { note: None },
        Ok(Outcome::Completed(_)) => Transition::AlreadyCompleted,
        Ok(Outcome::Skip(why)) => Transition::Complete { note: Some(cut(why)) },
        Ok(Outcome::RetryAt { at, error }) => failed(info, cut(error), || at),
        Ok(Outcome::Snooze { until, reason }) => Transition::Snooze { until, reason: cut(reason) },
        Ok(Outcome::Fail(why)) => Transition::Finish(FinishReason::Failed(cut(why))),
        Err(error) if is_caused_by_unavailable(&*error) => {
            // Nothing is wrong with the job: no attempt is burned.
            let pause = OUTAGE_PAUSE.mul_f64(rng.random_range(0.5..=1.5));
            let until = now + TimeDelta::from_std(pause).unwrap_or_default();
            Transition::Snooze { until, reason: chain(&error) }
        }
        Err(error) => failed(info, chain(&error), || after_backoff(info, now, rng)),
    }
}

/// The transition of a job that the runtime stopped at `now`.
pub(crate) fn resolve_stop(
    info: &JobInfo,
    reason: StopReason,
    now: DateTime<Utc>,
    rng: &mut impl Rng,
) -> Transition {
    match reason {
        StopReason::TimedOut => {
            failed(info, "took longer than its kind may".to_owned(), || after_backoff(info, now, rng))
        }
        StopReason::Cancelled => Transition::Finish(FinishReason::Cancelled),
        StopReason::Discarded => Transition::Finish(FinishReason::Discarded),
        StopReason::ShuttingDown => Transition::Release,
        StopReason::LeaseLost => Transition::LeaseLost,
    }
}

/// A failed attempt: retried at `at`, or the end of the job if it was the last one.
fn failed(info: &JobInfo, error: String, at: impl FnOnce() -> DateTime<Utc>) -> Transition {
    if info.attempt >= info.max_attempts {
        Transition::Finish(FinishReason::Exhausted(error))
    } else {
        Transition::Retry { at: at(), error }
    }
}

fn after_backoff(info: &JobInfo, now: DateTime<Utc>, rng: &mut impl Rng) -> DateTime<Utc> {
    now + TimeDelta::from_std(backoff::after(info.attempt, rng)).unwrap_or(TimeDelta::MAX)
}

/// The error and its causes in one line.
fn chain(error: &BoxError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some wrappers, such as apalis', include the text of their cause.
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    cut(text)
}

/// Truncates to [`MAX_TEXT`] bytes and removes NUL.
fn cut(mut text: String) -> String {
    if text.len() > MAX_TEXT {
        let end = (0..=MAX_TEXT).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
    }
    // Postgres stores no NUL in text or jsonb.
    text.replace('\0', "")
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    use super::*;
    use crate::ids::JobId;

    fn info(attempt: i32) -> JobInfo {
        let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        JobInfo {
            id: JobId(7),
            queue: "default".to_owned(),
            kind: "nothing.v1".to_owned(),
            attempt,
            max_attempts: 3,
            lease_seq: 1,
            run_at: at,
            expires_at: None,
            created_at: at,
            rescues: 0,
            snoozes: 0,
            unique_key: None,
            limit_key: None,
            trace: None,
        }
    }

    fn returned(attempt: i32, result: Result<Outcome, BoxError>) -> Transition {
        let now = DateTime::from_timestamp(1_800_000_100, 0).unwrap();
        resolve_outcome(&info(attempt), result, now, &mut SmallRng::seed_from_u64(1))
    }

    fn stopped(attempt: i32, reason: StopReason) -> Transition {
        let now = DateTime::from_timestamp(1_800_000_100, 0).unwrap();
        resolve_stop(&info(attempt), reason, now, &mut SmallRng::seed_from_u64(1))
    }

    #[test]
    fn an_error_waits_and_the_last_one_ends_the_job() {
        let Transition::Retry { at, error } = returned(2, Err("no route".into())) else {
            panic!("a failure before the last attempt is retried");
        };
        let wait = (at.timestamp_millis() - 1_800_000_100_000) / 1000;
        assert!((24..=36).contains(&wait), "{wait} s");
        assert_eq!(error, "no route");
        let last = returned(3, Err("no route".into()));
        assert_eq!(last, Transition::Finish(FinishReason::Exhausted("no route".to_owned())));
    }

    #[test]
    fn a_named_time_is_honoured_and_a_snooze_is_never_the_last() {
        let at = DateTime::from_timestamp(1_800_009_000, 0).unwrap();
        let retry = returned(1, Ok(Outcome::RetryAt { at, error: "450 busy".to_owned() }));
        assert_eq!(retry, Transition::Retry { at, error: "450 busy".to_owned() });
        let snooze = returned(3, Ok(Outcome::Snooze { until: at, reason: "relay down".to_owned() }));
        assert_eq!(snooze, Transition::Snooze { until: at, reason: "relay down".to_owned() });
    }

    #[test]
    fn a_shutdown_releases_and_a_lost_lease_writes_nothing() {
        assert_eq!(stopped(3, StopReason::ShuttingDown), Transition::Release);
        assert_eq!(stopped(1, StopReason::LeaseLost), Transition::LeaseLost);
        assert_eq!(stopped(1, StopReason::Cancelled), Transition::Finish(FinishReason::Cancelled));
    }

    #[test]
    fn an_outage_of_postgres_burns_no_attempt() {
        let transition = returned(3, Err(Box::new(sqlx::Error::PoolTimedOut)));
        assert!(matches!(transition, Transition::Snooze { .. }), "{transition:?}");
    }

    #[test]
    fn long_texts_are_cut_at_a_character() {
        let text = cut("ä".repeat(MAX_TEXT));
        assert_eq!(text.len(), MAX_TEXT);
        assert_eq!(cut("a\0b".to_owned()), "ab");
    }
}
