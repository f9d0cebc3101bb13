//! Both schemas of Punctual, in the order in which one needs the other.

use std::borrow::Cow;
use std::sync::LazyLock;

use anyhow::{Context as _, Result};
use sqlx::PgConnection;
use sqlx::migrate::Migrator;

static CORE: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrator = sqlx::migrate!("../migrations");
    migrator.table_name = Cow::Borrowed("public._punctual_core_migrations");
    migrator
});

/// Brings a database up to this build: the queue's tables, then core's.
///
/// # Errors
/// When a migration fails.
pub async fn migrate(connection: &mut PgConnection) -> Result<()> {
    punctual_queue::migrate(connection).await.context("the queue's migrations fail")?;
    CORE.run(connection).await.context("core's migrations fail")
}

/// Changes whenever a migration does.
#[must_use]
pub fn fingerprint() -> Vec<u8> {
    [&punctual_queue::MIGRATOR, &CORE]
        .into_iter()
        .flat_map(Migrator::iter)
        .flat_map(|m| m.checksum.to_vec())
        .collect()
}
