//! A worker for the queue's fault tests: `tests-queue-worker <setup as JSON>`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match punctual_testkit::probe::run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
