//! Advisory locks by name. They are held until the transaction ends.

use sqlx::PgConnection;

/// Locks the names and returns which of them are locked, in their order. With `wait` all are: the call waits, within
/// `lock_timeout`, for names that other transactions have locked. Locks are taken in one order, so that two calls that
/// wait cannot block each other.
pub(crate) async fn lock_names(
    tx: &mut PgConnection,
    names: &[String],
    wait: bool,
) -> Result<Vec<bool>, sqlx::Error> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    if wait {
        sqlx::query!(
            "SELECT pg_advisory_xact_lock(id)
             FROM (SELECT DISTINCT hashtextextended(name, 0) AS id FROM unnest($1::text[]) AS name ORDER BY id) AS ids",
            names
        )
        .execute(tx)
        .await?;
        return Ok(vec![true; names.len()]);
    }
    sqlx::query_scalar!(
        r#"SELECT pg_try_advisory_xact_lock(hashtextextended(name, 0)) AS "locked!"
           FROM unnest($1::text[]) WITH ORDINALITY AS names (name, place) ORDER BY place"#,
        names
    )
    .fetch_all(tx)
    .await
}
