//! `cargo dev bench webhooks`: how many webhooks a second one worker posts, alone and beside mails; and the delay at the
//! good ones of a thousand endpoints while a tenth never answers.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use punctual_core::Core;
use punctual_core::config::{Config, Keys};
use punctual_core::notifications::enqueue_due;
use punctual_core::types::Reason;
use punctual_core::webhooks::{self, NewEndpoint, WebhookUrl};
use punctual_queue::ServerClock;
use sqlx::PgPool;

use super::hook_receiver::Receivers;
use super::setup::{ProgramOptions, Setup, WAIT_TIMEOUT, percentile, rate, with_program};

/// Endpoints of the backlog: so many that the limit of each, 50 a second, has no effect.
const MANY: usize = 100;
/// Endpoints of the second part, and how many of them never answer.
const ENDPOINTS: usize = 1_000;
const DEAD: usize = 100;
/// Between two events of the second part.
const EVENT_INTERVAL: Duration = Duration::from_secs(4);

/// Size of the run.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Deliveries that wait when the worker starts, in hundreds
    #[arg(long, default_value_t = 100)]
    events: usize,
    /// Mails that wait beside them
    #[arg(long, default_value_t = 10_000)]
    mails: usize,
    /// Events that are posted to a thousand endpoints
    #[arg(long, default_value_t = 30)]
    told: usize,
    /// Check that it works with a tenth of everything; the figures mean nothing
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    program: ProgramOptions,
}

/// Measures and prints a table.
///
/// # Errors
/// When a server does not start, or a webhook does not arrive.
pub async fn run(options: Options) -> Result<ExitCode> {
    with_program("punctual-worker", &options.program, async |setup| {
        Hooks::open(setup).await?.measure(&options).await
    })
    .await
}

struct Hooks {
    setup: Setup,
    core: Core,
    keys: Keys,
    receivers: Receivers,
}

impl Hooks {
    async fn open(setup: Setup) -> Result<Self> {
        let variables = [("PUNCTUAL_LINK_KEYS".to_owned(), setup.link_keys.clone())].into();
        let config = Config::parse(variables, |_| Err(std::io::ErrorKind::NotFound.into()))?;
        let clock = ServerClock::start(&setup.pool).await?;
        let core = Core::new(setup.pool.clone(), clock, setup.wake.clone());
        let (keys, receivers) = (config.link_keys()?.clone(), Receivers::start().await?);
        Ok(Self { setup, core, keys, receivers })
    }

    fn pool(&self) -> &PgPool {
        &self.setup.pool
    }

    async fn measure(&self, options: &Options) -> Result<()> {
        let share = if options.quick { 10 } else { 1 };
        let (events, mails, told) = (options.events / share, options.mails / share, options.told / share);
        println!("| | |\n|---|---:|");
        let alone = self.backlog(events, 0).await?;
        println!("| {} deliveries waiting, one worker, deliveries/s | {:.0} |", events * MANY, alone.0);
        let (posted, sent) = self.backlog(events, mails).await?;
        println!("| … beside {mails} mails waiting, deliveries/s and mails/s | {posted:.0} and {sent:.0} |");
        let late = self.latency(told.max(2)).await?;
        println!(
            "| {ENDPOINTS} endpoints, {DEAD} of them silent, an event each {} s: commit to a good one, p50 / p99 / last ms | \
             {:.0} / {:.0} / {:.0} |",
            EVENT_INTERVAL.as_secs(),
            late.0,
            late.1,
            late.2
        );
        Ok(())
    }

