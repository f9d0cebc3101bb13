//! The part of `cargo dev` without dependencies on other crates of Punctual. It builds in seconds, also while the rest
//! does not build, for example after a query changed and before its description in `.sqlx` is updated.

pub mod prepare;
pub mod programs;
pub mod servers;
