//! Whether a person wants reminders. The choice applies to every customer with the same address, because they share a
//! mailbox; a customer inserted later with that address starts with the same choice.

use chrono::{DateTime, Utc};
use punctual_queue::Payload;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::notifications::{
    EndedMail, NotificationKind, NotificationOutcome, SendNotification, record_ended,
};
use crate::settings;
use crate::transaction::change;
use crate::types::Locale;
use crate::{Core, Error, Result};

/// What the page behind an unsubscribe link shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReminderChoice {
    /// Name of the business.
    pub business_name: String,
    /// The customer's language, else the business's.
    pub locale: Locale,
    /// Whether the customer wants reminders.
    pub wanted: bool,
}

/// What the customer of this unsubscribe link has chosen.
///
/// # Errors
/// [`Error::NotFound`] when the link was revoked or the customer was erased.
pub async fn reminder_choice(core: &Core, customer_id: Uuid, link_epoch: i32) -> Result<ReminderChoice> {
    read(&mut *core.pool.acquire().await?, customer_id, link_epoch).await
}

/// Stores the choice for the customer of this unsubscribe link and for all others with the same address. Without
/// reminders, those not yet sent end as `unwanted`; with reminders, those not yet due are planned again.
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
    if wanted {
        plan_again(tx, now, &customer_ids).await?;
    } else {
        cancel_reminders(tx, now, &customer_ids).await?;
    }
    read(tx, customer_id, link_epoch).await
}

/// Ends the reminders not yet sent. A reminder that is handed off or in doubt is not changed.
async fn cancel_reminders(tx: &mut PgConnection, now: DateTime<Utc>, customer_ids: &[Uuid]) -> Result<()> {
    let ended = sqlx::query!(
        r#"UPDATE notifications
           SET outcome = CASE WHEN doubts > 0 THEN 'in_doubt' ELSE 'unwanted' END::notification_outcome, outcome_at = $2
           WHERE id = ANY(ARRAY(SELECT n.id FROM notifications AS n JOIN bookings AS b ON b.id = n.booking_id
                                WHERE b.customer_id = ANY($1) AND n.kind = 'reminder' AND n.outcome IS NULL
                                  AND n.dot_at IS NULL
                                ORDER BY n.id FOR NO KEY UPDATE OF n))
           RETURNING id, kind AS "kind: NotificationKind", outcome AS "outcome!: NotificationOutcome",
                     enqueued_at IS NOT NULL AS "enqueued!""#,
        customer_ids,
        now,
    )
    .fetch_all(&mut *tx)
    .await?;
    record_ended(ended.iter().map(|row| EndedMail { id: row.id, kind: row.kind, outcome: row.outcome }));
    for row in ended.into_iter().filter(|row| row.enqueued) {
        punctual_queue::cancel_by_key(tx, now, SendNotification::KIND, &row.id.to_string())
            .await
            .map_err(|error| Error::internal("the queue of mails", error))?;
    }
    Ok(())
}

/// Plans the reminders of the current revisions again that are not yet due; the leader enqueues them when they are. If a
/// booking changes concurrently, its new revision plans its own reminders and those of the old one are not handed off.
async fn plan_again(tx: &mut PgConnection, now: DateTime<Utc>, customer_ids: &[Uuid]) -> Result<()> {
    sqlx::query!(
        "UPDATE notifications SET outcome = NULL, outcome_at = NULL, enqueued_at = NULL
         WHERE id = ANY(ARRAY(SELECT n.id FROM notifications AS n JOIN bookings AS b ON b.id = n.booking_id
                              WHERE b.customer_id = ANY($1) AND n.kind = 'reminder' AND n.outcome = 'unwanted'
                                AND n.rev = b.rev AND b.status = 'confirmed' AND n.send_at >= $2
                              ORDER BY n.id FOR NO KEY UPDATE OF n))",
        customer_ids,
        now,
    )
    .execute(tx)
    .await?;
    Ok(())
}
