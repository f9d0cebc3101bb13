//! Executes operators' actions.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use punctual_queue::ops::{self, Stop};
use punctual_queue::{JobId, JobState, Payload, new_id};
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::OWN_QUEUES;
use super::action::{Action, Operator, OperatorAction, OperatorKind, Verb};
use crate::notifications::{self, SendNotification};
use crate::transaction::{Outcome, Write, write};
use crate::{Core, Error, Result, mail_relay};

/// Executes the action and records it, in one transaction. Workers apply it within two seconds.
///
/// # Errors
///
/// [`Error::NotFound`] when the job or queue does not exist, [`Error::JobNotEligible`] when the job's state does not
/// allow the action; nothing is recorded then.
pub async fn act(core: &Core, operator: Operator, action: Action) -> Result<OperatorAction> {
    let done = write(core, Arc::new(Act { operator, action }), ()).await?;
    core.wake.wake(&done.queue);
    tracing::info!(
        action = done.verb.as_str(),
        operator = done.operator.as_str(),
        queue = done.queue,
        job_id = done.job_id.map(|id| id.0),
        user_id = done.user_id.map(tracing::field::display),
        "an operator acted"
    );
    Ok(done)
}

struct Act {
    operator: Operator,
    action: Action,
}

/// The queue or job that was changed.
struct Object {
    queue: String,
    job: Option<(JobId, String)>,
    details: Value,
}

impl Write for Act {
    type Output = OperatorAction;

    async fn run(&self, tx: &mut PgConnection, now: DateTime<Utc>) -> Result<Outcome<OperatorAction>> {
        let object = match &self.action {
            Action::Retry(id) | Action::Cancel(id) | Action::Discard(id) => {
                to_job(tx, now, &self.action, *id).await?
            }
            Action::Pause(queue) | Action::Resume(queue) | Action::SetLimits(queue, _) => {
                to_queue(tx, now, &self.action, queue).await?
            }
            Action::ProbeRelay => {
                let (circuits, mails) = mail_relay::probe_now(tx, now).await?;
                of_mails(json!({ "circuits": circuits, "mails": mails }))
            }
            Action::Resend { booking_id, notification_id } => {
                notifications::resend_in(tx, now, *booking_id, *notification_id).await?;
                of_mails(json!({ "booking_id": booking_id, "notification_id": notification_id }))
            }
        };
        let (job_id, job_kind) = object.job.unzip();
        let done = OperatorAction {
            id: new_id(now),
            at: now,
            operator: self.operator.kind(),
            user_id: self.operator.user_id(),
            verb: self.action.verb(),
            queue: object.queue,
            job_id,
            job_kind,
            details: object.details,
        };
        record(tx, &done).await?;
        Ok(Outcome::Changed(done, &[]))
    }
}

async fn to_job(tx: &mut PgConnection, now: DateTime<Utc>, action: &Action, id: JobId) -> Result<Object> {
    let job = ops::job(tx, id).await?.ok_or(Error::NotFound("job"))?.summary;
    let done = match action {
        Action::Cancel(_) => ops::stop(tx, id, Stop::Cancel).await,
        Action::Discard(_) => ops::stop(tx, id, Stop::Discard).await,
        _ => ops::retry(tx, now, id).await,
    };
    if !done? {
        return Err(Error::JobNotEligible(match (action, job.state) {
            (Action::Retry(_), JobState::Running) => "It runs.",
            (Action::Retry(_), _) => "Another live job has its unique key.",
            _ => "It has ended.",
        }));
    }
    if matches!(action, Action::Retry(_)) && job.queue == SendNotification::QUEUE {
        // Otherwise an open circuit would snooze the mail again.
        mail_relay::probe_now(tx, now).await?;
    }
    Ok(Object {
        queue: job.queue,
        job: Some((id, job.kind)),
        details: json!({ "state": job.state.as_str() }),
    })
}

/// An action on mails instead of one job or the whole queue.
fn of_mails(details: Value) -> Object {
    Object { queue: SendNotification::QUEUE.to_owned(), job: None, details }
}

async fn to_queue(tx: &mut PgConnection, now: DateTime<Utc>, action: &Action, queue: &str) -> Result<Object> {
    if !OWN_QUEUES.contains(&queue) && !ops::is_queue(tx, queue).await? {
        return Err(Error::NotFound("queue"));
    }
    let details = match action {
        Action::SetLimits(_, limits) => {
            ops::set_limit(tx, now, queue, limits.limit).await?;
            ops::set_key_limit(tx, now, queue, limits.key_limit).await?;
            limits.details()
        }
        Action::Pause(_) => {
            ops::pause(tx, now, queue).await?;
            json!({})
        }
        _ => {
            ops::resume(tx, now, queue).await?;
            json!({})
        }
    };
    Ok(Object { queue: queue.to_owned(), job: None, details })
}

async fn record(tx: &mut PgConnection, done: &OperatorAction) -> Result<()> {
    sqlx::query!(
        "INSERT INTO operator_actions (id, at, operator, user_id, verb, queue, job_id, job_kind, details)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        done.id,
        done.at,
        done.operator as OperatorKind,
        done.user_id,
        done.verb as Verb,
        done.queue,
        done.job_id.map(|id| id.0),
        done.job_kind,
        done.details,
    )
    .execute(tx)
    .await?;
    Ok(())
}
