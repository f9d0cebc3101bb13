//! The queue's statements on running jobs, each in one place with the plan it must have.

pub(crate) mod settle;
