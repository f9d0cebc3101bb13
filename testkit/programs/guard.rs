//! The process that owns the Postgres and Redis servers of a test run.

use std::process::ExitCode;

fn main() -> ExitCode {
    punctual_testkit::guard::main()
}
