//! The part of `cargo dev` that depends on no other crate of Punctual: it builds in seconds and works also while the
//! rest does not build, as when a query has changed and its description in `.sqlx` has not yet.

pub mod prepare;
pub mod programs;
pub mod servers;
