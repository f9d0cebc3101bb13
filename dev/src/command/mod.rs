//! The commands of `cargo dev`, one file each.

pub mod elsewhere;
pub mod env;
pub mod interrupts;
pub mod reset;
pub mod up;
