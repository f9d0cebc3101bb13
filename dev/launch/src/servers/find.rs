//! Locations of the programs of Postgres and Redis.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest supported Postgres.
const OLDEST_POSTGRES: u32 = 15;

/// A Postgres installation.
#[derive(Clone, Debug)]
pub struct PostgresPrograms {
    /// Major version, 15 or newer.
    pub version: u32,
    /// The server.
    pub postgres: PathBuf,
    /// Makes a cluster.
    pub initdb: PathBuf,
    /// Tells whether a server takes connections.
    pub pg_isready: PathBuf,
    /// Runs SQL.
    pub psql: PathBuf,
}

/// The first supported Postgres on the PATH, else the newest in the usual package folders.
#[must_use]
pub fn find_postgres() -> Option<PostgresPrograms> {
    let on_path = path_folders().into_iter().find_map(|folder| postgres_in(&folder));
    on_path.or_else(|| {
        package_folders().iter().filter_map(|folder| postgres_in(folder)).max_by_key(|p| p.version)
    })
}

/// The Redis server, or Valkey.
#[must_use]
pub fn find_redis() -> Option<PathBuf> {
    let mut folders = path_folders();
    folders.extend(["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"].map(PathBuf::from));
    ["redis-server", "valkey-server"]
        .iter()
        .find_map(|name| folders.iter().map(|folder| folder.join(name)).find(|program| program.is_file()))
}

fn path_folders() -> Vec<PathBuf> {
    env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default()
}

/// Debian and Ubuntu, Red Hat, Homebrew on both kinds of Mac.
fn package_folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for parent in ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt", "/usr"] {
        let Ok(entries) = fs::read_dir(parent) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if parent == "/usr/lib/postgresql" || name.starts_with("postgresql") || name.starts_with("pgsql-")
            {
                folders.push(entry.path().join("bin"));
            }
        }
    }
    folders
}

fn postgres_in(folder: &Path) -> Option<PostgresPrograms> {
    let [postgres, initdb, pg_isready, psql] =
        ["postgres", "initdb", "pg_isready", "psql"].map(|name| folder.join(name));
    if ![&postgres, &initdb, &pg_isready, &psql].iter().all(|program| program.is_file()) {
        return None;
    }
    let output = Command::new(&postgres).arg("--version").output().ok()?;
    let version = major_version(&String::from_utf8_lossy(&output.stdout))?;
    (version >= OLDEST_POSTGRES).then_some(PostgresPrograms { version, postgres, initdb, pg_isready, psql })
}

fn major_version(line: &str) -> Option<u32> {
    let number = line.split_once("(PostgreSQL)")?.1.trim_start();
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::major_version;

    #[test]
    fn versions_are_read_as_postgres_prints_them() {
        assert_eq!(major_version("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n"), Some(15));
        assert_eq!(major_version("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major_version("something else 15"), None);
    }
}
