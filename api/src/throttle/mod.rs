//! Request limits. The number of a limit is in `defaults.env`, what it counts is a [`Policy`], and operations declare their
//! policies. The guard counts by the client's address before a request is read; the handler counts by e-mail address
//! through its [`Allowance`].
//!
//! A limit is a log of the last requests of one subject, so that "3 a day" is exactly three in any 24 hours. Each process
//! checks its own log first, then the shared one in Redis. A flooding client is refused without a call to Redis; while Redis
//! is unavailable the process's own log decides alone. Subjects are keyed hashes: neither Redis nor a log line contains an
//! address.

mod allowance;
mod fields;
mod hash_permit;
mod limiter;
mod logs;
mod policy;
mod shared;
mod subject;

pub use allowance::Allowance;
pub use fields::Fields;
pub use hash_permit::HashPermit;
pub use limiter::Throttle;
pub use policy::{Counts, KeyedBy, Policy};
pub use subject::Subject;
