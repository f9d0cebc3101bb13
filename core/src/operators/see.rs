//! Queries for operators.

use chrono::{DateTime, TimeDelta, Utc};
use punctual_queue::JobId;
use punctual_queue::ops::{
    self, Cursor, JobDetail, JobFilter, Page, PeriodicStatus, QueueStatus, WorkerStatus,
};

use super::OWN_QUEUES;
use crate::mail_relay::{self, OpenCircuit};
use crate::notifications::{self, ResendableMail};
use crate::types::PageSize;
use crate::{Core, Error, Result};

/// Which jobs to list.
#[derive(Debug, Clone)]
pub struct JobsWanted {
    /// State, queue, kind.
    pub filter: JobFilter,
    /// Text that they must contain, if given.
    pub text: Option<String>,
    /// Page size.
    pub limit: PageSize,
    /// Cursor of the previous page.
    pub after: Option<Cursor>,
}

/// All queues, by name; those of mails and webhooks also before their first job.
pub async fn queues(core: &Core) -> Result<Vec<QueueStatus>> {
    let mut queues = ops::queues(&mut *core.pool.acquire().await?, core.now()).await?;
    for name in OWN_QUEUES {
        if !queues.iter().any(|queue| queue.queue == name) {
            queues.push(QueueStatus { queue: name.to_owned(), ..QueueStatus::default() });
        }
    }
    queues.sort_unstable_by(|one, other| one.queue.cmp(&other.queue));
    Ok(queues)
}

/// The state of mails.
#[derive(Debug, Clone)]
pub struct MailStatus {
    /// Workers whose circuit to the mail server is open.
    pub circuits: Vec<OpenCircuit>,
    /// When the oldest unsent mail became due.
    pub oldest_due: Option<DateTime<Utc>>,
    /// Mails that can only be resent by hand.
    pub resendable: Vec<ResendableMail>,
}

/// The state of mails, independent of their jobs.
pub async fn mails(core: &Core) -> Result<MailStatus> {
    let now = core.now();
    let mut conn = core.pool.acquire().await?;
    Ok(MailStatus {
        circuits: mail_relay::open_circuits(&mut conn, now).await?,
        oldest_due: Some(notifications::oldest_owed_age(&mut conn, now).await?)
            .filter(|age| *age > TimeDelta::zero())
            .map(|age| now - age),
        resendable: notifications::resendable(&mut conn, now).await?,
    })
}

/// A page of jobs.
pub async fn jobs(core: &Core, wanted: &JobsWanted) -> Result<Page> {
    let mut conn = core.pool.acquire().await?;
    let limit = u32::try_from(wanted.limit.rows()).unwrap_or(u32::MAX);
    let page = match wanted.text.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => ops::search(&mut conn, &wanted.filter, text, wanted.after, limit).await,
        None => ops::jobs(&mut conn, &wanted.filter, wanted.after, limit).await,
    };
    Ok(page?)
}

/// One job with its history.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn job(core: &Core, id: JobId) -> Result<JobDetail> {
    let job = ops::job(&mut *core.pool.acquire().await?, id).await?;
    job.ok_or(Error::NotFound("job"))
}

/// The live worker processes, oldest first.
pub async fn workers(core: &Core) -> Result<Vec<WorkerStatus>> {
    Ok(ops::workers(&mut *core.pool.acquire().await?).await?)
}

/// The periodic jobs, by name.
pub async fn periodic(core: &Core) -> Result<Vec<PeriodicStatus>> {
    Ok(ops::periodic(&mut *core.pool.acquire().await?).await?)
}
