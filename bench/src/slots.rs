//! `cargo dev bench slots`: what a list of slots costs the database when its table is large.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use punctual_core::calendar::ReminderRule;
use punctual_core::services::{self, ServiceSpec};
use punctual_core::slots::{self, SlotQuery};
use punctual_core::types::Actor;
use punctual_core::{Core, settings};
use punctual_queue::{ManualClock, Wake};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};
use uuid::Uuid;

use super::machine::{STATUS_MISSING, folder_on_disk, start_postgres};
use punctual_dev::{console, seed};
use punctual_launch::servers::{Cluster, Consent, Needs, install_commands, provide};
use punctual_testkit::{haircut, schema};

/// Usual settings of a loaded Postgres, and `pg_stat_statements`, which counts and times the statements.
const SETTINGS: [(&str, &str); 6] = [
    ("shared_buffers", "1GB"),
    ("max_wal_size", "8GB"),
    ("maintenance_work_mem", "256MB"),
    ("shared_preload_libraries", "pg_stat_statements"),
    ("pg_stat_statements.track_planning", "on"),
    ("jit", "off"),
];

/// Members of staff in the table.
const STAFF: i32 = 200;
/// Those whose slots are asked for.
const QUERIED_STAFF: usize = 20;
/// Days of the list.
const DAYS: i64 = 31;
/// How often it is asked for.
const ROUNDS: u32 = 200;
/// Limit for the database time of one list.
const TARGET: Duration = Duration::from_millis(10);

/// Parameters.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Check that it works with a tenth of the bookings; the figures mean nothing
    #[arg(long)]
    quick: bool,
}

/// Starts a Postgres, measures, and removes it again.
///
/// # Errors
/// When it does not start.
pub async fn run(options: Options) -> Result<ExitCode> {
    let needs = Needs { postgres: true, redis: false };
    let Some(postgres) = provide(needs, Consent::Ask, &console::step).postgres else {
        console::problem(&format!("install what is missing and try again:\n\n{}\n", install_commands(needs)));
        return Ok(ExitCode::from(STATUS_MISSING));
    };
    let folder = folder_on_disk()?;
    let cluster = start_postgres(&postgres, folder.path(), &SETTINGS)?;
    let result = measure(&cluster, options.quick).await;
    cluster.stop()?;
    result
}

/// Fills a database, asks for slots, and prints what it cost.
async fn measure(cluster: &Cluster, quick: bool) -> Result<ExitCode> {
    let bookings = if quick { 100_000 } else { 1_000_000 };
    let url = cluster.url("postgres");
    let mut conn = PgConnection::connect(&url).await?;
    schema::migrate(&mut conn).await?;
    sqlx::raw_sql("CREATE EXTENSION pg_stat_statements")
        .execute(&mut conn)
        .await
        .context("pg_stat_statements is not installed (Debian: postgresql-contrib)")?;
    let now: DateTime<Utc> = "2027-05-03T06:00:00Z".parse()?;
    console::step(&format!("filling in {bookings} bookings of {STAFF} members of staff"));
    settings::put(&mut conn, now, &seed::business("http://localhost:8080")?).await?;
    fill(&mut conn, now, bookings).await?;
    let pool = PgPoolOptions::new().max_connections(1).connect(&url).await?;
    let core = Core::new(pool.clone(), ManualClock::at(now), Wake::polling());
    let service_id = service(&core).await?;
    sqlx::raw_sql("VACUUM (ANALYZE)").execute(&mut conn).await?;

    let from = now.date_naive();
    let to = from + TimeDelta::days(DAYS - 1);
    let query = SlotQuery { service_id, staff_id: None, from, to, seats: 1, exclude_booking: None };
    let mut offered = 0;
    for _ in 0..20 {
        offered = slots::list(&core, &query).await?.days.iter().map(|day| day.slots.len()).sum();
    }
    sqlx::raw_sql("SELECT pg_stat_statements_reset()").execute(&mut conn).await?;
    let began = Instant::now();
    for _ in 0..ROUNDS {
        slots::list(&core, &query).await?;
    }
    let each = began.elapsed() / ROUNDS;
    let good = report(&mut conn, &pool, offered, each).await?;
    pool.close().await;
    conn.close().await?;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Work of more than a year: twelve half hours a day for each member of staff, the past completed, one in ten called
/// off, up to the end of the range that is asked for.
async fn fill(conn: &mut PgConnection, now: DateTime<Utc>, bookings: i32) -> Result<()> {
    let statements = [
        "INSERT INTO staff (id, name, created_at, updated_at)
         SELECT md5('staff' || n)::uuid, 'Staff ' || n, $1, $1 FROM generate_series(1, $2::int) AS n WHERE $3::int > 0",
        "INSERT INTO weekly_hours (staff_id, weekday, start_min, end_min)
         SELECT id, day, 480, 1080 FROM staff, generate_series(1, 7) AS day
         WHERE $1::timestamptz IS NOT NULL AND $2::int > 0 AND $3::int > 0",
        "INSERT INTO services (id, name, duration_min, slot_step_min, created_at, updated_at)
         SELECT md5('past')::uuid, 'Other', 30, 30, $1, $1 WHERE $2::int > 0 AND $3::int > 0",
        "INSERT INTO customers (id, origin, email, name, created_at, updated_at)
         SELECT md5('customer' || n)::uuid, 'guest', n || '@example.org', 'Customer ' || n, $1, $1
         FROM generate_series(1, 20000) AS n WHERE $2::int > 0 AND $3::int > 0",
        "INSERT INTO bookings (id, service_id, staff_id, customer_id, status, during, blocked, class_id, seat_no, zone,
                               local_start, service_name, duration_min, price_minor, currency, ics_uid, created_at, updated_at)
         SELECT id, md5('past')::uuid, md5('staff' || (1 + n % $2))::uuid, md5('customer' || (1 + n % 20000))::uuid,
                CASE WHEN n % 10 = 3 THEN 'cancelled' WHEN start < $1 THEN 'completed' ELSE 'confirmed' END::booking_status,
                tstzrange(start, start + interval '30 minutes'), tstzrange(start, start + interval '30 minutes'), id, 1,
                'Europe/Berlin', start AT TIME ZONE 'Europe/Berlin', 'Other', 30, 0, 'EUR', id::text, $1, $1
         FROM (SELECT n, md5('booking' || n)::uuid AS id,
                      date_trunc('day', $1::timestamptz) + interval '31 days' + interval '6 hours'
                      - (n / $2 / 12) * interval '1 day' + (n / $2 % 12) * interval '45 minutes' AS start
               FROM generate_series(1, $3::int) AS n) AS work",
    ];
    for statement in statements {
        sqlx::query(statement).bind(now).bind(STAFF).bind(bookings).execute(&mut *conn).await?;
    }
    Ok(())
}

