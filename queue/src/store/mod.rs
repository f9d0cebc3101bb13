//! The statements that workers run, each once, with the plan it must have.

pub(crate) mod claim;
pub(crate) mod control;
pub(crate) mod interval;
pub(crate) mod leader;
pub(crate) mod promote;
pub(crate) mod prune;
pub(crate) mod rescue;
mod row;
pub(crate) mod session;
pub(crate) mod ticks;
pub(crate) mod transition;
pub(crate) mod unknown;
