//! Commands that change queues and jobs.

use punctual_core::operators::{self, Action, Operator, OperatorAction, QueueLimits};
use punctual_core::{Core, Error, Result};

use super::{JobsCommand, QueuesCommand, show};

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

/// Runs a command on jobs in order; stops at the first that fails.
pub async fn on_jobs(core: &Core, json: bool, command: JobsCommand) -> Result<()> {
    let actions: Vec<Action> = match &command {
        JobsCommand::Retry(ids) => ids.each().map(Action::Retry).collect(),
        JobsCommand::Cancel(ids) => ids.each().map(Action::Cancel).collect(),
        JobsCommand::Discard(ids) => ids.each().map(Action::Discard).collect(),
        JobsCommand::List(_) | JobsCommand::Show { .. } => Vec::new(),
    };
    for action in actions {
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
