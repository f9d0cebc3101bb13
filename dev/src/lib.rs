//! `cargo dev`: the whole of Punctual on a developer's machine, and Postgres and Redis for its tests.

pub mod browser;
pub mod command;
pub mod console;
pub mod demo;
pub mod home;
pub mod inbox;
pub mod schema;
pub mod seed;
pub mod stack;
pub mod storm;
pub mod testing;

pub use punctual_launch::servers;
