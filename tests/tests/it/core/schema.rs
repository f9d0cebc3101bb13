//! Which program works with which schema.

use punctual_core::migrate;
use punctual_core::migrate::{SchemaError, check};
use punctual_testkit::TestDatabase;

#[tokio::test]
async fn a_program_accepts_compatible_schemas_only() {
    let database = TestDatabase::create_empty().await;
    let mut conn = database.pool().acquire().await.unwrap();
    assert!(matches!(check(&mut conn).await, Err(SchemaError::Missing)));
    migrate(&mut conn).await.unwrap();
    check(&mut conn).await.unwrap();
    migrate(&mut conn).await.unwrap();

    // A newer release has migrated: fine, as long as it says that programs of this build still work.
    let newer =
        "INSERT INTO _punctual_core_migrations (version, description, success, checksum, execution_time)
                 VALUES (9000, 'of tomorrow', true, '', 0)";
    sqlx::query(newer).execute(&mut *conn).await.unwrap();
    check(&mut conn).await.unwrap();
    migrate(&mut conn).await.unwrap();
    sqlx::query("UPDATE schema_compatibility SET min_app = 9000").execute(&mut *conn).await.unwrap();
    assert!(matches!(check(&mut conn).await, Err(SchemaError::TooNew { needed: 9000, .. })));

    sqlx::query("DELETE FROM _punctual_core_migrations").execute(&mut *conn).await.unwrap();
    sqlx::query("INSERT INTO _punctual_core_migrations VALUES (0, 'of yesterday', now(), true, '', 0)")
        .execute(&mut *conn)
        .await
        .unwrap();
    assert!(matches!(check(&mut conn).await, Err(SchemaError::TooOld { schema: "core", found: 0, .. })));
}

#[tokio::test]
async fn every_table_and_column_is_commented() {
    let database = TestDatabase::create().await;
    let bare: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname || '.' || a.attname
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
         WHERE n.nspname = 'public' AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
           AND c.relname NOT LIKE '\\_%'
           AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid, 'pg_class') IS NULL)
         ORDER BY 1",
    )
    .fetch_all(database.pool())
    .await
    .unwrap();
    assert_eq!(bare, Vec::<String>::new());
}
