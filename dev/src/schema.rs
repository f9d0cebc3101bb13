//! Both schemas of Punctual, in the order in which one needs the other.

use anyhow::{Context as _, Result};
use sqlx::PgConnection;

/// Brings a database up to this build: the queue's tables, then core's.
///
/// # Errors
/// When a migration fails.
pub async fn migrate(connection: &mut PgConnection) -> Result<()> {
    punctual_queue::migrate(connection).await.context("the queue's migrations fail")?;
    punctual_core::migrate(connection).await.context("core's migrations fail")?;
    Ok(())
}
