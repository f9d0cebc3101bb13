//! `cargo dev bench growth`: the database's cost of a read and a booking as the business grows.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use chrono::{Days, TimeDelta, Utc};
use punctual_core::bookings::{self, Booker, NewBooking, RequestedSlot, SlotSource};
use punctual_core::idempotency::IdempotencyKey;
use punctual_core::pool::{self, PoolSettings};
use punctual_core::slots::{self, SlotQuery};
use punctual_core::types::{Actor, Note, Role};
use punctual_core::{Core, Error};
use punctual_launch::programs::clone_root;
use punctual_queue::{ServerClock, Wake};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};
use uuid::Uuid;

use super::machine::{STATUS_MISSING, folder_on_disk, start_postgres};
use punctual_dev::console;
use punctual_launch::servers::{Cluster, Consent, Needs, install_commands, provide};
use punctual_testkit::schema;

/// Multiples of the smallest business: 50 members of staff, 1,000 accounts, 10,000 bookings.
const SCALES: [u64; 3] = [1, 10, 100];
/// Operations of each kind at each size.
const OPERATIONS: u64 = 500;
const SETTINGS: [(&str, &str); 3] =
    [("shared_buffers", "1GB"), ("shared_preload_libraries", "pg_stat_statements"), ("max_wal_size", "8GB")];

/// What to write.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Skip the largest size
    #[arg(long)]
    quick: bool,
    /// File for the plot, SVG
    #[arg(long)]
    plot: Option<PathBuf>,
}

/// Milliseconds of database time per operation, and the number of statements.
#[derive(Clone, Copy)]
struct Cost {
    millis: f64,
    statements: f64,
}

struct Measured {
    scale: u64,
    read: Cost,
    booking: Cost,
}

