//! `cargo dev bench desk`: how long the api takes for pages of `/desk` of a business with 50 members of staff.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveTime, TimeDelta};
use punctual_dev::console;
use punctual_dev::stack::Stack;
use reqwest::{Client, Response, StatusCode, header, redirect};
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use crate::programs;
use crate::storm::load::Latencies;

/// Members of staff, all of whom perform the service.
const STAFF: i32 = 50;
/// Bookings of each on each day: an hour each, from nine o'clock on, with a quarter between two.
const A_DAY: i32 = 7;
/// Reads before those that count.
const WARM_UP: u32 = 20;
/// How many bookings an open day is watched for: each takes a quarter of an hour of one day.
const LIVE_ROUNDS: u32 = 36;
/// How long an open day may take to show a change.
const LIVE_AIM: Duration = Duration::from_secs(2);
/// What a page may take.
const AIM: Duration = Duration::from_millis(150);

/// Parameters.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// How often each page is read
    #[arg(long, default_value_t = 200)]
    rounds: u32,
    /// Check that it works with debug builds; the figures mean nothing
    #[arg(long)]
    quick: bool,
    /// Measure now: what the command starts in the programs it has built.
    #[arg(long, hide = true)]
    here: bool,
}

/// Builds the programs for release, measures, and prints a table.
///
/// # Errors
/// When something does not build or start, a page is refused, or one takes longer than the aim in 99 of 100 reads.
pub async fn run(options: Options) -> Result<ExitCode> {
    if options.here {
        return programs::with_stack(async |stack| measure(stack, &options).await).await;
    }
    let rounds = options.rounds.to_string();
    programs::become_release(options.quick, &["desk", "--here", "--rounds", &rounds]).await
}

async fn measure(stack: &mut Stack, options: &Options) -> Result<()> {
    stack.start().await?;
    let monday = next_monday(today(&stack.addresses().api).await?);
    console::step(&format!("filling in a week of {STAFF} members of staff"));
    let mut conn = PgConnection::connect(&stack.addresses().database).await?;
    fill(&mut conn, monday).await?;
    let (service, member): (Uuid, Uuid) =
        sqlx::query_as("SELECT md5('desk')::uuid, md5('desk 1')::uuid").fetch_one(&mut conn).await?;
    conn.close().await?;
    let base = stack.addresses().api.clone();
    let admin = stack.admin().context("the demo business has no administrator")?;
    let (client, cookie) = log_in(&base, &admin.email, &admin.password).await?;
    let pages = [
        ("a day of all in columns", format!("/desk?date={monday}")),
        ("a week of one", format!("/desk/week/{member}?date={monday}")),
        ("free times of a week, with anyone", format!("/desk/new?service={service}&date={monday}")),
        (
            "the same for a visit of three services",
            format!("/desk/new?service={service}&then={service},{service}&date={monday}"),
        ),
    ];
    console::line("\n| page | p50, ms | p99, ms | KiB |\n| --- | ---: | ---: | ---: |");
    let mut slow = Vec::new();
    for (name, path) in pages {
        let mut latencies = Vec::new();
        let mut bytes = 0;
        for round in 0..WARM_UP + options.rounds {
            let asked = Instant::now();
            let answer = client.get(format!("{base}{path}")).header(header::COOKIE, &cookie).send().await?;
            ensure!(answer.status() == StatusCode::OK, "{name} is answered with {}", answer.status());
            bytes = answer.bytes().await?.len();
            if round >= WARM_UP {
                latencies.push(asked.elapsed());
            }
        }
        let latencies = Latencies::of(latencies);
        let ms = |share| latencies.ms(share);
        console::line(&format!("| {name} | {:.1} | {:.1} | {} |", ms(0.5), ms(0.99), bytes / 1024));
        if latencies.quantile(0.99) > AIM {
            slow.push(name);
        }
    }
    let seen = changes_seen(&client, (&base, &cookie), (service, member), monday).await?;
    let ms = |share| seen.ms(share);
    console::line("\n| an open day | p50, ms | p99, ms | most, ms |\n| --- | ---: | ---: | ---: |");
    let figures = format!("{:.0} | {:.0} | {:.0}", ms(0.5), ms(0.99), ms(1.0));
    console::line(&format!("| shows a colleague's booking after its answer | {figures} |"));
    ensure!(slow.is_empty(), "over {} ms: {}", AIM.as_millis(), slow.join(", "));
    ensure!(seen.quantile(1.0) < LIVE_AIM, "a change was shown after more than {} s", LIVE_AIM.as_secs());
    Ok(())
}

