//! The process that owns the tests' Postgres and Redis.

use std::process::ExitCode;

fn main() -> ExitCode {
    punctual_testkit::guard::main()
}