async fn service(core: &Core) -> Result<Uuid> {
    let mut staff_ids: Vec<Uuid> =
        sqlx::query_scalar("SELECT id FROM staff ORDER BY id").fetch_all(&core.pool).await?;
    staff_ids.truncate(QUERIED_STAFF);
    let spec = ServiceSpec {
        duration_min: 30,
        slot_step_min: 15,
        buffer_after_min: 5,
        min_notice_min: 60,
        reminders: vec![ReminderRule::Offset { minutes: 60 }],
        ..haircut(&staff_ids)
    };
    Ok(services::create(core, &Actor::System, None, spec).await?.value.id)
}

/// Prints each statement with its share; returns whether the result meets the aims.
async fn report(conn: &mut PgConnection, pool: &PgPool, offered: usize, each: Duration) -> Result<bool> {
    let statements: Vec<(String, i64, f64, i64)> = sqlx::query_as(
        "SELECT query, calls, (total_plan_time + total_exec_time) / calls, rows / calls FROM pg_stat_statements
         WHERE calls >= $1 AND query NOT ILIKE '%pg_stat_statements%' ORDER BY 3 DESC",
    )
    .bind(i64::from(ROUNDS))
    .fetch_all(&mut *conn)
    .await?;
    let (mut total, mut calls, mut scans) = (0.0, 0, 0);
    console::line(&format!(
        "{offered} slots of {QUERIED_STAFF} members of staff over {DAYS} days, {ROUNDS} times\n"
    ));
    for (text, count, mean, rows) in &statements {
        let seq = plan(pool, text).await?.contains("Seq Scan on bookings");
        scans += usize::from(seq);
        (total, calls) = (total + mean, calls + count);
        let reads = text.split_whitespace().skip_while(|word| *word != "FROM").nth(1).unwrap_or_default();
        let warning = if seq { "  reads the whole table of bookings" } else { "" };
        console::line(&format!("{mean:>8.2} ms  {rows:>6} rows  {reads}{warning}"));
    }
    let queries = calls / i64::from(ROUNDS);
    console::line(&format!(
        "{total:>8.2} ms in the database, {queries} queries; aim: under {} ms",
        TARGET.as_millis()
    ));
    console::line(&format!("{:>8.2} ms for the caller, in this build", each.as_secs_f64() * 1000.0));
    ensure!(!statements.is_empty(), "no statement was counted");
    Ok(scans == 0 && total < TARGET.as_secs_f64() * 1000.0)
}

/// The generic plan, independent of parameters.
async fn plan(pool: &PgPool, statement: &str) -> Result<String> {
    let mut conn = pool.acquire().await?;
    let parameters = (1..10).take_while(|n| statement.contains(&format!("${n}"))).count();
    let call = match parameters {
        0 => String::new(),
        count => format!("({})", vec!["NULL"; count].join(", ")),
    };
    let prepare = format!("SET plan_cache_mode = force_generic_plan; PREPARE probe AS {statement}");
    sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut *conn).await?;
    let explain = AssertSqlSafe(format!("EXPLAIN EXECUTE probe {call}"));
    let lines: Vec<String> = sqlx::query_scalar(explain).fetch_all(&mut *conn).await?;
    sqlx::raw_sql("DEALLOCATE probe; RESET plan_cache_mode").execute(&mut *conn).await?;
    Ok(lines.join("\n"))
}
