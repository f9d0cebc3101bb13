//! The commands of `cargo dev`, one file each.

pub mod env;
pub mod reset;
pub mod up;
