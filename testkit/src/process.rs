//! The api and the worker as real processes.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::{env, thread};

use punctual_core::config::Keys;
pub use rustix::process::Signal;

use super::client::Client;
use super::message::Request;
use super::{TestDatabase, TestRedis, free_port, program, wait_for};
use punctual_launch::servers::process::{Identity, send};

/// The configuration of the programs of one test. Its api and worker share it, and so its keys.
#[derive(Clone, Debug)]
pub struct Programs {
    environment: Vec<(String, String)>,
}

impl Programs {
    /// Programs on this database, without Redis, relay and request limits.
    #[must_use]
    pub fn on(database: &TestDatabase) -> Self {
        let keys = Keys::write_local(1, &[7; 32]);
        let programs = Self { environment: Vec::new() };
        programs
            .set("DATABASE_URL", database.url())
            .set("PUNCTUAL_JWT_KEYS", &keys)
            .set("PUNCTUAL_LINK_KEYS", &keys)
            .set("PUNCTUAL_LOG_FORMAT", "human")
            .set("PUNCTUAL_API_DRAIN_SECONDS", "0")
            .set("PUNCTUAL_LIMITS", "off")
    }

    /// With this Redis.
    #[must_use]
    pub fn redis(self, redis: &TestRedis) -> Self {
        self.set("REDIS_URL", &redis.url())
    }

    /// With this relay: `smtp://127.0.0.1:…`.
    #[must_use]
    pub fn smtp(self, url: &str) -> Self {
        self.set("SMTP_URL", url)
    }

    /// With an environment variable.
    #[must_use]
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts an api on a free port and waits until it is ready.
    ///
    /// # Panics
    /// When it ends or does not become ready; its log is printed.
    pub async fn api(&self) -> Process {
        let (port, metrics) = (free_port(), format!("127.0.0.1:{}", free_port()));
        self.clone()
            .set("PUNCTUAL_API_LISTEN", &format!("127.0.0.1:{port}"))
            .set("PUNCTUAL_API_METRICS_LISTEN", &metrics)
            .start("api", format!("http://127.0.0.1:{port}"), format!("http://{metrics}"))
            .await
    }

    /// Starts a worker and waits until it works.
    ///
    /// # Panics
    /// As [`Programs::api`].
    pub async fn worker(&self) -> Process {
        let metrics = format!("127.0.0.1:{}", free_port());
        self.clone()
            .set("PUNCTUAL_WORKER_METRICS_LISTEN", &metrics)
            .start("worker", format!("http://{metrics}"), format!("http://{metrics}"))
            .await
    }

    /// Runs a command of the program to its end, with this standard input.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[must_use]
    pub fn run(&self, name: &str, arguments: &[&str], input: &str) -> Output {
        let mut command = self.command(name);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        // A program that does not read its input has closed it; its output shows why.
        let _ = child.stdin.take().expect("its input is piped").write_all(input.as_bytes());
        child.wait_with_output().expect("the end of a child")
    }

    /// Starts the test program `tests-<name>` without waiting until it is ready.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub async fn program(&self, name: &'static str) -> Process {
        Process::spawn(name, self.command(name)).await
    }

    async fn start(self, name: &'static str, url: String, metrics_url: String) -> Process {
        let mut process = Process::spawn(name, self.command(name)).await;
        (process.url, process.metrics_url) = (url, metrics_url);
        wait_for(format!("{name} to be ready"), async || {
            assert!(!process.has_ended(), "{name} ended before it was ready");
            let answer = self.command(name).arg("healthcheck").output().expect("the program starts");
            let said = || String::from_utf8_lossy(&answer.stderr).into_owned();
            if answer.status.success() { Ok(()) } else { Err(said()) }
        })
        .await;
        process
    }

    fn command(&self, name: &str) -> Command {
        let mut command = program_alone(name);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// A command for the test program `tests-<name>`, without the variables of our environment that configure Punctual.
#[must_use]
pub fn program_alone(name: &str) -> Command {
    let mut command = Command::new(program(&format!("tests-{name}")));
    for (variable, _) in env::vars_os() {
        let known = variable.to_string_lossy();
        if known.starts_with("PUNCTUAL_") || known.ends_with("_URL") {
            command.env_remove(&variable);
        }
    }
    command
}

/// A running program. It is killed with the value, and its log is printed when the test fails.
#[derive(Debug)]
pub struct Process {
    name: &'static str,
    url: String,
    metrics_url: String,
    child: Child,
    log: Arc<Mutex<String>>,
}

impl Process {
    /// Starts a program, named `name` in the output of a failed test, without waiting until it is ready.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub async fn spawn(name: &'static str, mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        if let Some(identity) = Identity::of(child.id()) {
            // So that it ends with this process, even after SIGKILL.
            Client::get().await.ask(Request::Adopt { identity }).await.expect("the guard answers");
        }
        let log = Arc::new(Mutex::new(String::new()));
        follow(child.stdout.take(), &log);
        follow(child.stderr.take(), &log);
        Self { name, url: String::new(), metrics_url: String::new(), child, log }
    }

    /// Its name: `api`, `worker` and so on.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Base URL of the api; for a worker, of its metrics.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Base URL of its metrics.
    #[must_use]
    pub fn metrics_url(&self) -> &str {
        &self.metrics_url
    }

    /// Its output so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until it has printed this.
    ///
    /// # Panics
    /// When it does not within a minute.
    pub async fn wait_for_log(&self, text: &str) {
        wait_for(format!("{} to print {text:?}", self.name), async || self.log().contains(text)).await;
    }

    /// Whether it has ended.
    ///
    /// # Panics
    /// When its state cannot be read.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("the state of a child").is_some()
    }

    /// Sends a signal: `STOP` and `CONT` freeze and resume it.
    ///
    /// # Panics
    ///
    /// When the system refuses.
    pub fn signal(&self, signal: Signal) {
        send(self.child.id(), signal, false).expect("a signal to a child");
    }

    /// SIGKILL.
    ///
    /// # Panics
    ///
    /// When it had already ended.
    pub fn kill(mut self) {
        assert!(!self.has_ended(), "{} had ended by itself", self.name);
        self.signal(Signal::KILL);
        let status = self.child.wait().expect("the end of a child");
        assert_eq!(status.signal(), Some(Signal::KILL.as_raw()));
    }

    /// SIGTERM, and its exit status.
    ///
    /// # Panics
    ///
    /// When it does not end within a minute.
    pub async fn stop(self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ended().await
    }

    /// Waits for its end; returns the exit status.
    ///
    /// # Panics
    ///
    /// When it does not end within a minute.
    pub async fn ended(mut self) -> ExitStatus {
        let what = format!("the end of {}", self.name);
        wait_for(what, async || self.child.try_wait().expect("the state of a child")).await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("---- log of the {} ----\n{}", self.name, self.log());
        }
        let _ = send(self.child.id(), Signal::KILL, true);
        let _ = self.child.wait();
    }
}

fn follow(output: Option<impl Read + Send + 'static>, log: &Arc<Mutex<String>>) {
    let Some(output) = output else { return };
    let log = Arc::clone(log);
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            log.push_str(&line);
            log.push('\n');
        }
    });
}
