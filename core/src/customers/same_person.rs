//! Which customers are one person.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::Result;

/// The customers that are the same person as this one: those of the same account or address, unless staff marked them as
/// separate people. Includes the customer itself.
pub(crate) async fn person_of(db: &mut PgConnection, id: Uuid) -> Result<Vec<Uuid>> {
    let ids = sqlx::query_scalar!(
        r#"SELECT id AS "id!" FROM customers WHERE id = $1
           UNION
           SELECT other.id FROM customers AS c JOIN customers AS other ON other.email = c.email
           WHERE c.id = $1 AND NOT c.separate AND NOT other.separate AND other.erased_at IS NULL
           UNION
           SELECT other.id FROM customers AS c JOIN customers AS other ON other.user_id = c.user_id
           WHERE c.id = $1 AND NOT c.separate AND NOT other.separate AND other.erased_at IS NULL"#,
        id
    )
    .fetch_all(db)
    .await?;
    Ok(ids)
}
