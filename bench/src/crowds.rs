//! `cargo dev bench crowds`: guests who book at once. One to four api processes on one Postgres; a thousand clients who want
//! one member of staff; and a sale's opening, with 5,000 clients at one instant for 200 places.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use chrono::{DateTime, Days, TimeDelta, Utc};
use punctual_dev::console;
use serde_json::json;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::setup::{Api, ProgramOptions, Setup, rate, with_program};
use crate::storm::load::Latencies;
use crate::wire::{self, Wire};

/// The service of `bench/punctual.sql`.
const SERVICE: &str = "00000000-0000-7000-9000-000000000001";
/// The members of staff of `bench/punctual.sql`.
const STAFF: usize = 5_000;
/// Bookings of a day that fit into the hours of one of them.
const A_DAY: usize = 8;
/// Starts of a day, each half hour.
const STARTS: usize = 2 * A_DAY - 1;
/// Days in which one member of staff is wanted: within the horizon of the service.
const DAYS: usize = 20;
/// Connections that book in the first part.
const CLIENTS: usize = 64;
/// One of so many places of the first part is wanted by two clients at once, usually by way of different processes.
const CONTESTED: usize = 10;
/// Clients who want one member of staff, and those who book other ones meanwhile.
const FANS: usize = 1_000;
const STRANGERS: usize = 16;
/// Clients and places of the opening.
const BUYERS: usize = 5_000;
const PLACES: i32 = 200;
/// Attempts of a client who is told to come back.
const TRIES: usize = 5;

/// Number of the next request's idempotency key.
static NEXT_KEY: AtomicUsize = AtomicUsize::new(0);

/// Size of the run.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Duration of each measurement of the first two parts in seconds
    #[arg(long, default_value_t = 8)]
    seconds: u64,
    /// Check that it works with a tenth of everybody; the figures mean nothing
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    program: ProgramOptions,
}

/// Measures and prints tables.
///
/// # Errors
/// When a server does not start, a request fails, or a place is not sold exactly once.
pub async fn run(options: Options) -> Result<ExitCode> {
    with_program("punctual-api", &options.program, async |setup| {
        let crowds = Crowds::open(setup, &options).await?;
        crowds.scale_out().await?;
        crowds.hot_spot().await?;
        crowds.opening(1).await?;
        crowds.opening(2).await
    })
    .await
}

struct Crowds {
    setup: Setup,
    length: Duration,
    /// How many times fewer clients come.
    divisor: usize,
    /// 09:00 of the first day that is booked.
    opens: DateTime<Utc>,
}

/// The answers to the requests of one part.
#[derive(Default)]
struct Answers {
    booked: Vec<Duration>,
    refused: Vec<Duration>,
    /// Answers that said to come back later.
    busy: usize,
}

impl Answers {
    fn add(&mut self, other: Self) {
        self.booked.extend(other.booked);
        self.refused.extend(other.refused);
        self.busy += other.busy;
    }
}

impl Crowds {
    #[expect(clippy::disallowed_methods, reason = "what is measured is booked by the time of this machine")]
    async fn open(setup: Setup, options: &Options) -> Result<Self> {
        sqlx::query("UPDATE settings SET guests_allowed = true").execute(&setup.pool).await?;
        let day = Utc::now().date_naive() + Days::new(7);
        let opens = day.and_hms_opt(9, 0, 0).context("no such time")?.and_utc();
        let divisor = if options.quick { 10 } else { 1 };
        let seconds = if options.quick { 1 } else { options.seconds };
        Ok(Self { setup, length: Duration::from_secs(seconds), divisor, opens })
    }

    async fn apis(&self, count: usize) -> Result<Vec<Api>> {
        let mut apis = Vec::new();
        for _ in 0..count {
            apis.push(self.setup.api().await?);
        }
        Ok(apis)
    }

