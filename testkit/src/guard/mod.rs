//! The guard owns the servers of a test run and outlives every test process.

use std::env;
use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::net::UnixListener as StdUnixListener;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

use self::servers::Servers;
use super::runtime_folder;

mod connection;
mod leftovers;
mod servers;

/// Names a Postgres server to use instead of a local cluster.
pub(super) const SERVER_VARIABLE: &str = "PUNCTUAL_TEST_DATABASE_URL";
/// Exit status where a server is missing and could not be installed.
pub(super) const STATUS_MISSING: i32 = 2;

/// Entry point of `tests-guard <folder>`, which test processes start.
#[must_use]
pub fn main() -> ExitCode {
    let Some(folder) = env::args_os().nth(1).map(PathBuf::from) else {
        say("started by the tests, not by hand");
        return ExitCode::FAILURE;
    };
    // Its own session: Ctrl-C ends the tests, whose end then ends the guard.
    let _ = rustix::process::setsid();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(run(&folder))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn say(text: &str) {
    let _ = writeln!(io::stderr(), "tests: {text}");
}

async fn run(folder: &Path) -> Result<()> {
    let listener = StdUnixListener::bind(runtime_folder::socket(folder)).context("cannot listen")?;
    listener.set_nonblocking(true)?;
    let servers = Servers::start(folder).await.map_err(|error| format!("{error:#}"));
    // No output from here on, so that a reader of the tests' output sees its end when they end.
    let null = fs::OpenOptions::new().write(true).open("/dev/null")?;
    rustix::stdio::dup2_stderr(&null)?;
    let servers = Arc::new(servers);
    serve(folder, &listener, &servers).await?;
    if let Some(Ok(servers)) = Arc::into_inner(servers) {
        servers.end().await?;
    }
    runtime_folder::lock(folder)?.remove();
    Ok(())
}

type Shared = Arc<Result<Servers, String>>;

/// Serves until the last connection has closed and none is about to open.
async fn serve(folder: &Path, listener: &StdUnixListener, servers: &Shared) -> Result<()> {
    let acceptor = UnixListener::from_std(listener.try_clone()?)?;
    let (mut terminate, mut hangup) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = acceptor.accept() => {
                connections.spawn(connection::serve(accepted?.0, Arc::clone(servers)));
            }
            Some(_) = connections.join_next() => {
                if !connections.is_empty() {
                    continue;
                }
                // Test processes connect under this lock: once we hold it, a process that held it has connected.
                let locked = runtime_folder::lock(folder)?;
                match listener.accept() {
                    Ok((stream, _)) => {
                        stream.set_nonblocking(true)?;
                        connections.spawn(connection::serve(UnixStream::from_std(stream)?, Arc::clone(servers)));
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        fs::remove_file(runtime_folder::socket(&locked.folder))?;
                        return Ok(());
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            _ = terminate.recv() => break,
            _ = hangup.recv() => {}
        }
    }
    fs::remove_file(runtime_folder::socket(folder))?;
    connections.shutdown().await;
    Ok(())
}
