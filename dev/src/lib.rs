//! `cargo dev`: the whole of Punctual on a developer's machine, and Postgres and Redis for its tests.

pub mod servers;
pub mod testing;