/// How long an open day takes to show what a colleague booked, from the answer to the colleague until the page with it is
/// read again, as the page's script does.
async fn changes_seen(
    client: &Client,
    (base, cookie): (&str, &str),
    (service, member): (Uuid, Uuid),
    monday: NaiveDate,
) -> Result<Latencies> {
    let date = monday + Days::new(7);
    let listen = async || -> Result<Response> {
        let mut stream =
            client.get(format!("{base}/desk/changes")).header(header::COOKIE, cookie).send().await?;
        // The second piece says that the watch has begun.
        for _ in 0..2 {
            stream.chunk().await?.context("the stream ended")?;
        }
        Ok(stream)
    };
    let mut stream = listen().await?;
    let mut seen = Vec::new();
    for number in 0..LIVE_ROUNDS {
        // Spread over the interval at which the api looks for changes.
        tokio::time::sleep(Duration::from_millis(u64::from(number) * 37 % 700)).await;
        let name = format!("Colleague {number}");
        let time = NaiveTime::from_hms_opt(9, 0, 0).context("no such time")?
            + TimeDelta::minutes(i64::from(number) * 15);
        let form = format!("?service={service}&staff={member}&date={date}&time={}", time.format("%H:%M"));
        take_booking(client, (base, cookie), &form, &name).await?;
        let answered = Instant::now();
        loop {
            let Some(piece) = stream.chunk().await? else {
                stream = listen().await?;
                continue;
            };
            if piece.starts_with(b"data:") {
                let page = client.get(format!("{base}/desk?date={date}")).header(header::COOKIE, cookie);
                if page.send().await?.text().await?.contains(&name) {
                    break;
                }
            }
        }
        seen.push(answered.elapsed());
    }
    Ok(Latencies::of(seen))
}

/// Books by the form of the desk with this query.
async fn take_booking(client: &Client, (base, cookie): (&str, &str), query: &str, name: &str) -> Result<()> {
    let path = format!("{base}/desk/new{query}");
    let page = client.get(path).header(header::COOKIE, cookie).send().await?.text().await?;
    let field = |name: &str| -> Result<String> {
        let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).context("no such field")?;
        Ok(rest.split('"').next().unwrap_or_default().to_owned())
    };
    let mut fields = vec![("name", name.to_owned()), ("phone", "+49 30 1".to_owned())];
    for name in ["form_token", "token", "service", "start", "staff", "seats"] {
        fields.push((name, field(name)?));
    }
    let form = client.post(format!("{base}/desk/new")).header("sec-fetch-site", "same-origin");
    let answer = form.header(header::COOKIE, cookie).form(&fields).send().await?;
    ensure!(answer.status() == StatusCode::SEE_OTHER, "the booking is answered with {}", answer.status());
    Ok(())
}

/// The date by the clock of the api.
async fn today(base: &str) -> Result<NaiveDate> {
    let answer = reqwest::get(format!("{base}/v1/services")).await?;
    let date = answer.headers().get(header::DATE).and_then(|date| date.to_str().ok()).context("no Date")?;
    Ok(DateTime::parse_from_rfc2822(date)?.date_naive())
}

