//! The statements that run each second, and those of the lists for operators, keep their plans with millions of jobs.

use chrono::TimeDelta;
use sqlx::{AssertSqlSafe, PgConnection};

use super::test_queue::{TestQueue, start_time};

/// The text of a statement as it is in the source, so that the explained statement is the one that runs; without sqlx's notes on
/// the names of columns.
pub fn statement(source: &str, begin: &str) -> String {
    let from = source.find(begin).unwrap_or_else(|| panic!("{begin} should stand in the source"));
    let rest = &source[from..];
    let is_raw = source[..from].ends_with("r#\"");
    let end = rest.find(if is_raw { "\"#" } else { "\"" }).unwrap();
    let mut text = String::new();
    for (place, part) in rest[..end].split(" AS \"").enumerate() {
        text.push_str(if place == 0 { part } else { part.split_once('"').unwrap().1 });
    }
    text
}

/// The plan of a statement, and how many pages it touched.
pub async fn explain(conn: &mut PgConnection, sql: &str, parameters: &str) -> (String, u64) {
    let prepare = format!("BEGIN; PREPARE probe AS {sql}");
    sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut *conn).await.unwrap();
    let call = if parameters.is_empty() { String::new() } else { format!("({parameters})") };
    let explain = format!("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) EXECUTE probe {call}");
    let lines: Vec<String> = sqlx::query_scalar(AssertSqlSafe(explain)).fetch_all(&mut *conn).await.unwrap();
    // Rolled back, so that each statement runs on the original data.
    sqlx::raw_sql("ROLLBACK; DEALLOCATE probe").execute(&mut *conn).await.unwrap();
    // The first line of buffers is the whole statement's: shared hit=… read=… dirtied=…
    let buffers = lines.iter().find(|line| line.contains("Buffers:")).cloned().unwrap_or_default();
    let pages = ["hit=", "read="].iter().filter_map(|word| {
        let number = buffers.split_once(word)?.1;
        number.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u64>().ok()
    });
    (lines.join("\n"), pages.sum())
}

/// A statement as it is in a file of the queue, called so, must use these indexes, look at no other job, and touch no
/// more pages than this.
struct Bound {
    source: &'static str,
    begin: &'static str,
    parameters: String,
    indexes: &'static [&'static str],
    pages: u64,
}

impl Bound {
    /// What is wrong with the plan, if anything is.
    async fn breach(&self, conn: &mut PgConnection) -> Option<String> {
        let sql = statement(self.source, self.begin);
        let (plan, pages) = explain(conn, &sql, &self.parameters).await;
        println!("{pages} of at most {} pages: {}", self.pages, sql.lines().next().unwrap_or_default());
        if plan.contains("Seq Scan on jobs") {
            return Some(format!("it looks at all jobs:\n{plan}"));
        }
        if let Some(index) = self.indexes.iter().find(|index| !plan.contains(**index)) {
            return Some(format!("it should use {index}:\n{plan}"));
        }
        (pages > self.pages).then(|| format!("{pages} pages instead of at most {}:\n{plan}", self.pages))
    }
}

/// A million jobs due, 300,000 of them before all others and of a kind that nobody takes, a million scheduled, a hundred
/// thousand ended; a hundred run in a dead session, a hundred in one that lives, a few are rescued, a few to be stopped.
async fn fill(conn: &mut PgConnection) {
    let fill = "
        INSERT INTO queue.jobs (queue, kind, state, max_attempts, run_at, args, created_at)
        SELECT 'tasks', CASE WHEN n % 2 = 0 AND n > 1400000 THEN 'other.v1' ELSE 'task.v1' END,
               CASE WHEN n % 2 = 0 THEN 'available' ELSE 'scheduled' END::queue.job_state, 12,
               $1::timestamptz + CASE WHEN n % 2 = 0 THEN -n ELSE n END * interval '1 millisecond', '{}', $1
        FROM generate_series(1, 2000000) n";
    sqlx::query(fill).bind(start_time()).execute(&mut *conn).await.unwrap();
    let ended = "
        INSERT INTO queue.jobs (queue, kind, state, max_attempts, run_at, args, created_at, finalized_at)
        SELECT 'tasks', 'task.v1', CASE WHEN n % 1000 = 0 THEN 'discarded' ELSE 'completed' END::queue.job_state, 12, $1,
               '{}', $1, $1::timestamptz + n * interval '1 second'
        FROM generate_series(1, 100000) n";
    sqlx::query(ended).bind(start_time()).execute(&mut *conn).await.unwrap();
    sqlx::raw_sql(
        "INSERT INTO queue.sessions (id, name, queues, kinds) VALUES (gen_random_uuid(), 'w', '{tasks}', '{task.v1}');
         INSERT INTO queue.sessions (id, name, queues, kinds, ended_at)
             VALUES (gen_random_uuid(), 'dead', '{}', '{}', clock_timestamp());
         INSERT INTO queue.kinds VALUES ('task.v1', clock_timestamp());
         UPDATE queue.jobs SET state = 'running', attempt = 1, session_id = (SELECT id FROM queue.sessions WHERE name = 'dead')
             WHERE id % 20000 = 0 AND state = 'available';
         UPDATE queue.jobs SET state = 'running', attempt = 1, session_id = (SELECT id FROM queue.sessions WHERE name = 'w')
             WHERE id % 20000 = 2 AND state = 'available';
         UPDATE queue.jobs SET rescues = 1 WHERE id % 100000 = 4 AND state = 'available';
         UPDATE queue.jobs SET stop = 'discarded' WHERE id % 100000 = 6 AND state = 'available'",
    )
    .execute(&mut *conn)
    .await
    .unwrap();
    sqlx::raw_sql("VACUUM (ANALYZE) queue.jobs").execute(&mut *conn).await.unwrap();
    sqlx::raw_sql("ANALYZE queue.sessions, queue.kinds").execute(&mut *conn).await.unwrap();
}