    /// The first part: places that are wanted once, and some that are wanted twice.
    async fn scale_out(&self) -> Result<()> {
        console::line(
            "\n| api processes | bookings/s | refused/s | p50, ms | p99, ms |\n| ---: | ---: | ---: | ---: | ---: |",
        );
        for count in [1, 2, 4] {
            self.clear().await?;
            let apis = self.apis(count).await?;
            let turn = Arc::new(AtomicUsize::new(0));
            let start = Instant::now();
            let mut clients = JoinSet::new();
            for client in 0..CLIENTS {
                let mut wire = Wire::connect(&apis[client % count].address).await?;
                let (turn, opens, length) = (Arc::clone(&turn), self.opens, self.length);
                clients.spawn(async move {
                    let mut answers = Answers::default();
                    while start.elapsed() < length {
                        let turn = turn.fetch_add(1, Ordering::Relaxed);
                        let (group, within) = (turn / (CONTESTED + 1), turn % (CONTESTED + 1));
                        // The last turn of a group wants the place of the one before.
                        let place = group * CONTESTED + within.min(CONTESTED - 1);
                        let day = u64::try_from(place / (STAFF * A_DAY))?;
                        let hour = i64::try_from(place / STAFF % A_DAY)?;
                        let start = opens + Days::new(day) + TimeDelta::hours(hour);
                        let body = request(SERVICE, Some(member(place % STAFF + 1)), start, turn);
                        book(&mut wire, &body, &mut answers).await?;
                    }
                    anyhow::Ok(answers)
                });
            }
            let answers = all(clients).await?;
            let took = start.elapsed();
            self.check_sold(answers.booked.len()).await?;
            let (booked, refused) = (answers.booked.len(), answers.refused.len());
            let latencies = Latencies::of(answers.booked);
            console::line(&format!(
                "| {count} | {:.0} | {:.0} | {:.0} | {:.0} |",
                rate(booked, took),
                rate(refused, took),
                latencies.ms(0.5),
                latencies.ms(0.99),
            ));
            self.setup.print_statements(&format!("{count} api processes")).await?;
        }
        Ok(())
    }

    /// The second part: all want one of the places of one member of staff, which are soon gone.
    async fn hot_spot(&self) -> Result<()> {
        self.clear().await?;
        let apis = self.apis(1).await?;
        let address = &apis[0].address;
        let start = Instant::now();
        let (mut fans, mut strangers) = (JoinSet::new(), JoinSet::new());
        let (opens, length) = (self.opens, self.length);
        for client in 0..FANS / self.divisor {
            let mut wire = Wire::connect(address).await?;
            fans.spawn(async move {
                let mut answers = Answers::default();
                for round in 0.. {
                    if start.elapsed() >= length {
                        break;
                    }
                    // In another order for each client.
                    let place = (client * 7_919 + round * 104_729) % (DAYS * STARTS);
                    let day = u64::try_from(place / STARTS)?;
                    let start =
                        opens + Days::new(day) + TimeDelta::minutes(30) * i32::try_from(place % STARTS)?;
                    let body = request(SERVICE, Some(member(1)), start, client);
                    book(&mut wire, &body, &mut answers).await?;
                }
                anyhow::Ok(answers)
            });
        }
        for client in 0..STRANGERS {
            let mut wire = Wire::connect(address).await?;
            strangers.spawn(async move {
                let mut answers = Answers::default();
                for round in 0.. {
                    if start.elapsed() >= length {
                        break;
                    }
                    let place = 1 + client + round * STRANGERS;
                    let hour = i64::try_from(place / (STAFF - 1) % A_DAY)?;
                    let start = opens + TimeDelta::hours(hour);
                    let body = request(SERVICE, Some(member(place % (STAFF - 1) + 2)), start, FANS + client);
                    book(&mut wire, &body, &mut answers).await?;
                }
                anyhow::Ok(answers)
            });
        }
        let (fans, strangers) = (all(fans).await?, all(strangers).await?);
        let took = start.elapsed();
        self.check_sold(fans.booked.len() + strangers.booked.len()).await?;
        console::line(&format!(
            "\n| {} clients for one member of staff | answers/s | number | p50, ms | p99, ms |\n| --- | ---: | ---: | ---: | ---: |",
            FANS / self.divisor
        ));
        let row = |name: &str, latencies: Vec<Duration>| {
            let (count, latencies) = (latencies.len(), Latencies::of(latencies));
            let (p50, p99) = (latencies.ms(0.5), latencies.ms(0.99));
            console::line(&format!("| {name} | {:.0} | {count} | {p50:.0} | {p99:.0} |", rate(count, took)));
        };
        row("booked", fans.booked);
        row("refused, with alternatives", fans.refused);
        row("booked meanwhile with others", strangers.booked);
        self.setup.print_statements("one member of staff").await?;
        ensure!(fans.busy + strangers.busy == 0, "{} were told to come back", fans.busy + strangers.busy);
        Ok(())
    }

