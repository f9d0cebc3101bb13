//! Limits on how many jobs start per period, over all workers.

mod gcra;
pub(crate) mod limit;
pub(crate) mod limiter;
