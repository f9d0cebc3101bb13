//! Whether a person wants reminders. The choice applies to every customer with the same address, because they share a
//! mailbox; a customer inserted later with that address starts with the same choice.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::notifications::{cancel_reminders, plan_reminders_again};
use crate::settings;
use crate::transaction::change;
use crate::types::Locale;
use crate::{Core, Error, Result};

/// What the page of an unsubscribe link shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReminderChoice {
    /// Name of the business.
    pub business_name: String,
    /// The customer's language, else the business's.
    pub locale: Locale,
    /// Whether the customer wants reminders.
    pub wanted: bool,
}

/// The choice of the customer of this unsubscribe link.
///
/// # Errors
/// [`Error::NotFound`] when the link was revoked or the customer was erased.
pub async fn reminder_choice(core: &Core, customer_id: Uuid, link_epoch: i32) -> Result<ReminderChoice> {
    read(&mut *core.pool.acquire().await?, customer_id, link_epoch).await
}

/// Stores the choice for the customer of this unsubscribe link and for all others with the same address. Without
/// reminders, unsent ones end as `unwanted`; with reminders, those not yet due are planned again, except of bookings without
/// reminders.
///
/// # Errors
/// As [`reminder_choice`].
pub async fn choose_reminders(
    core: &Core,
    customer_id: Uuid,
    link_epoch: i32,
    wanted: bool,
) -> Result<ReminderChoice> {
    change(core, (customer_id, link_epoch, wanted), |&(customer_id, link_epoch, wanted), tx, now| {
        Box::pin(choose(tx, now, customer_id, link_epoch, wanted))
    })
    .await
}

async fn read(db: &mut PgConnection, customer_id: Uuid, link_epoch: i32) -> Result<ReminderChoice> {
    let row = sqlx::query!(
        r#"SELECT locale AS "locale: Locale", reminders FROM customers
           WHERE id = $1 AND link_epoch = $2 AND erased_at IS NULL"#,
        customer_id,
        link_epoch,
    )
    .fetch_optional(&mut *db)
    .await?
    .ok_or(Error::NotFound("customer"))?;
    let business = settings::get(db).await?;
    Ok(ReminderChoice {
        business_name: business.name,
        locale: row.locale.unwrap_or(business.locale),
        wanted: row.reminders,
    })
}

async fn choose(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    customer_id: Uuid,
    link_epoch: i32,
    wanted: bool,
) -> Result<ReminderChoice> {
    read(tx, customer_id, link_epoch).await?;
    // Rows are locked in the order of their ids, as in every statement that locks several.
    let customer_ids = sqlx::query_scalar!(
        "UPDATE customers SET reminders = $2, updated_at = $3
         WHERE id = ANY(ARRAY(SELECT c.id FROM customers AS c JOIN customers AS same ON same.email = c.email
                              WHERE same.id = $1 AND c.erased_at IS NULL ORDER BY c.id FOR NO KEY UPDATE OF c))
         RETURNING id",
        customer_id,
        wanted,
        now,
    )
    .fetch_all(&mut *tx)
    .await?;
    let booking_ids = sqlx::query_scalar!(
        "SELECT id FROM bookings WHERE customer_id = ANY($1) AND status IN ('pending', 'confirmed') AND lower(during) > $2",
        &customer_ids,
        now,
    )
    .fetch_all(&mut *tx)
    .await?;
    if wanted {
        plan_reminders_again(tx, now, &booking_ids).await?;
    } else {
        cancel_reminders(tx, now, &booking_ids).await?;
    }
    read(tx, customer_id, link_epoch).await
}
