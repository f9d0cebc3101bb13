//! One action on many jobs.

use punctual_queue::JobId;

use super::action::{Action, Operator};
use super::{JobsWanted, act, jobs};
use crate::{Core, Error, Result};

/// Jobs of one call at most: it answers within a request's time.
pub const MOST_AT_ONCE: usize = 500;

/// What an action on many jobs came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Jobs that it was done to; each has its row in the audit.
    pub done: usize,
    /// Jobs whose state had changed meanwhile, or does not allow it.
    pub skipped: usize,
    /// Whether more jobs match.
    pub more: bool,
}

/// Does `action` to the jobs that match, up to [`MOST_AT_ONCE`] of them; each in a transaction of its own, so that one
/// that cannot be changed does not undo the others.
///
/// # Errors
/// Those of the database. What was done before stays done.
pub async fn act_on_all(
    core: &Core,
    operator: Operator,
    wanted: &JobsWanted,
    action: fn(JobId) -> Action,
) -> Result<Tally> {
    let mut tally = Tally::default();
    let mut wanted = wanted.clone();
    let mut ids = Vec::new();
    // Listed before anything is done: an action moves a job to another state and so to another list.
    loop {
        let page = jobs(core, &wanted).await?;
        ids.extend(page.jobs.iter().map(|job| job.id));
        tally.more = page.next.is_some() || ids.len() > MOST_AT_ONCE;
        match page.next {
            Some(next) if ids.len() < MOST_AT_ONCE => wanted.after = Some(next),
            _ => break,
        }
    }
    for id in ids.into_iter().take(MOST_AT_ONCE) {
        match act(core, operator, action(id)).await {
            Ok(_) => tally.done += 1,
            Err(Error::NotFound(_) | Error::JobNotEligible(_)) => tally.skipped += 1,
            Err(error) => return Err(error),
        }
    }
    Ok(tally)
}