    /// The third part: all want a seat of one class at the same instant.
    async fn opening(&self, processes: usize) -> Result<()> {
        self.clear().await?;
        let apis = self.apis(processes).await?;
        let (service, places) = (punctual_queue::new_id(self.opens), PLACES / i32::try_from(self.divisor)?);
        let statement = "
            WITH class AS (
                INSERT INTO services (id, name, duration_min, slot_step_min, price_minor, capacity, created_at, updated_at)
                VALUES ($1, 'Concert', 60, 60, 4500, $2, clock_timestamp(), clock_timestamp())
            ), performer AS (
                INSERT INTO service_staff (service_id, staff_id) VALUES ($1, $3)
            ) UPDATE settings SET calendar_rev = calendar_rev + 1";
        sqlx::query(statement).bind(service).bind(places).bind(member(1)).execute(&self.setup.pool).await?;
        let clients = BUYERS / self.divisor;
        let barrier = Arc::new(Barrier::new(clients + 1));
        let mut buyers = JoinSet::new();
        for client in 0..clients {
            let mut wire = Wire::connect(&apis[client % processes].address).await?;
            let (barrier, opens) = (Arc::clone(&barrier), self.opens);
            buyers.spawn(async move {
                let body = request(&service.to_string(), None, opens, client);
                let mut answers = Answers::default();
                barrier.wait().await;
                book(&mut wire, &body, &mut answers).await?;
                anyhow::Ok(answers)
            });
        }
        barrier.wait().await;
        let Answers { booked, refused, busy } = all(buyers).await?;
        let (sold, others) = (booked.len(), refused.len());
        ensure!(i32::try_from(sold)? == places, "{sold} of {places} places were sold");
        ensure!(sold + others == clients, "{} of {clients} got no answer", clients - sold - others);
        self.check_sold(sold).await?;
        if processes == 1 {
            console::line(&format!(
                "\n| opening: {clients} clients, {places} places | sold | refused | came back | sold within, ms | refused p50, ms | p99, ms | last, ms |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
            ));
        }
        let (booked, refused) = (Latencies::of(booked), Latencies::of(refused));
        console::line(&format!(
            "| {processes} api processes | {sold} | {others} | {busy} | {:.0} | {:.0} | {:.0} | {:.0} |",
            booked.ms(1.0),
            refused.ms(0.5),
            refused.ms(0.99),
            refused.ms(1.0),
        ));
        self.setup.print_statements("opening").await
    }

    async fn clear(&self) -> Result<()> {
        let statement = "TRUNCATE bookings, booking_events, notifications, idempotency_keys, customers, queue.jobs CASCADE; \
                         UPDATE staff SET calendar_rev = calendar_rev + 1";
        sqlx::raw_sql(statement).execute(&self.setup.pool).await?;
        sqlx::raw_sql("VACUUM ANALYZE staff").execute(&self.setup.pool).await?;
        Ok(())
    }

    /// Compares the bookings in the database with those that clients were told of. Each has a confirmation.
    async fn check_sold(&self, told: usize) -> Result<()> {
        let (stored, mails): (i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM bookings WHERE blocks),
                    (SELECT count(*) FROM notifications WHERE kind = 'confirmation')",
        )
        .fetch_one(&self.setup.pool)
        .await?;
        let told = i64::try_from(told)?;
        ensure!(
            (stored, mails) == (told, told),
            "{told} were sold; stored: {stored}, with confirmations: {mails}"
        );
        Ok(())
    }
}

/// The id of a member of staff by number, from 1.
fn member(number: usize) -> Uuid {
    const FIRST: u128 = 0x0000_0000_0000_7000_8000_0000_0000_0000;
    Uuid::from_u128(FIRST + u128::try_from(number).unwrap_or_default())
}

/// The request of a guest.
fn request(service: &str, staff: Option<Uuid>, start: DateTime<Utc>, guest: usize) -> Vec<u8> {
    let contact = json!({ "name": format!("Guest {guest}"), "email": format!("guest{guest}@example.org") });
    let mut body = json!({ "service_id": service, "start": start, "contact": contact });
    if let Some(staff) = staff {
        body["staff_id"] = json!(staff);
    }
    let key = NEXT_KEY.fetch_add(1, Ordering::Relaxed);
    wire::post_with_key("/v1/bookings", &format!("crowds-{key}"), &body.to_string())
}

/// Sends the request until it is served.
async fn book(wire: &mut Wire, request: &[u8], answers: &mut Answers) -> Result<()> {
    let asked = Instant::now();
    for _ in 0..TRIES {
        match wire.ask(request).await? {
            201 => {
                answers.booked.push(asked.elapsed());
                return Ok(());
            }
            409 => {
                answers.refused.push(asked.elapsed());
                return Ok(());
            }
            503 => {
                answers.busy += 1;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            status => bail!("a booking is answered with {status}: {}", wire.body()),
        }
    }
    bail!("a client was told {TRIES} times to come back")
}

async fn all(mut clients: JoinSet<Result<Answers>>) -> Result<Answers> {
    let mut answers = Answers::default();
    while let Some(of_one) = clients.join_next().await {
        answers.add(of_one??);
    }
    Ok(answers)
}
