//! The api's program.

use std::process::ExitCode;

fn main() -> ExitCode {
    punctual_api::main()
}
