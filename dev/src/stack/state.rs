//! The state file of a running stack: read by a second `cargo dev`, by `cargo dev env`, and by the run after a killed
//! one.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use crate::home::{Home, write_private};
use crate::servers::process::Identity;

const STOP_TIMEOUT: Duration = Duration::from_secs(40);

/// The addresses of a stack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    /// Base URL of the API.
    pub api: String,
    /// The inbox' page, `None` where mails go to a server of one's own.
    pub inbox: Option<String>,
    /// Where mails are sent.
    pub smtp: String,
    /// Connection URL with password.
    pub database: String,
    /// Connection URL, `None` where there is no Redis.
    pub redis: Option<String>,
}

/// A running child process and its stop signal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Name shown to people.
    pub name: String,
    /// Its process.
    pub identity: Identity,
    /// Whether it is Postgres, which needs another signal.
    pub is_postgres: bool,
}

/// The file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    /// The process that owns the children.
    pub owner: Identity,
    /// Where what runs is.
    pub addresses: Addresses,
    /// In the order in which they stop.
    pub children: Vec<Recorded>,
}

impl State {
    /// The file's content, `None` when there is none that can be read.
    #[must_use]
    pub fn read(home: &Home) -> Option<Self> {
        serde_json::from_str(&fs::read_to_string(path(home)).ok()?).ok()
    }

    /// Replaces the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, home: &Home) -> Result<()> {
        write_private(&path(home), &serde_json::to_string_pretty(self)?)
    }

    /// Removes the file: nothing of it runs any more.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove(home: &Home) -> Result<()> {
        match fs::remove_file(path(home)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).context("cannot remove the state")
            }
            _ => Ok(()),
        }
    }
}

fn path(home: &Home) -> PathBuf {
    home.folder.join("state.json")
}

/// The lock's holder runs the stack of this home. The kernel releases it when the holder ends.
pub struct Lock(#[expect(dead_code, reason = "held, not read")] fs::File);

impl Lock {
    /// Takes the lock; `None` when another process has it.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn take(home: &Home) -> Result<Option<Self>> {
        let path = home.folder.join("lock");
        let file = fs::OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(error).context("cannot lock"),
        }
    }
}

/// Stops what a killed run left; its number of processes. The caller holds the lock.
///
/// # Errors
/// When a process cannot be stopped.
pub async fn end_leftovers(home: &Home) -> Result<usize> {
    let Some(state) = State::read(home) else { return Ok(0) };
    let left: Vec<&Recorded> = state.children.iter().filter(|child| child.identity.is_alive()).collect();
    for child in &left {
        child.identity.signal(if child.is_postgres { Signal::INT } else { Signal::TERM }, false)?;
        let deadline = Instant::now() + STOP_TIMEOUT;
        while child.identity.is_alive() {
            if Instant::now() > deadline {
                child.identity.signal(Signal::KILL, true)?;
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
    State::remove(home)?;
    Ok(left.len())
}
