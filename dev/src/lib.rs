//! `cargo dev`: the whole of Punctual on a developer's machine.

pub mod command;
pub mod console;
pub mod demo;
pub mod home;
pub mod inbox;
pub mod seed;
pub mod stack;

pub use punctual_launch::servers;
