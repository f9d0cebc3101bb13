//! The folders of a stack.

use std::fs::{self, DirBuilder, File, Permissions};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, symlink,
};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use punctual_launch::programs::clone_root;

use crate::servers::Account;

/// The folders of one stack.
#[derive(Clone, Debug)]
pub struct Home {
    /// State, keys and logs: `.dev/` in the clone, or a folder in it.
    pub folder: PathBuf,
    /// Data of Postgres and Redis. When run as root it is under the system's var/tmp, where the account of Postgres can
    /// reach it, and `folder/servers` links to it.
    pub servers: PathBuf,
}

impl Home {
    /// The home of `cargo dev`, which stays between runs.
    ///
    /// # Errors
    /// When a folder cannot be made.
    pub fn of_clone() -> Result<Self> {
        Self::open(dot_dev(), "")
    }

    /// A home for one run of the demo.
    ///
    /// # Errors
    ///
    /// When a folder cannot be made.
    pub fn of_demo() -> Result<Self> {
        let name = format!("demo-{}", std::process::id());
        Self::open(dot_dev().join(&name), &format!("-{name}"))
    }

    /// Homes of other runs of the demo, running or killed.
    #[must_use]
    pub fn demos() -> Vec<Self> {
        let entries = fs::read_dir(dot_dev()).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        names
            .filter(|name| name.starts_with("demo-"))
            .filter_map(|name| Self::paths(dot_dev().join(&name), &format!("-{name}")).ok())
            .collect()
    }

    fn open(folder: PathBuf, suffix: &str) -> Result<Self> {
        let home = Self::paths(folder, suffix)?;
        fs::create_dir_all(&home.folder).with_context(|| format!("cannot make {}", home.folder.display()))?;
        fs::set_permissions(&home.folder, Permissions::from_mode(0o700))?;
        match DirBuilder::new().mode(0o711).create(&home.servers) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(error).with_context(|| format!("cannot make {}", home.servers.display()));
            }
            _ => {}
        }
        // In a shared folder another user may have taken the name.
        let metadata = fs::symlink_metadata(&home.servers)?;
        let is_ours = metadata.is_dir() && metadata.uid() == rustix::process::geteuid().as_raw();
        anyhow::ensure!(is_ours, "{} belongs to somebody else", home.servers.display());
        let link = home.folder.join("servers");
        if link != home.servers && fs::symlink_metadata(&link).is_err() {
            symlink(&home.servers, &link)?;
        }
        Ok(home)
    }

    fn paths(folder: PathBuf, suffix: &str) -> Result<Self> {
        let servers = if Account::for_postgres()?.is_some() {
            let clone = clone_root();
            let mut hasher = DefaultHasher::new();
            clone.hash(&mut hasher);
            let name = clone.file_name().unwrap_or_default().to_string_lossy();
            Path::new("/var/tmp").join(format!("punctual-{name}-{:08x}{suffix}", hasher.finish() >> 32))
        } else {
            folder.join("servers")
        };
        Ok(Self { folder, servers })
    }

    /// Removes everything.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn remove(&self) -> Result<()> {
        for folder in [&self.servers, &self.folder] {
            match fs::remove_dir_all(folder) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("cannot remove {}", folder.display()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Removes the data kept between runs; the lock file stays.
    ///
    /// # Errors
    ///
    /// When a file cannot be removed.
    pub fn remove_data(&self) -> Result<()> {
        for entry in fs::read_dir(&self.servers)? {
            fs::remove_dir_all(entry?.path())?;
        }
        for name in ["admin-password", "jwt-keys", "link-keys", "state.json"] {
            let _ = fs::remove_file(self.folder.join(name));
        }
        Ok(())
    }

    /// A secret kept here, created by `make` the first time; readable by this user only.
    ///
    /// # Errors
    ///
    /// When it cannot be read or written.
    pub fn secret(&self, name: &str, make: impl FnOnce() -> Result<String>) -> Result<String> {
        let path = self.folder.join(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(text),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let text = make()?;
                write_private(&path, &text)?;
                Ok(text)
            }
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }
}

fn dot_dev() -> PathBuf {
    clone_root().join(".dev")
}

/// Replaces a file as a whole; only this user can read it.
///
/// # Errors
/// When it cannot be written.
pub fn write_private(path: &Path, text: &str) -> Result<()> {
    let unfinished = path.with_extension("unfinished");
    let mut file =
        fs::OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    fs::rename(&unfinished, path)?;
    Ok(())
}

/// Random bytes from the system.
///
/// # Errors
/// When the system has none to give.
pub fn random_bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .context("no randomness")?;
    Ok(bytes)
}
