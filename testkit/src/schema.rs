//! Both schemas of Punctual.

use anyhow::{Context as _, Result};
use sqlx::PgConnection;
use sqlx::migrate::Migrator;

/// Migrates a database to this build: the queue's schema, then core's.
///
/// # Errors
///
/// When a migration fails.
pub async fn migrate(connection: &mut PgConnection) -> Result<()> {
    punctual_core::migrate(connection).await.context("a migration fails")
}

/// Changes whenever a migration does.
#[must_use]
pub fn fingerprint() -> Vec<u8> {
    let migrators = [&punctual_queue::MIGRATOR, &punctual_core::migrate::MIGRATOR];
    migrators.into_iter().flat_map(Migrator::iter).flat_map(|migration| migration.checksum.to_vec()).collect()
}
