//! Erasing a customer on request of staff.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::erase::{erase, lock, require_no_future_bookings};
use crate::transaction::change;
use crate::types::Actor;
use crate::{Core, Error, Result, customers};

/// Erases a person by one of their customers: all rows of the same account or address, unless staff marked them as separate
/// people; only staff may. Erasing twice changes nothing. An account the customer belongs to stays, because only
/// its owner may delete it; its next booking inserts a new customer.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::HasBookings`] while an appointment is upcoming.
pub async fn erase_customer(core: &Core, actor: &Actor, id: Uuid) -> Result<()> {
    if !actor.is_staff() {
        return Err(Error::Forbidden);
    }
    change(core, id, |id, tx, now| Box::pin(run(tx, now, *id))).await?;
    tracing::info!(customer_id = %id, by = ?actor.caller_id(), "a customer was erased");
    Ok(())
}

async fn run(tx: &mut PgConnection, now: DateTime<Utc>, id: Uuid) -> Result<()> {
    let known = sqlx::query_scalar!("SELECT id FROM customers WHERE id = $1", id).fetch_optional(&mut *tx);
    known.await?.ok_or(Error::NotFound("customer"))?;
    let person = customers::person_of(tx, id).await?;
    let locked = lock(tx, &person).await?;
    if locked.is_empty() {
        return Ok(());
    }
    require_no_future_bookings(tx, now, &locked).await?;
    erase(tx, now, &locked).await
}
