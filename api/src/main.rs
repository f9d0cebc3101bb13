//! The api's program.

use std::process::ExitCode;

/// A password is verified in 19 MiB at a time, between requests of a few KiB: the system's allocator keeps the holes.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    punctual_api::main()
}
