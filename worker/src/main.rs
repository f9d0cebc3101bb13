//! The worker's program.

use std::process::ExitCode;

fn main() -> ExitCode {
    punctual_worker::main()
}
