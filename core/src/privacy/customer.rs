//! Staff erase a customer.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::erase::{erase, lock, none_to_come};
use crate::transaction::change;
use crate::types::Actor;
use crate::{Core, Error, Result};

/// Erases a customer; only staff may. One who is erased already stays so. An account that the customer belongs to is its
/// owner's to delete: it stays, and its next booking makes a new customer.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::HasBookings`] while an appointment is to come.
pub async fn erase_customer(core: &Core, actor: &Actor, id: Uuid) -> Result<()> {
    if !actor.is_staff() {
        return Err(Error::Forbidden);
    }
    change(core, id, |id, tx, now| Box::pin(run(tx, now, *id))).await?;
    tracing::info!(customer_id = %id, by = ?actor.user_id(), "a customer was erased");
    Ok(())
}

async fn run(tx: &mut PgConnection, now: DateTime<Utc>, id: Uuid) -> Result<()> {
    let known = sqlx::query_scalar!("SELECT id FROM customers WHERE id = $1", id).fetch_optional(&mut *tx);
    known.await?.ok_or(Error::NotFound("customer"))?;
    let locked = lock(tx, &[id]).await?;
    if locked.is_empty() {
        return Ok(());
    }
    none_to_come(tx, now, &locked).await?;
    erase(tx, now, &locked).await
}