/// What workers run: a hundred jobs each, some thirteen pages a job.
fn of_workers(session: &str) -> Vec<Bound> {
    let now = start_time().to_rfc3339();
    let later = (start_time() + TimeDelta::days(2)).to_rfc3339();
    let claims = include_str!("../../../../queue/src/store/claim.rs");
    let part = |source: &'static str, from: &str| &source[source.find(from).unwrap()..];
    vec![
        Bound {
            source: claims,
            begin: "UPDATE queue.jobs",
            parameters: format!("'{session}', 'tasks', '{{task.v1}}', 100, '{now}', -32768, NULL, 0"),
            indexes: &["jobs_ready", "jobs_pkey"],
            pages: 4_000,
        },
        Bound {
            source: claims,
            begin: "UPDATE queue.jobs",
            parameters: format!(
                "'{session}', 'tasks', '{{task.v1}}', 100, '{now}', 0, '{later}'::timestamptz - '2 days 900 s'::interval, 7"
            ),
            indexes: &["jobs_ready", "jobs_pkey", "ROW(priority, run_at, id) >"],
            pages: 4_000,
        },
        Bound {
            source: claims,
            begin: "UPDATE queue.jobs",
            parameters: format!(
                "'{session}', 'tasks', '{{a.v1,b.v1,other.v1,task.v1}}', 100, '{now}', -32768, NULL, 0"
            ),
            indexes: &["jobs_ready", "jobs_pkey"],
            pages: 5_000,
        },
        Bound {
            source: part(claims, "async fn rescued"),
            begin: "UPDATE queue.jobs",
            parameters: format!("'{session}', '{{tasks}}', '{{task.v1}}', '{now}'"),
            indexes: &["jobs_rescued", "jobs_pkey"],
            pages: 200,
        },
        Bound {
            source: part(claims, "async fn stopped"),
            begin: "UPDATE queue.jobs",
            parameters: format!("'{session}', '{{task.v1}}', 100, '{now}'"),
            indexes: &["jobs_stop", "jobs_pkey"],
            pages: 1_000,
        },
        Bound {
            source: part(claims, "async fn give_back_unknown"),
            begin: "UPDATE queue.jobs",
            parameters: format!("'{session}', '{{1,2,3}}'"),
            indexes: &["jobs_running"],
            pages: 4_000,
        },
        Bound {
            source: include_str!("../../../../queue/src/store/promote.rs"),
            begin: "UPDATE queue.jobs",
            parameters: format!("'{later}', 100"),
            indexes: &["jobs_waiting", "jobs_pkey"],
            pages: 4_000,
        },
        Bound {
            source: include_str!("../../../../queue/src/store/rescue.rs"),
            begin: "UPDATE queue.jobs",
            parameters: format!("100, '{{task.v1}}', '{later}'"),
            indexes: &["jobs_running", "jobs_pkey"],
            pages: 4_000,
        },
        Bound {
            source: include_str!("../../../../queue/src/store/prune.rs"),
            begin: "DELETE FROM queue.jobs",
            parameters: format!("'{later}', '{later}', 100"),
            indexes: &["jobs_final", "jobs_pkey"],
            pages: 2_000,
        },
        Bound {
            source: include_str!("../../../../queue/src/store/unknown.rs"),
            begin: "WITH RECURSIVE pairs",
            parameters: format!("'{later}', '1 day', 'nobody takes it', 100"),
            indexes: &["jobs_ready", "jobs_rescued", "jobs_pkey"],
            pages: 5_000,
        },
    ]
}

