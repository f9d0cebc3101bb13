//! The worker of chaos runs: see `chaos::worker`.

use std::process::ExitCode;

fn main() -> ExitCode {
    punctual_sim::chaos::worker_main()
}
