//! What changes something.

use punctual_core::operators::{self, Action, Operator, OperatorAction, QueueLimits};
use punctual_core::{Core, Error, Result};

use super::{JobsCommand, QueuesCommand, show};

/// On a queue.
pub async fn on_queue(core: &Core, json: bool, command: QueuesCommand) -> Result<()> {
    let action = match command {
        QueuesCommand::Pause { queue } => Action::Pause(queue),
        QueuesCommand::Resume { queue } => Action::Resume(queue),
        QueuesCommand::Limit { queue, limit, key_limit } => {
            // What is not named stays.
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
    say(json, &done);
    Ok(())
}

/// On jobs, one after the other; ends at the first that can't be done.
pub async fn on_jobs(core: &Core, json: bool, command: JobsCommand) -> Result<()> {
    let actions: Vec<Action> = match &command {
        JobsCommand::Retry(ids) => ids.each().map(Action::Retry).collect(),
        JobsCommand::Cancel(ids) => ids.each().map(Action::Cancel).collect(),
        JobsCommand::Discard(ids) => ids.each().map(Action::Discard).collect(),
        JobsCommand::List(_) | JobsCommand::Show { .. } => Vec::new(),
    };
    for action in actions {
        let done = operators::act(core, Operator::CommandLine, action).await?;
        say(json, &done);
    }
    Ok(())
}

fn say(json: bool, done: &OperatorAction) {
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
