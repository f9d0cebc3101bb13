//! Deleting an account and the personal data of its owner.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::erase::{erase, lock, require_no_future_bookings};
use crate::transaction::change;
use crate::types::Role;
use crate::{Core, Error, Result, idempotency, notifications};

/// Deletes an account after its owner has given the password: sessions end, its customers are erased, its unsent mails are
/// cancelled. A member of staff it belonged to stays, without an account.
///
/// # Errors
/// [`Error::HasBookings`] while an appointment is upcoming: the customer has to cancel it, within the service's notice.
/// [`Error::LastAdmin`] for the only administrator. [`Error::SessionEnded`] when the account is gone.
pub async fn delete_account(core: &Core, id: Uuid) -> Result<()> {
    change(core, id, |id, tx, now| Box::pin(run(tx, now, *id))).await?;
    tracing::info!(user_id = %id, "an account was deleted by its owner");
    Ok(())
}

async fn run(tx: &mut PgConnection, now: DateTime<Utc>, id: Uuid) -> Result<()> {
    // With this lock no concurrent booking can insert a customer of this account.
    let role = sqlx::query_scalar!(r#"SELECT role AS "role: Role" FROM users WHERE id = $1 FOR UPDATE"#, id)
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(Error::SessionEnded)?;
    if role == Role::Admin {
        not_the_last(tx).await?;
    }
    let customers =
        sqlx::query_scalar!(
            r#"SELECT id AS "id!" FROM customers WHERE user_id = $1
               UNION
               SELECT c.id FROM customers AS c JOIN users ON users.email = c.email
               WHERE users.id = $1 AND users.email_verified_at IS NOT NULL AND c.user_id IS NULL AND NOT c.separate"#,
            id
        )
        .fetch_all(&mut *tx)
        .await?;
    let customers = lock(tx, &customers).await?;
    require_no_future_bookings(tx, now, &customers).await?;
    erase(tx, now, &customers).await?;
    notifications::forget_account(tx, now, id).await?;
    idempotency::forget_account(tx, id).await?;
    let deleted = sqlx::query!("DELETE FROM users WHERE id = $1", id).execute(tx).await?;
    if deleted.rows_affected() == 1 {
        Ok(())
    } else {
        Err(Error::internal("deleting an account", "it went under its lock"))
    }
}

/// Locks all administrators, so that two who delete themselves concurrently cannot both succeed; a deadlock of the two is
/// retried.
async fn not_the_last(tx: &mut PgConnection) -> Result<()> {
    let admins = sqlx::query_scalar!("SELECT id FROM users WHERE role = 'admin' ORDER BY id FOR UPDATE")
        .fetch_all(tx)
        .await?;
    if admins.len() > 1 { Ok(()) } else { Err(Error::LastAdmin) }
}
