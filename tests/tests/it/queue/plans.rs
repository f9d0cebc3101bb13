//! The statements that run each second keep their plans with a million jobs due and a million scheduled.

use sqlx::{AssertSqlSafe, PgConnection};

use super::rig::{Rig, dawn};

/// The text of a statement as it stands in the source, so that what is explained is what runs.
fn statement(source: &str, begin: &str) -> String {
    let from = source.find(begin).unwrap_or_else(|| panic!("{begin} should stand in the source"));
    let rest = &source[from..];
    let end = rest.find("\"#").unwrap_or(usize::MAX).min(rest.find("\",\n").unwrap_or(usize::MAX));
    rest[..end].to_owned()
}

async fn explain(conn: &mut PgConnection, sql: &str, parameters: &str) -> String {
    sqlx::raw_sql(AssertSqlSafe(format!("PREPARE probe AS {sql}"))).execute(&mut *conn).await.unwrap();
    let explain = format!("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) EXECUTE probe ({parameters})");
    let lines: Vec<String> = sqlx::query_scalar(AssertSqlSafe(explain)).fetch_all(&mut *conn).await.unwrap();
    sqlx::raw_sql("DEALLOCATE probe").execute(&mut *conn).await.unwrap();
    lines.join("\n")
}

/// What no plan may have: a look at all jobs, or a sort of more than is asked for.
fn assert_frugal(plan: &str, index: &str) {
    assert!(!plan.contains("Seq Scan on jobs"), "{plan}");
    assert!(plan.contains(index), "it should use {index}: {plan}");
    let buffers = plan.lines().find(|line| line.contains("Buffers:")).unwrap_or_default();
    let pages: u64 =
        buffers.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse::<u64>().ok()).sum();
    assert!(pages < 60_000, "{pages} pages for 100 jobs: {plan}");
}

#[tokio::test]
async fn claim_promote_and_rescue_use_their_indexes_with_two_million_jobs() {
    let rig = Rig::new().await;
    let mut conn = rig.conn().await;
    let fill = "
        INSERT INTO queue.jobs (queue, kind, state, max_attempts, run_at, args, created_at)
        SELECT 'tasks', 'task.v1', CASE WHEN n % 2 = 0 THEN 'available' ELSE 'scheduled' END::queue.job_state, 12,
               $1::timestamptz + CASE WHEN n % 2 = 0 THEN -n ELSE n END * interval '1 millisecond', '{}', $1
        FROM generate_series(1, 2000000) n";
    sqlx::query(fill).bind(dawn()).execute(&mut *conn).await.unwrap();
    sqlx::raw_sql(
        "INSERT INTO queue.sessions (id, name, queues, kinds) VALUES (gen_random_uuid(), 'w', '{}', '{}');
         INSERT INTO queue.sessions (id, name, queues, kinds, ended_at)
             VALUES (gen_random_uuid(), 'dead', '{}', '{}', clock_timestamp());
         UPDATE queue.jobs SET state = 'running', session_id = (SELECT id FROM queue.sessions WHERE name = 'dead')
             WHERE id % 20000 = 0;
         ANALYZE queue.jobs, queue.sessions, queue.kinds",
    )
    .execute(&mut *conn)
    .await
    .unwrap();
    let session: String = sqlx::query_scalar("SELECT id::text FROM queue.sessions WHERE name = 'w'")
        .fetch_one(&mut *conn)
        .await
        .unwrap();
    let now = dawn().to_rfc3339();

    let claims = include_str!("../../../../queue/src/store/claim.rs");
    let claim = statement(claims, "UPDATE queue.jobs")
        .replace("AS \"id: JobId\"", "")
        .replace("AS \"stop: JobState\"", "");
    let parameters = format!("'{session}', 'tasks', '{{task.v1}}', 100, '{now}'");
    let plan = explain(&mut conn, &claim, &parameters).await;
    assert_frugal(&plan, "jobs_ready");

    let promotes = include_str!("../../../../queue/src/store/promote.rs");
    let plan = explain(&mut conn, &statement(promotes, "UPDATE queue.jobs"), &format!("'{now}', 100")).await;
    assert_frugal(&plan, "jobs_waiting");

    let rescues = include_str!("../../../../queue/src/store/rescue.rs");
    let plan = explain(&mut conn, &statement(rescues, "UPDATE queue.jobs"), "100").await;
    assert_frugal(&plan, "jobs_running");
}
