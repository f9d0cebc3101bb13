//! Every row of every table as text, to find remaining personal data.

use std::collections::BTreeSet;

use sqlx::PgPool;

/// All rows, as `table {row}`.
pub struct Dump(BTreeSet<String>);

impl Dump {
    pub async fn of(pool: &PgPool) -> Self {
        let tables: Vec<String> = sqlx::query_scalar(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
             WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
        )
        .fetch_all(pool)
        .await
        .unwrap();
        assert!(tables.len() > 20, "{tables:?}");
        let mut rows = BTreeSet::new();
        for table in tables {
            let statement = sqlx::AssertSqlSafe(format!("SELECT row_to_json(t)::text FROM {table} AS t"));
            let found: Vec<String> = sqlx::query_scalar(statement).fetch_all(pool).await.unwrap();
            rows.extend(found.into_iter().map(|row| format!("{table} {row}")));
        }
        Self(rows)
    }

    /// Rows that contain the text, ignoring case.
    pub fn rows_with(&self, text: &str) -> Vec<&String> {
        let text = text.to_lowercase();
        self.0.iter().filter(|row| row.to_lowercase().contains(&text)).collect()
    }

    /// The texts that still occur, each with a row.
    pub fn left_of<'a>(&self, texts: &[&'a str]) -> Vec<(&'a str, String)> {
        texts
            .iter()
            .filter_map(|text| self.rows_with(text).first().map(|row| (*text, (*row).clone())))
            .collect()
    }
}
