//! What the worker asks four times a second costs the same with a long feed and a thousand endpoints.

use crate::mails::test_worker::TestWorker;
use crate::queue::plans::{explain, statement};

/// 50,000 events, and a thousand endpoints that have all of them.
const FEED: &str = "
    INSERT INTO catalogue_events (subject, subject_id, change, at)
    SELECT 'staff', gen_random_uuid(), 'updated', now() FROM generate_series(1, 50000);
    INSERT INTO webhook_endpoints (id, url, cursor_xid, cursor_id, key_name, created_at, updated_at)
    SELECT gen_random_uuid(), 'https://example.org/', pg_current_xact_id(), 9223372036854775807, 'a', now(), now()
    FROM generate_series(1, 1000)";

#[tokio::test]
async fn fan_out_and_the_lag_touch_few_pages_of_a_long_feed() {
    let test = TestWorker::without_worker().await;
    let mut conn = test.salon.core.pool.acquire().await.unwrap();
    sqlx::raw_sql(FEED).execute(&mut *conn).await.unwrap();
    sqlx::raw_sql("ANALYZE catalogue_events, webhook_endpoints").execute(&mut *conn).await.unwrap();
    let fan_out = include_str!("../../../../core/src/webhooks/fan_out.rs");
    let read = include_str!("../../../../core/src/changes/read.rs");
    for (source, begin) in [(fan_out, "SELECT head.xid"), (read, "SELECT min(feed.at)")] {
        let (plan, pages) = explain(&mut conn, &statement(source, begin), "").await;
        assert!(plan.contains("catalogue_events_feed"), "{plan}");
        assert!(pages <= 50, "{pages} pages:\n{plan}");
    }
}
