//! The queue, for administrators. Every action is audited.

mod actions;
mod cancel_job;
mod discard_job;
mod get_job;
mod history;
mod limits;
mod list_jobs;
mod list_queues;
mod list_workers;
mod pause_queue;
mod resume_queue;
mod retry_job;

use punctual_core::operators::{self, Action, Operator};

use crate::{
    auth::Caller,
    contract::Operation,
    http::{problem::Problem, reply::Found},
    state::State,
    views::ops::OperatorAction,
};

/// The operations of this group.
pub type Operations = (
    list_queues::ListQueues,
    history::GetQueueHistory,
    pause_queue::PauseQueue,
    resume_queue::ResumeQueue,
    limits::PutQueueLimits,
    list_jobs::ListJobs,
    get_job::GetJob,
    retry_job::RetryJob,
    cancel_job::CancelJob,
    discard_job::DiscardJob,
    list_workers::ListWorkers,
    actions::ListOperatorActions,
);

/// Executes the action as the calling administrator and returns its audit entry.
async fn act(state: &State, caller: &Caller, action: Action) -> Result<Found<OperatorAction>, Problem> {
    let operator = Operator::Admin(caller.user_id()?);
    Ok(Found::new(operators::act(&state.core, operator, action).await?.into()))
}

/// Their access, limits and problems.
pub const OPERATIONS: &[&Operation] = &[
    &list_queues::OPERATION,
    &history::OPERATION,
    &pause_queue::OPERATION,
    &resume_queue::OPERATION,
    &limits::OPERATION,
    &list_jobs::OPERATION,
    &get_job::OPERATION,
    &retry_job::OPERATION,
    &cancel_job::OPERATION,
    &discard_job::OPERATION,
    &list_workers::OPERATION,
    &actions::OPERATION,
];
