//! `tests-live <command> [arguments]`: runs a command with a real api and demo data, and exits with its status.

use std::process::ExitCode;

use punctual_testkit::live::Live;

#[tokio::main]
async fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let Some(program) = args.next() else {
        eprintln!("usage: tests-live <command> [arguments]");
        return ExitCode::from(2);
    };
    let status = async { Live::open().await?.run(&program, &args.collect::<Vec<_>>()).await };
    match status.await {
        Ok(status) => {
            status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
