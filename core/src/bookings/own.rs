//! What an account's pages need beside the list of its bookings.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{Core, Result};

/// The epochs of the manage links of an account's bookings, by booking.
pub async fn link_epochs(core: &Core, user_id: Uuid) -> Result<HashMap<Uuid, i32>> {
    let rows = sqlx::query!(
        r#"SELECT b.id, b.link_epoch + c.link_epoch AS "epoch!"
           FROM bookings AS b JOIN customers AS c ON c.id = b.customer_id WHERE c.user_id = $1"#,
        user_id
    )
    .fetch_all(&core.pool)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.epoch)).collect())
}
