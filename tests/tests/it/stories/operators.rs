//! Operators at the worker's command line.

use punctual_testkit::{Programs, TestDatabase, TestPostgres};
use serde_json::{Value, json};

struct CommandLine {
    programs: Programs,
}

impl CommandLine {
    /// Exit code, standard output and standard error of a command.
    fn run(&self, line: &str) -> (i32, String, String) {
        let arguments: Vec<&str> = line.split(' ').collect();
        let output = self.programs.run("worker", &arguments, "");
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn json(&self, line: &str) -> Value {
        let (code, out, error) = self.run(&format!("{line} --json"));
        assert_eq!(code, 0, "{line}: {error}");
        serde_json::from_str(&out).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn actions_at_the_command_line_are_audited() {
    let database = TestDatabase::create().await;
    let insert = "INSERT INTO queue.jobs (queue, kind, state, max_attempts, run_at, created_at, args)
                  SELECT 'mails', 'mail.send.v1', 'available', 12, at, at, '{\"notification_id\": 1}'
                  FROM generate_series(1, 3), (SELECT clock_timestamp() AS at) AS now RETURNING id";
    let ids: Vec<i64> = sqlx::query_scalar(insert).fetch_all(database.pool()).await.unwrap();
    let cli = CommandLine { programs: Programs::on(&database) };

    let queues = cli.json("queues");
    assert_eq!((&queues["data"][0]["queue"], &queues["data"][0]["available"]), (&json!("mails"), &json!(3)));
    let (_, table, _) = cli.run("queues");
    assert!(
        table.starts_with("QUEUE     IS    SCHEDULED  AVAILABLE")
            && table.contains("\nmails     open  0          3"),
        "{table}"
    );
    let (_, table, _) = cli.run("jobs list --state available --limit 2");
    assert_eq!(table.lines().count(), 4, "headers, two jobs and how to go on: {table}");
    let cursor = table.lines().last().unwrap().strip_prefix("more: --after ").unwrap().to_owned();
    let rest = cli.json(&format!("jobs list --state available --after {cursor}"));
    assert_eq!((rest["data"].as_array().unwrap().len(), &rest["data"][0]["id"]), (1, &json!(ids[2])));

    let (code, said, _) = cli.run(&format!("jobs cancel {} {}", ids[0], ids[1]));
    assert_eq!((code, said.lines().count()), (0, 2), "{said}");
    assert_eq!(cli.json(&format!("jobs show {}", ids[0]))["stop"], "cancelled");
    sqlx::query(
        "UPDATE queue.jobs SET state = 'cancelled', stop = NULL, finalized_at = run_at WHERE id = $1",
    )
    .bind(ids[0])
    .execute(database.pool())
    .await
    .unwrap();
    let (code, _, why) = cli.run(&format!("jobs discard {}", ids[0]));
    assert_eq!((code, why.contains("It has ended.")), (4, true), "{why}");
    assert_eq!(cli.run("jobs retry 999999").0, 3);

    assert_eq!(cli.run("queues pause mails").0, 0);
    assert_eq!(cli.run("queues limit mails --limit 600/m:20").0, 0);
    assert_eq!(cli.run("queues limit mails --key-limit 5/s").0, 0);
    let mails = cli.json("queues")["data"][0].clone();
    assert_eq!(
        mails["limit"],
        json!({ "count": 600, "per_ms": 60_000, "burst": 20 }),
        "what is not named stays"
    );
    assert_eq!((&mails["paused"], &mails["key_limit"]["count"]), (&json!(true), &json!(5)));
    assert_eq!(cli.run("queues resume nails").0, 3);
    assert_eq!(cli.run("queues limit mails").0, 2);
    assert_eq!(cli.run("queues limit mails --limit 5/d").0, 2);
    assert_eq!(cli.json("workers"), json!({ "data": [] }));

    let actions = cli.json("actions");
    let actions = actions["data"].as_array().unwrap();
    let told: Vec<_> = actions.iter().map(|action| action["verb"].as_str().unwrap()).collect();
    assert_eq!(told, ["set_limits", "set_limits", "pause", "cancel", "cancel"]);
    assert!(actions.iter().all(|action| action["operator"] == "cli" && action["user_id"].is_null()));
}

#[tokio::test(flavor = "multi_thread")]
async fn migrate_of_a_release_that_the_schema_refuses_does_not_say_that_all_is_well() {
    let database = TestDatabase::create().await;
    let newer =
        "INSERT INTO _punctual_core_migrations (version, description, success, checksum, execution_time)
                 VALUES (9000, 'of a later release', true, '', 0)";
    sqlx::query(newer).execute(database.pool()).await.unwrap();
    let migrate = || Programs::on(&database).run("api", &["migrate"], "");
    assert!(migrate().status.success(), "a newer schema that accepts this release");

    sqlx::query("UPDATE schema_compatibility SET min_app = 9000").execute(database.pool()).await.unwrap();
    let refused = migrate();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.contains("use a newer release"), "{said}");
    assert_eq!(String::from_utf8(refused.stdout).unwrap(), "");
}

/// What the compose file relies on: a password that would break a URL is given beside it.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_with_special_characters_comes_beside_the_url() {
    let Some(postgres) = TestPostgres::start().await else { return };
    let database = postgres.database();
    let password = "p@ss/w#rd?%20 &$x";
    let create = format!("CREATE ROLE special LOGIN SUPERUSER PASSWORD '{password}'");
    sqlx::raw_sql(sqlx::AssertSqlSafe(create)).execute(database.pool()).await.unwrap();
    let (_, address) = database.url().rsplit_once('@').unwrap();
    let url = format!("postgres://special@{address}");
    let migrate = |password: &str| {
        let programs = Programs::on(database).set("DATABASE_URL", &url).set("PGPASSWORD", password);
        programs.run("api", &["migrate"], "")
    };
    let right = migrate(password);
    assert!(right.status.success(), "{}", String::from_utf8_lossy(&right.stderr));
    assert!(!migrate("wrong").status.success());
}