/// Fills the database, measures, prints a table and draws the plot.
///
/// # Errors
///
/// When Postgres does not start or lacks `pg_stat_statements`.
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
    let measured = result?;
    println!(
        "| staff | accounts | bookings | a list of slots, ms | its statements | a booking, ms | its statements |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|");
    for Measured { scale, read, booking } in &measured {
        println!(
            "| {} | {} | {} | {:.3} | {:.0} | {:.3} | {:.0} |",
            50 * scale,
            1000 * scale,
            10_000 * scale,
            read.millis,
            read.statements,
            booking.millis,
            booking.statements
        );
    }
    if let Some(path) = options.plot {
        fs::write(path, plot(&measured))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn measure(cluster: &Cluster, quick: bool) -> Result<Vec<Measured>> {
    let url = cluster.url("postgres");
    schema::migrate(&mut PgConnection::connect(&url).await?).await?;
    let settings = PoolSettings {
        program: "bench",
        connections: 1,
        statement_timeout: Duration::from_mins(10),
        acquire_timeout: Duration::from_secs(5),
    };
    let pool = pool::connect(&url, &settings)?;
    sqlx::raw_sql("CREATE EXTENSION pg_stat_statements").execute(&pool).await?;
    let core = Core::new(pool.clone(), ServerClock::start(&pool).await?, Wake::connect(None)?);
    let filling = fs::read_to_string(clone_root().join("bench/growth.sql"))?;
    let mut measured = Vec::new();
    for scale in SCALES.into_iter().take(if quick { 2 } else { SCALES.len() }) {
        console::step(&format!("{} bookings", 10_000 * scale));
        let filling = filling.replace("{scale}", &scale.to_string());
        sqlx::raw_sql(AssertSqlSafe(filling)).execute(&pool).await?;
        sqlx::raw_sql("VACUUM ANALYZE").execute(&pool).await?;
        // A first run to warm caches and prepare statements.
        for count in [20, OPERATIONS] {
            sqlx::raw_sql("SELECT pg_stat_statements_reset()").execute(&pool).await?;
            for place in 0..count {
                read(&core, scale, place).await?;
            }
            let read = cost(&pool, count).await?;
            sqlx::raw_sql("SELECT pg_stat_statements_reset()").execute(&pool).await?;
            for place in 0..count {
                book(&core, scale, place, count).await?;
            }
            let booking = cost(&pool, count).await?;
            if count == OPERATIONS {
                measured.push(Measured { scale, read, booking });
            }
        }
    }
    Ok(measured)
}

/// An id in a scattered order.
fn id(family: u64, place: u64, of: u64) -> Uuid {
    let number = 1 + place.wrapping_mul(2_654_435_761) % of;
    Uuid::from_u128(0x7000_0000_0000_0000_0000 | u128::from(family) << 60 | u128::from(number))
}

async fn read(core: &Core, scale: u64, place: u64) -> Result<(), Error> {
    let from = core.clock.now().date_naive() + Days::new(place % 20);
    let query = SlotQuery {
        service_id: id(9, 0, 1),
        staff_id: Some(id(8, place, 50 * scale)),
        from,
        to: from + Days::new(6),
        seats: 1,
        exclude_booking: None,
    };
    slots::list(core, &query).await.map(drop)
}

async fn book(core: &Core, scale: u64, place: u64, round: u64) -> Result<()> {
    let today = core.clock.now().date_naive();
    // From 16:00 to 20:00 nothing is booked yet: each place is asked for once in a round.
    let turn = (place / (50 * scale)) % 80;
    let day = today + Days::new(1 + turn / 4 + if round == OPERATIONS { 0 } else { 25 });
    let hour = i64::try_from(16 + turn % 4)?;
    let start = day.and_hms_opt(0, 0, 0).unwrap_or_default().and_local_timezone(Utc).single();
    let start = start.unwrap_or_default() + TimeDelta::hours(hour);
    let actor = Actor::Account { user_id: id(10, place, 1000 * scale), role: Role::Customer };
    let key = IdempotencyKey::parse(&format!("{round}-{place}"))?;
    let new = NewBooking {
        slot: SlotSource::Slot(RequestedSlot {
            service_id: id(9, 0, 1),
            staff_id: Some(staff(place, scale)),
            start,
            seats: 1,
        }),
        booker: Booker::Myself,
        for_whom: None,
        customer_note: Note::empty(),
        staff_note: Note::empty(),
        reminders: true,
        overriding: false,
        no_mail: false,
    };
    bookings::create(core, &actor, Some(&key), new).await?;
    Ok(())
}

/// Members of staff in turn, so that none is asked twice for one start.
fn staff(place: u64, scale: u64) -> Uuid {
    let number = 1 + place % (50 * scale);
    Uuid::from_u128(0x7000_8000_0000_0000_0000 | u128::from(number))
}

async fn cost(pool: &PgPool, operations: u64) -> Result<Cost> {
    let (millis, calls): (f64, i64) = sqlx::query_as(
        "SELECT sum(total_exec_time + total_plan_time), sum(calls)::bigint FROM pg_stat_statements
         WHERE query NOT LIKE '%pg_stat_statements%'",
    )
    .fetch_one(pool)
    .await?;
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let each = |total: f64| total / operations as f64;
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    Ok(Cost { millis: each(millis), statements: each(calls as f64) })
}

/// Cost against size, the size logarithmic.
fn plot(measured: &[Measured]) -> String {
    let highest = measured.iter().map(|m| m.booking.millis.max(m.read.millis)).fold(0.1, f64::max) * 1.15;
    let mut svg = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 640 300\" font-family=\"sans-serif\" font-size=\"12\">\
         <rect width=\"640\" height=\"300\" fill=\"#fff\"/><path d=\"M30 20V250H620\" fill=\"none\" stroke=\"#333\"/>",
    );
    let place = |index: usize, millis: f64| {
        #[expect(clippy::cast_precision_loss, reason = "three points")]
        let x = 120.0 + 200.0 * index as f64;
        (x, 250.0 - 230.0 * millis / highest)
    };
    for (index, m) in measured.iter().enumerate() {
        let (x, _) = place(index, 0.0);
        let label = format!("{} bookings, {} staff", 10_000 * m.scale, 50 * m.scale);
        let _ = write!(svg, "<text x=\"{x}\" y=\"270\" text-anchor=\"middle\" fill=\"#333\">{label}</text>");
    }
    let lines = [("a list of slots", "#1b7f5c", 0), ("a booking", "#2456a6", 1)];
    for (name, colour, which) in lines {
        let millis = |m: &Measured| if which == 0 { m.read.millis } else { m.booking.millis };
        let points: Vec<_> =
            measured.iter().enumerate().map(|(index, m)| (place(index, millis(m)), millis(m))).collect();
        let path: Vec<String> = points.iter().map(|((x, y), _)| format!("{x:.0},{y:.0}")).collect();
        let _ = write!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            path.join(" ")
        );
        for ((x, y), millis) in points {
            let _ = write!(
                svg,
                "<circle cx=\"{x:.0}\" cy=\"{y:.0}\" r=\"4\" fill=\"{colour}\"/>\
                 <text x=\"{x:.0}\" y=\"{:.0}\" text-anchor=\"middle\" fill=\"{colour}\">{name}: {millis:.2} ms</text>",
                y - 10.0
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}
