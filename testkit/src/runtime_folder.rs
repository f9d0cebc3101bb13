//! The folder in which the test processes of one clone find their guard.

use std::env;
use std::fs::{self, DirBuilder, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// The folder with its lock, which is held while connecting to a guard or ending as one.
pub(super) struct Locked {
    pub(super) folder: PathBuf,
    _lock: File,
}

/// A folder of this user, named after the guard's program and the configured server, so that runs that must not share a
/// guard use different folders. Short, because a socket's path has at most 107 bytes.
pub(super) fn path(guard_program: &Path, server: Option<&str>) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    (guard_program, server).hash(&mut hasher);
    let user = rustix::process::geteuid().as_raw();
    env::temp_dir().join(format!("punctual-{user}-{:016x}", hasher.finish()))
}

/// Creates the folder if needed and takes its lock.
pub(super) fn lock(folder: &Path) -> Result<Locked> {
    loop {
        create(folder)?;
        let lock_path = folder.join("lock");
        let file = match fs::OpenOptions::new().create(true).truncate(false).write(true).open(&lock_path) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue, // a guard has just removed the folder
            file => file?,
        };
        file.lock().with_context(|| format!("cannot lock {}", lock_path.display()))?;
        // A guard may have removed the file meanwhile: then its lock has no effect.
        if fs::metadata(&lock_path)
            .is_ok_and(|there| file.metadata().is_ok_and(|ours| ours.ino() == there.ino()))
        {
            return Ok(Locked { folder: folder.to_owned(), _lock: file });
        }
    }
}

impl Locked {
    /// Removes the folder, unless another guard uses it.
    pub(super) fn remove(self) {
        if !socket(&self.folder).exists() {
            let _ = fs::remove_file(self.folder.join("lock"));
            let _ = fs::remove_dir(&self.folder);
        }
    }
}

fn create(folder: &Path) -> Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            return Err(error).with_context(|| format!("cannot make {}", folder.display()));
        }
        _ => {}
    }
    // Another user can create a folder of this name in a shared temporary folder.
    let Ok(metadata) = fs::symlink_metadata(folder) else { return Ok(()) };
    let user = rustix::process::geteuid().as_raw();
    let is_ours = metadata.is_dir() && metadata.uid() == user && metadata.mode() & 0o777 == 0o700;
    anyhow::ensure!(is_ours, "{} belongs to somebody else", folder.display());
    Ok(())
}

/// The guard's socket.
pub(super) fn socket(folder: &Path) -> PathBuf {
    folder.join("guard.sock")
}
