//! The commands of `cargo dev`, one file each.

pub mod bench;
pub mod chaos;
pub mod env;
pub(crate) mod interrupts;
pub mod pictures;
pub mod reset;
pub mod up;