/// How ends are written down: five hundred leases, of which every fifth is of a job that runs. The index of those that
/// run would do as well here, but in a busy queue it is full of what ended since the last vacuum.
fn of_settlers() -> Vec<Bound> {
    let now = start_time().to_rfc3339();
    let settles = include_str!("../../../../queue/src/store/transition.rs");
    let (mut ids, mut leases, mut states, mut none, mut not) = (vec![], vec![], vec![], vec![], vec![]);
    for number in 0..500 {
        ids.push((2 + number * 4_000).to_string());
        leases.push("0");
        states.push("completed");
        none.push("NULL");
        not.push("false");
    }
    let array = |parts: &[&str]| format!("'{{{}}}'", parts.join(","));
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let (none, not) = (array(&none), array(&not));
    vec![
        Bound {
            source: settles,
            begin: "UPDATE queue.jobs j",
            parameters: format!(
                "'{now}', {}, {}, {}, {none}, {none}, {none}, {not}, {not}, {not}",
                array(&ids),
                array(&leases),
                array(&states)
            ),
            indexes: &["jobs_pkey"],
            pages: 5_000,
        },
        Bound {
            source: settles,
            begin: "UPDATE queue.jobs AS j SET state = 'completed'",
            parameters: format!("{}, {}, '{now}'", array(&ids[..16]), array(&leases[..16])),
            indexes: &["jobs_pkey"],
            pages: 500,
        },
    ]
}

/// What people look at: a page of fifty; the depths are the one statement that counts all that lives.
fn of_people() -> Vec<Bound> {
    let now = start_time().to_rfc3339();
    let later = (start_time() + TimeDelta::days(2)).to_rfc3339();
    let lists = include_str!("../../../../queue/src/ops/list.rs");
    vec![
        Bound {
            source: lists,
            begin: "SELECT 0::smallint AS \"priority!\", run_at",
            parameters: format!("'scheduled', 'tasks', 'task.v1', '{now}', 77, 51"),
            indexes: &["Index Only Scan using jobs_waiting"],
            pages: 100,
        },
        Bound {
            source: lists,
            begin: "WITH RECURSIVE pairs",
            parameters: format!("NULL, 'task.v1', 0, '{now}', 77, 51"),
            indexes: &["jobs_ready", "jobs_rescued"],
            pages: 500,
        },
        Bound {
            source: lists,
            begin: "SELECT 0::smallint AS \"priority!\", coalesce(attempted_at",
            parameters: "'tasks', NULL, NULL, NULL, 51".to_owned(),
            indexes: &["jobs_running"],
            pages: 500,
        },
        Bound {
            source: lists,
            begin: "SELECT 0::smallint AS \"priority!\", finalized_at",
            parameters: format!("'discarded', 'tasks', NULL, '{later}', 77, 51"),
            indexes: &["jobs_final"],
            pages: 200,
        },
        Bound {
            source: lists,
            begin: "SELECT j.id",
            parameters: "'{5,500,50000}'".to_owned(),
            indexes: &["jobs_pkey"],
            pages: 50,
        },
        Bound {
            source: include_str!("../../../../queue/src/ops/workers.rs"),
            begin: "SELECT s.id",
            parameters: "interval '10 s'".to_owned(),
            indexes: &["jobs_running"],
            pages: 500,
        },
        Bound {
            source: include_str!("../../../../queue/src/ops/queues.rs"),
            begin: "WITH counted",
            parameters: format!("'{now}', interval '15 s'"),
            indexes: &[
                "jobs_ready",
                "jobs_rescued",
                "Only Scan using jobs_waiting",
                "jobs_running",
                "jobs_final",
            ],
            pages: 60_000,
        },
    ]
}

#[tokio::test]
async fn statements_use_their_indexes_with_two_million_jobs() {
    let test = TestQueue::new().await;
    let mut conn = test.conn().await;
    fill(&mut conn).await;
    let session: String = sqlx::query_scalar("SELECT id::text FROM queue.sessions WHERE name = 'w'")
        .fetch_one(&mut *conn)
        .await
        .unwrap();
    let mut breaches = Vec::new();
    for bound in of_workers(&session).into_iter().chain(of_settlers()).chain(of_people()) {
        breaches.extend(bound.breach(&mut conn).await);
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n\n"));
}
