//! A record on disk of what a guard runs, so that the next guard can clean up after a killed one.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use punctual_launch::servers::process::Identity;

/// The record of one guard.
#[derive(Debug)]
pub(super) struct Record {
    path: PathBuf,
    content: Mutex<Content>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Content {
    guard: Identity,
    data: PathBuf,
    children: Vec<Identity>,
}

impl Record {
    /// Creates this process's record.
    pub(super) fn new(folder: &Path, data: &Path) -> Result<Self> {
        let guard = Identity::of(std::process::id()).context("cannot read my own start time")?;
        let path = folder.join(format!("guard-{}.json", guard.pid));
        let content = Content { guard, data: data.to_owned(), children: Vec::new() };
        fs::write(&path, serde_json::to_string(&content)?)?;
        Ok(Self { path, content: Mutex::new(content) })
    }

    /// Adds a process to it.
    pub(super) fn add(&self, child: &Identity) -> Result<()> {
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        content.children.retain(Identity::is_alive);
        content.children.push(child.clone());
        Ok(fs::write(&self.path, serde_json::to_string(&*content)?)?)
    }

    /// Removes the record, after everything in it has ended.
    pub(super) fn remove(&self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Ends the processes of killed guards.
pub(super) fn end(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let Ok(content) = serde_json::from_str::<Content>(&fs::read_to_string(&path)?) else {
            fs::remove_file(&path)?; // killed while writing its first line: nothing ran yet
            continue;
        };
        if content.guard.is_alive() {
            continue;
        }
        for child in &content.children {
            child.signal(Signal::QUIT, false)?;
            child.signal(Signal::KILL, true)?;
        }
        let _ = fs::remove_dir_all(&content.data);
        fs::remove_file(&path)?;
    }
    Ok(())
}