    /// Deliveries and mails that wait when the worker starts; how many of each it does in a second.
    async fn backlog(&self, events: usize, mails: usize) -> Result<(f64, f64)> {
        self.endpoints(MANY, 0).await?;
        let changed = "UPDATE staff SET updated_at = updated_at + interval '1 second'
                       WHERE id IN (SELECT id FROM staff ORDER BY id LIMIT $1)";
        sqlx::query(changed).bind(i64::try_from(events)?).execute(self.pool()).await?;
        self.setup.store_due_mails(mails).await?;
        if mails > 0 {
            // The customers of the mails are events too, which these endpoints do not subscribe to.
            enqueue_due(self.pool(), self.core.now()).await?;
        }
        while webhooks::fan_out(&self.core).await?.endpoints > 0 {}
        sqlx::raw_sql("VACUUM ANALYZE").execute(self.pool()).await?;
        self.setup.sink.forget();
        self.receivers.forget();
        let mut worker = self.setup.worker()?;
        let sent = async {
            match mails {
                0 => Ok(None),
                _ => self.setup.sink.wait_for(mails, WAIT_TIMEOUT).await.map(Some),
            }
        };
        let (posted, sent) = tokio::join!(self.receivers.wait_for(events * MANY, WAIT_TIMEOUT), sent);
        posted?;
        let arrived: Vec<Instant> = self.receivers.arrived().into_values().flatten().collect();
        let first = *arrived.iter().min().context("nothing arrived")?;
        let last = *arrived.iter().max().context("nothing arrived")?;
        worker.kill().await?;
        self.setup.print_statements(&format!("{events} events and {mails} mails")).await?;
        let mails_rate = sent?.map_or(0.0, |(first, last)| rate(mails, last - first));
        Ok((rate(arrived.len(), last - first), mails_rate))
    }

    /// Events one after the other; from the commit of each to its arrival at every good endpoint: p50, p99 and the last.
    async fn latency(&self, events: usize) -> Result<(f64, f64, f64)> {
        self.endpoints(ENDPOINTS - DEAD, DEAD).await?;
        sqlx::raw_sql("VACUUM ANALYZE").execute(self.pool()).await?;
        self.receivers.forget();
        let mut worker = self.setup.worker()?;
        tokio::time::sleep(Duration::from_secs(3)).await;
        let mut committed = Vec::new();
        for number in 0..events {
            let changed = "UPDATE staff SET updated_at = updated_at + interval '1 second'
                           WHERE id = (SELECT id FROM staff ORDER BY id OFFSET $1 LIMIT 1)";
            sqlx::query(changed).bind(i64::try_from(number)?).execute(self.pool()).await?;
            committed.push(Instant::now());
            tokio::time::sleep(EVENT_INTERVAL).await;
        }
        self.receivers.wait_for(events * (ENDPOINTS - DEAD), WAIT_TIMEOUT).await?;
        worker.kill().await?;
        self.setup.print_statements("one event at a time").await?;
        let mut by_event: Vec<Vec<Instant>> = self.receivers.arrived().into_values().collect();
        by_event.sort_by_key(|arrived| arrived.iter().min().copied());
        let mut took: Vec<f64> = by_event
            .iter()
            .zip(&committed)
            .flat_map(|(arrived, committed)| {
                arrived.iter().map(|at| at.saturating_duration_since(*committed).as_secs_f64() * 1e3)
            })
            .collect();
        took.sort_unstable_by(f64::total_cmp);
        Ok((percentile(&took, 50), percentile(&took, 99), percentile(&took, 100)))
    }

    /// Replaces all endpoints by these. All subscribe to changes of staff.
    async fn endpoints(&self, good: usize, dead: usize) -> Result<()> {
        sqlx::raw_sql("DELETE FROM webhook_endpoints; TRUNCATE queue.jobs").execute(self.pool()).await?;
        for number in 0..good + dead {
            let url = self.receivers.url(number, number >= good);
            let new = NewEndpoint {
                url: WebhookUrl::parse(&url)?,
                description: Reason::default(),
                types: vec![punctual_core::changes::EventType::StaffUpdated],
                include_customer: false,
            };
            webhooks::create(&self.core, &self.keys, new, true).await?;
        }
        Ok(())
    }
}
