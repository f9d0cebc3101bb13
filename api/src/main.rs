//! The api's program.

use std::process::ExitCode;

/// Password hashing needs 19 MiB at a time between small requests, which fragments the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    punctual_api::main()
}
