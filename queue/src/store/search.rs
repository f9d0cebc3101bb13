//! Which of some jobs say something.

use sqlx::PgConnection;

/// Those of these jobs whose unique key, limit key, note, last error or payload contains `text`, without case; in the
/// order given.
pub(crate) async fn containing(
    conn: &mut PgConnection,
    ids: &[i64],
    text: &str,
) -> Result<Vec<i64>, sqlx::Error> {
    // Plan: jobs_pkey for each id.
    sqlx::query_scalar!(
        r#"SELECT j.id FROM unnest($1::bigint[]) WITH ORDINALITY AS p (id, place) JOIN queue.jobs j ON j.id = p.id
           WHERE position(lower($2) IN lower(concat_ws(' ', j.unique_key, j.limit_key, j.note,
                                                       j.errors -> -1 ->> 'error', j.args::text))) > 0
           ORDER BY p.place"#,
        ids,
        text,
    )
    .fetch_all(&mut *conn)
    .await
}
