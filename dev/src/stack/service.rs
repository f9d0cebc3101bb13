//! One of our programs as a child: started, watched, its log shown, stopped.

use std::fs;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::process::Signal;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::watch::Restarts;
use crate::console::{self, Colour};
use crate::servers::process::{self, Identity};

/// Longer than the programs' own grace period: a program that exceeds it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(40);

/// Where a child's log goes.
#[derive(Clone, Debug)]
pub enum Log {
    /// To the console, behind the child's name.
    Shown(Colour),
    /// To a file.
    File(PathBuf),
}

/// How a child is started.
#[derive(Clone, Debug)]
pub struct Service {
    /// Name shown to people.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Added to our own environment; `None` removes a variable.
    pub environment: Vec<(&'static str, Option<String>)>,
    /// Where its log goes.
    pub log: Log,
}

/// A child that was started.
#[derive(Debug)]
pub struct Running {
    /// How it was started.
    pub service: Service,
    /// How often it had to be started again.
    pub restarts: Restarts,
    child: Child,
    identity: Identity,
}

impl Service {
    /// Starts it in its own process group, so that Ctrl-C reaches only this program, which stops all children in order.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn start(&self) -> Result<Running> {
        let mut command = Command::new(&self.program);
        self.set_environment(&mut command);
        command.stdin(Stdio::null()).process_group(0).kill_on_drop(true);
        match &self.log {
            Log::Shown(_) => command.stdout(Stdio::piped()).stderr(Stdio::piped()),
            Log::File(path) => {
                let file = fs::OpenOptions::new().create(true).append(true).open(path)?;
                command.stdout(file.try_clone()?).stderr(file)
            }
        };
        let mut child =
            command.spawn().with_context(|| format!("cannot start {}", self.program.display()))?;
        if let Log::Shown(colour) = self.log {
            follow(&self.name, colour, child.stdout.take());
            follow(&self.name, colour, child.stderr.take());
        }
        let identity =
            child.id().and_then(Identity::of).with_context(|| format!("{} ended at once", self.name))?;
        Ok(Running { service: self.clone(), restarts: Restarts::new(), child, identity })
    }

    /// Runs one of the program's sub-commands and returns its output.
    ///
    /// # Errors
    /// When it cannot be started or fails; its output is in the message.
    pub async fn call(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.program);
        self.set_environment(&mut command);
        let output = command.args(arguments).stdin(Stdio::null()).kill_on_drop(true).output().await?;
        let said = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "{} {} fails: {said}", self.name, arguments.join(" "));
        Ok(String::from_utf8(output.stdout)?)
    }

    fn set_environment(&self, command: &mut Command) {
        for (name, value) in &self.environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
    }
}

impl Running {
    /// Its process.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The end of its log where that is a file, to show why it ended.
    #[must_use]
    pub fn log_end(&self) -> String {
        let Log::File(path) = &self.service.log else { return String::new() };
        let text = fs::read_to_string(path).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        format!(":\n{}", lines[lines.len().saturating_sub(10)..].join("\n"))
    }

    /// How it ended, `None` while it runs.
    ///
    /// # Errors
    /// Those of waitpid(2).
    pub fn try_wait(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Asks it to finish what it does and waits for its end.
    ///
    /// # Errors
    /// When it cannot be signalled.
    pub async fn stop(mut self) -> Result<()> {
        if self.try_wait()?.is_some() {
            return Ok(());
        }
        process::send(self.identity.pid, Signal::TERM, false)?;
        if timeout(STOP_TIMEOUT, self.child.wait()).await.is_err() {
            console::problem(&format!("{} does not stop: killed", self.service.name));
            process::send(self.identity.pid, Signal::KILL, true)?;
            self.child.wait().await?;
        }
        Ok(())
    }
}

fn follow(name: &str, colour: Colour, output: Option<impl AsyncRead + Unpin + Send + 'static>) {
    let Some(output) = output else { return };
    let name = name.to_owned();
    tokio::spawn(async move {
        let mut lines = BufReader::new(output).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            console::log_line(&name, colour, &line);
        }
    });
}
