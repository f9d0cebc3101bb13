//! Commands that change queues and jobs.

use punctual_core::operators::{self, Action, JobsWanted, Operator, OperatorAction, QueueLimits};
use punctual_core::types::PageSize;
use punctual_core::{Core, Error, Result};
use punctual_queue::ops::JobFilter;
use punctual_queue::{JobId, JobState};
use serde_json::json;
use uuid::Uuid;

use super::{JobsCommand, QueuesCommand, Targets, show};

/// Runs a command on a queue.
pub async fn on_queue(core: &Core, json: bool, command: QueuesCommand) -> Result<()> {
    let action = match command {
        QueuesCommand::Pause { queue } => Action::Pause(queue),
        QueuesCommand::Resume { queue } => Action::Resume(queue),
        QueuesCommand::Limit { queue, limit, key_limit } => {
            // Limits that are not given stay unchanged.
            let queues = operators::queues(core).await?;
            let now = queues.iter().find(|known| known.queue == queue).ok_or(Error::NotFound("queue"))?;
            let limits = QueueLimits {
                limit: limit.map_or(now.limit, |change| change.0),
                key_limit: key_limit.map_or(now.key_limit, |change| change.0),
            };
            Action::SetLimits(queue, limits)
        }
    };
    let done = operators::act(core, Operator::CommandLine, action).await?;
    print_action(json, &done);
    Ok(())
}

/// Runs a command on jobs: in order on those named by their ids, up to the first that fails; or on all that match.
pub async fn on_jobs(core: &Core, json: bool, command: JobsCommand) -> Result<()> {
    let (targets, action): (Targets, fn(JobId) -> Action) = match command {
        JobsCommand::Retry(targets) => (targets, Action::Retry),
        JobsCommand::Cancel(targets) => (targets, Action::Cancel),
        JobsCommand::Discard(targets) => (targets, Action::Discard),
        JobsCommand::List(_) | JobsCommand::Show { .. } => return Ok(()),
    };
    if targets.all {
        return on_all(core, json, targets, action).await;
    }
    for id in targets.ids {
        let done = operators::act(core, Operator::CommandLine, action(JobId(id))).await?;
        print_action(json, &done);
    }
    Ok(())
}

async fn on_all(core: &Core, json: bool, targets: Targets, action: fn(JobId) -> Action) -> Result<()> {
    let filter = JobFilter {
        state: targets.state.unwrap_or(JobState::Retryable),
        queue: targets.queue,
        kind: targets.kind,
    };
    let limit = PageSize::new(100).unwrap_or_default();
    let wanted = JobsWanted { filter, text: targets.search, limit, after: None };
    let tally = operators::act_on_all(core, Operator::CommandLine, &wanted, action).await?;
    if json {
        println!("{}", json!({ "done": tally.done, "skipped": tally.skipped, "more": tally.more }));
        return Ok(());
    }
    println!("{} jobs; {} have changed meanwhile", tally.done, tally.skipped);
    if tally.more {
        println!("more match: run the command again");
    }
    Ok(())
}

/// Tests the mail server now.
pub async fn probe(core: &Core, json: bool) -> Result<()> {
    let done = operators::act(core, Operator::CommandLine, Action::ProbeRelay).await?;
    print_action(json, &done);
    if !json {
        println!("{} mails are due now; see `punctual-worker relay` for the result", done.details["mails"]);
    }
    Ok(())
}

/// Sends mails again, in order; stops at the first that fails.
pub async fn resend(core: &Core, json: bool, ids: &[Uuid]) -> Result<()> {
    let resendable = operators::mails(core).await?.resendable;
    for id in ids {
        let mail =
            resendable.iter().find(|mail| mail.id == *id).ok_or(Error::NotFound("mail to send again"))?;
        let action = Action::Resend { booking_id: mail.booking_id, notification_id: mail.id };
        let done = operators::act(core, Operator::CommandLine, action).await?;
        print_action(json, &done);
    }
    Ok(())
}

fn print_action(json: bool, done: &OperatorAction) {
    if json {
        println!("{}", show::action_json(done));
        return;
    }
    let verb = done.verb.as_str();
    match done.job_id {
        Some(id) => println!("{verb}: job {id} of {}", done.queue),
        None => println!("{verb}: queue {}", done.queue),
    }
}
