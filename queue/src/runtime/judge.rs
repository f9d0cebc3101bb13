//! What the end of a run means for its job.

use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng;

use super::backend::RunEnd;
use super::kind::Ended;
use crate::backoff;
use crate::context::{JobInfo, StopReason};
use crate::error::BoxError;
use crate::outcome::Outcome;
use crate::store::settle::Settle;

/// Longer texts of errors and reasons are cut.
const TEXT: usize = 2000;

/// What is to be written down for a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It waits again, goes back or is completed.
    Settle(Settle),
    /// The queue ends it without success, within the kind's `on_final`.
    End(Ended),
    /// Nothing: the lease was lost.
    Nothing,
}

/// Judges a run. `now` is when it ended.
pub(crate) fn judge(info: &JobInfo, end: RunEnd, now: DateTime<Utc>, rng: &mut impl Rng) -> Verdict {
    let failed = |error: String, at: Option<DateTime<Utc>>, rng: &mut dyn rand::RngCore| {
        if info.attempt >= info.max_attempts {
            return Verdict::End(Ended::Exhausted(error));
        }
        let mut rng = rng;
        let wait = TimeDelta::from_std(backoff::after(info.attempt, &mut rng)).unwrap_or(TimeDelta::MAX);
        Verdict::Settle(Settle::Retry { at: at.unwrap_or(now + wait), error })
    };
    match end {
        RunEnd::Returned(Ok(Outcome::Done)) => Verdict::Settle(Settle::Completed { note: None }),
        RunEnd::Returned(Ok(Outcome::Skip(why))) => {
            Verdict::Settle(Settle::Completed { note: Some(cut(why)) })
        }
        RunEnd::Returned(Ok(Outcome::RetryAt { at, error })) => failed(cut(error), Some(at), rng),
        RunEnd::Returned(Ok(Outcome::Snooze { until, reason })) => {
            Verdict::Settle(Settle::Snooze { until, reason: cut(reason) })
        }
        RunEnd::Returned(Ok(Outcome::Fail(why))) => Verdict::End(Ended::Failed(cut(why))),
        RunEnd::Returned(Err(error)) => failed(chain(&error), None, rng),
        RunEnd::Stopped(StopReason::TimedOut) => {
            failed("took longer than its kind may".to_owned(), None, rng)
        }
        RunEnd::Stopped(StopReason::Cancelled) => Verdict::End(Ended::Cancelled),
        RunEnd::Stopped(StopReason::Discarded) => Verdict::End(Ended::Discarded),
        RunEnd::Stopped(StopReason::ShuttingDown) => Verdict::Settle(Settle::GiveBack),
        RunEnd::Stopped(StopReason::LeaseLost) => Verdict::Nothing,
    }
}

/// What is written down for a job that the queue ends, after a run or instead of one.
pub(crate) fn ending(ended: &Ended, begun: bool) -> Settle {
    let error = match ended {
        Ended::Exhausted(error) | Ended::Failed(error) => Some(error.clone()),
        _ => None,
    };
    Settle::End { state: ended.state(), note: cut(ended.note()), error, begun }
}

/// The error and what caused it, in one line.
fn chain(error: &BoxError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Wrappers such as apalis' show their cause in their own text.
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    cut(text)
}

fn cut(mut text: String) -> String {
    if text.len() > TEXT {
        let end = (0..=TEXT).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
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
    use crate::job::JobId;

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

    fn judged(attempt: i32, end: RunEnd) -> Verdict {
        let now = DateTime::from_timestamp(1_800_000_100, 0).unwrap();
        judge(&info(attempt), end, now, &mut SmallRng::seed_from_u64(1))
    }

    #[test]
    fn an_error_waits_and_the_last_one_ends_the_job() {
        let Verdict::Settle(Settle::Retry { at, error }) =
            judged(2, RunEnd::Returned(Err("no route".into())))
        else {
            panic!("a failure before the last attempt is tried again");
        };
        let wait = (at.timestamp_millis() - 1_800_000_100_000) / 1000;
        assert!((24..=36).contains(&wait), "{wait} s");
        assert_eq!(error, "no route");
        let last = judged(3, RunEnd::Returned(Err("no route".into())));
        assert_eq!(last, Verdict::End(Ended::Exhausted("no route".to_owned())));
    }

    #[test]
    fn a_named_time_is_honoured_and_a_snooze_is_never_the_last() {
        let at = DateTime::from_timestamp(1_800_009_000, 0).unwrap();
        let retry = judged(1, RunEnd::Returned(Ok(Outcome::RetryAt { at, error: "450 busy".to_owned() })));
        assert_eq!(retry, Verdict::Settle(Settle::Retry { at, error: "450 busy".to_owned() }));
        let snooze =
            judged(3, RunEnd::Returned(Ok(Outcome::Snooze { until: at, reason: "relay down".to_owned() })));
        assert_eq!(snooze, Verdict::Settle(Settle::Snooze { until: at, reason: "relay down".to_owned() }));
    }

    #[test]
    fn a_shutdown_gives_back_and_a_lost_lease_writes_nothing() {
        assert_eq!(judged(3, RunEnd::Stopped(StopReason::ShuttingDown)), Verdict::Settle(Settle::GiveBack));
        assert_eq!(judged(1, RunEnd::Stopped(StopReason::LeaseLost)), Verdict::Nothing);
        assert_eq!(judged(1, RunEnd::Stopped(StopReason::Cancelled)), Verdict::End(Ended::Cancelled));
    }

    #[test]
    fn long_texts_are_cut_at_a_character() {
        let text = cut("ä".repeat(TEXT));
        assert_eq!(text.len(), TEXT);
        assert_eq!(cut("a\0b".to_owned()), "ab");
    }
}