fn next_monday(today: NaiveDate) -> NaiveDate {
    today + Days::new(u64::from(7 - today.weekday().num_days_from_monday()))
}

/// Staff who work every day, one service that all perform, and their bookings of a week, with a customer for each tenth.
async fn fill(conn: &mut PgConnection, monday: NaiveDate) -> Result<()> {
    let statements = [
        "INSERT INTO staff (id, name, created_at, updated_at)
         SELECT md5('desk ' || n)::uuid, 'Person ' || n, now(), now() FROM generate_series(1, $2::int) AS n
         WHERE $1::date IS NOT NULL AND $3::int > 0",
        "INSERT INTO weekly_hours (staff_id, weekday, start_min, end_min)
         SELECT md5('desk ' || n)::uuid, day, 540, 1080 FROM generate_series(1, $2::int) AS n, generate_series(1, 7) AS day
         WHERE $1::date IS NOT NULL AND $3::int > 0",
        "INSERT INTO services (id, name, duration_min, slot_step_min, created_at, updated_at)
         SELECT md5('desk')::uuid, 'Short', 15, 15, now(), now() WHERE $1::date IS NOT NULL AND $2::int > 0 AND $3::int > 0",
        "INSERT INTO service_staff (service_id, staff_id)
         SELECT md5('desk')::uuid, md5('desk ' || n)::uuid FROM generate_series(1, $2::int) AS n
         WHERE $1::date IS NOT NULL AND $3::int > 0",
        "INSERT INTO customers (id, origin, email, name, created_at, updated_at)
         SELECT md5('desk customer' || n)::uuid, 'guest', 'desk' || n || '@example.org', 'Customer ' || n, now(), now()
         FROM generate_series(0, $2::int * $3::int - 1) AS n WHERE $1::date IS NOT NULL",
        "INSERT INTO bookings (id, service_id, staff_id, customer_id, status, during, blocked, class_id, seat_no, zone,
                               local_start, service_name, duration_min, price_minor, currency, ics_uid, created_at, updated_at)
         SELECT id, md5('desk')::uuid, md5('desk ' || member)::uuid,
                md5('desk customer' || (member * day * slot) % ($2 * $3))::uuid, 'confirmed',
                tstzrange(start, start + interval '1 hour'), tstzrange(start, start + interval '1 hour'), id, 1,
                'Europe/Berlin', start AT TIME ZONE 'Europe/Berlin', 'Short', 60, 4500, 'EUR', id::text, now(), now()
         FROM generate_series(1, $2::int) AS member, generate_series(0, 6) AS day, generate_series(0, $3::int - 1) AS slot
         CROSS JOIN LATERAL (
             SELECT md5(member || ' ' || day || ' ' || slot)::uuid AS id,
                    ($1::date + day + time '09:00' + slot * interval '75 minutes') AT TIME ZONE 'Europe/Berlin' AS start) AS work",
        "UPDATE settings SET calendar_rev = calendar_rev + 1 WHERE $1::date IS NOT NULL AND $2::int > 0 AND $3::int > 0",
    ];
    for statement in statements {
        sqlx::query(statement).bind(monday).bind(STAFF).bind(A_DAY).execute(&mut *conn).await?;
    }
    sqlx::raw_sql("ANALYZE").execute(conn).await?;
    Ok(())
}

/// Logs in at the desk; returns the client and its cookie.
async fn log_in(base: &str, email: &str, password: &str) -> Result<(Client, String)> {
    let client = Client::builder().redirect(redirect::Policy::none()).build()?;
    let form = client.post(format!("{base}/desk/login")).header("sec-fetch-site", "same-origin");
    let answer = form.form(&[("email", email), ("password", password)]).send().await?;
    let cookie = answer.headers().get(header::SET_COOKIE).and_then(|cookie| cookie.to_str().ok());
    let cookie = cookie.and_then(|cookie| cookie.split(';').next()).context("no session was given")?;
    Ok((client, cookie.to_owned()))
}
