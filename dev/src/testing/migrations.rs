//! The schemas of a test database.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use sqlx::{AssertSqlSafe, Executor as _, PgConnection};

/// The files of queue, then of core, in order.
fn files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let in_order = |folder: &str| {
        let entries = fs::read_dir(root.join(folder)).into_iter().flatten().flatten();
        let mut files: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|e| e == "sql"))
            .collect();
        files.sort();
        files
    };
    [in_order("queue/migrations"), in_order("migrations")].concat()
}

/// Changes whenever the schema does.
pub(super) fn fingerprint() -> Vec<Vec<u8>> {
    files().iter().map(|file| fs::read(file).unwrap_or_default()).collect()
}

pub(super) async fn run(connection: &mut PgConnection) -> Result<()> {
    connection.execute("CREATE SCHEMA IF NOT EXISTS queue").await?;
    for file in files() {
        connection.execute(AssertSqlSafe(fs::read_to_string(file)?)).await?;
    }
    Ok(())
}
