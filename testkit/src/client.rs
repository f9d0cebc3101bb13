//! A test process's connection to the guard.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;
use std::{env, fs, process};

use anyhow::{Context as _, Result};

use super::guard::{SERVER_VARIABLE, STATUS_MISSING};
use super::message::{Reply, Request, ServerList};
use super::programs::program;
use super::runtime_folder;

/// The connection stays open while this process runs; the guard sees its end.
pub(super) struct Client {
    pub(super) servers: ServerList,
    stream: Mutex<BufReader<UnixStream>>,
}

impl Client {
    /// The process's connection, opened at the first call, which may wait for an installation.
    pub(super) async fn get() -> &'static Self {
        tokio::task::spawn_blocking(Self::get_blocking).await.expect("the guard's client does not panic")
    }

    fn get_blocking() -> &'static Self {
        static CLIENT: OnceLock<Client> = OnceLock::new();
        CLIENT.get_or_init(|| Self::connect().unwrap_or_else(|error| give_up(&format!("{error:#}"))))
    }

    pub(super) async fn ask(&'static self, request: Request) -> Result<Reply> {
        tokio::task::spawn_blocking(move || self.ask_blocking(&request)).await?
    }

    /// Sends a request without waiting, in a destructor; the guard cleans up at the latest when this process ends.
    pub(super) fn send_on_drop(request: Request) {
        let _ = thread::spawn(move || Self::get_blocking().ask_blocking(&request)).join();
    }

    fn ask_blocking(&self, request: &Request) -> Result<Reply> {
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        exchange(&mut stream, request)
    }

    fn connect() -> Result<Self> {
        let guard = program("tests-guard");
        let server = env::var(SERVER_VARIABLE).ok();
        let locked = runtime_folder::lock(&runtime_folder::path(&guard, server.as_deref()))?;
        let stream = match UnixStream::connect(runtime_folder::socket(&locked.folder)) {
            Ok(stream) => stream,
            Err(_) => start_guard(&guard, &locked.folder)?,
        };
        drop(locked);
        let mut stream = BufReader::new(stream);
        match exchange(&mut stream, &Request::Servers)? {
            Reply::Servers(servers) => Ok(Self { servers, stream: Mutex::new(stream) }),
            Reply::Failed(reason) => anyhow::bail!("{reason}"),
            reply => anyhow::bail!("the guard answered {reply:?}"),
        }
    }
}

/// No test can run: reported once.
fn give_up(reason: &str) -> ! {
    eprint_uncaptured(&format!("\n{reason}\n"));
    process::exit(STATUS_MISSING)
}

/// Prints directly to standard error, because the test harness captures the output of passing tests.
pub(super) fn eprint_uncaptured(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

fn exchange(stream: &mut BufReader<UnixStream>, request: &Request) -> Result<Reply> {
    let mut line = serde_json::to_string(request)?;
    line.push('\n');
    stream.get_mut().write_all(line.as_bytes())?;
    line.clear();
    stream.read_line(&mut line)?;
    serde_json::from_str(&line).context("the guard of the tests' Postgres and Redis has ended")
}

fn start_guard(guard: &Path, folder: &Path) -> Result<UnixStream> {
    let socket = runtime_folder::socket(folder);
    if socket.exists() {
        fs::remove_file(&socket)?; // of a guard that was killed
    }
    let mut child: Child = Command::new(guard)
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {}", guard.display()))?;
    loop {
        if let Ok(stream) = UnixStream::connect(&socket) {
            return Ok(stream);
        }
        if let Some(status) = child.try_wait()? {
            anyhow::bail!("the guard of the tests' Postgres and Redis ended with {status}");
        }
        thread::sleep(Duration::from_millis(5));
    }
}
