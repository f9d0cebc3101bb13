//! How often clients may ask: a limit is a line of `defaults.env`, what it counts is a [`Policy`], which operation it
//! holds for stands in the table of operations. The guard counts by the client's address before a request is read;
//! what is counted by an e-mail address, the handler says through its [`Allowance`].
//!
//! A limit is a log of the last requests of one subject: exact, so that "3 a day" is three in any 24 hours, and small,
//! because limits are. Each process keeps its own log and asks Redis after it, which knows what the others saw; a
//! client that floods is refused without a word to Redis, and while Redis is away the process' own log decides alone.
//! Subjects are keyed hashes: neither Redis nor a log line ever holds an address.

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
pub use policy::{By, Counts, Policy};
pub use subject::Subject;
