//! Every row of every table as text, so that what is left of a person is found wherever it lies.

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

    /// Rows that hold the text, in upper or lower case.
    pub fn rows_with(&self, text: &str) -> Vec<&String> {
        let text = text.to_lowercase();
        self.0.iter().filter(|row| row.to_lowercase().contains(&text)).collect()
    }

    /// Which of the texts are left, with a row that holds each.
    pub fn left_of<'a>(&self, texts: &[&'a str]) -> Vec<(&'a str, String)> {
        texts
            .iter()
            .filter_map(|text| self.rows_with(text).first().map(|row| (*text, (*row).clone())))
            .collect()
    }
}
