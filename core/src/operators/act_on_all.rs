//! One action on many jobs.

use punctual_queue::JobId;

use super::action::{Action, Operator};
use super::{JobsWanted, act, jobs};
use crate::{Core, Error, Result};

/// Most jobs per call, so that it ends within a request's time.
pub const MAX_JOBS_AT_ONCE: usize = 500;

/// The result of an action on many jobs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Jobs that were changed; each has its row in the audit.
    pub done: usize,
    /// Jobs whose state had changed meanwhile, or does not allow it.
    pub skipped: usize,
    /// Whether more jobs match.
    pub more: bool,
}

/// Applies `action` to up to [`MAX_JOBS_AT_ONCE`] matching jobs, each in its own transaction, so that a job that cannot be
/// changed does not undo the others.
///
/// # Errors
/// Database errors; jobs changed before the error stay changed.
pub async fn act_on_all(
    core: &Core,
    operator: Operator,
    wanted: &JobsWanted,
    action: fn(JobId) -> Action,
) -> Result<Tally> {
    let mut tally = Tally::default();
    let mut wanted = wanted.clone();
    let mut ids = Vec::new();
    // All jobs are listed before any is changed: an action moves a job to another state and so out of the list.
    loop {
        let page = jobs(core, &wanted).await?;
        ids.extend(page.jobs.iter().map(|job| job.id));
        tally.more = page.next.is_some() || ids.len() > MAX_JOBS_AT_ONCE;
        match page.next {
            Some(next) if ids.len() < MAX_JOBS_AT_ONCE => wanted.after = Some(next),
            _ => break,
        }
    }
    for id in ids.into_iter().take(MAX_JOBS_AT_ONCE) {
        match act(core, operator, action(id)).await {
            Ok(_) => tally.done += 1,
            Err(Error::NotFound(_) | Error::JobNotEligible(_)) => tally.skipped += 1,
            Err(error) => return Err(error),
        }
    }
    Ok(tally)
}
