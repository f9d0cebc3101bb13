//! A business with a real api, real workers, its own Postgres and Redis, and a scripted mail server; proxies between them
//! can cut every connection.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use punctual_core::Core;
use punctual_core::calendar::ReminderRule;
use punctual_core::settings::Business;
use punctual_core::types::Zone;
use punctual_queue::{Clock as _, ServerClock, Wake};
use punctual_testkit::{
    BusinessBuilder, EVERY_DAY, FakeClock, OpenBusiness, Process, Programs, TestDatabase, TestPostgres,
    TestRedis, WAIT_TIMEOUT, business, try_wait_for, week,
};
use reqwest::Method;
use serde_json::json;
use sqlx::PgPool;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use super::customers::{ApiClient, Observed};
use super::webhooks::Webhooks;
use super::{Result, worker};
use crate::checker::{self, Compared, Counted, Observations};
use punctual_testkit::proxy::Proxy;
use punctual_testkit::smtp_sink::SmtpSink;

const PASSWORD: &str = "correct horse battery staple";
const STAFF: usize = 8;
/// How long to wait for answers; customers report missing ones themselves.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// The whole system; it ends with the value.
pub struct Deployment {
    pub postgres: TestPostgres,
    pub redis: TestRedis,
    pub relay: SmtpSink,
    /// The proxy between workers and Postgres.
    pub to_postgres: Proxy,
    /// The proxy between api and Postgres.
    pub api_to_postgres: Proxy,
    pub to_redis: Proxy,
    pub to_relay: Proxy,
    pub workers: Vec<Process>,
    pub apis: Vec<Process>,
    pub api_client: ApiClient,
    size: Size,
    programs: Programs,
    api_programs: Programs,
    /// The system clock of the workers.
    pub clock: Option<FakeClock>,
    /// Receivers of webhooks; none with the shipped settings.
    pub webhooks: Option<Webhooks>,
    /// Polls which apis are ready.
    watch: Option<AbortOnDropHandle<()>>,
}

/// The customers.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub apis: usize,
    pub workers: usize,
    /// Whether workers have short leases and a fast clock, or the shipped settings.
    pub accelerated: bool,
}

impl Deployment {
    /// Starts the system; `None` without a local Postgres and Redis to stop and start.
    pub async fn open(size: Size) -> Result<Option<Self>> {
        let (Some(postgres), Some(redis)) = (TestPostgres::start().await, TestRedis::start().await) else {
            return Ok(None);
        };
        let relay = SmtpSink::start().await;
        let database = postgres.database();
        let to_postgres = Proxy::start(authority(database.url())).await;
        let api_to_postgres = Proxy::start(authority(database.url())).await;
        let redis_url = redis.url();
        let to_redis = Proxy::start(authority(&redis_url)).await;
        let to_relay = Proxy::start(authority(&relay.url())).await;
        let clock = ServerClock::start(database.pool()).await?;
        let opened = open_business(database, clock.clone()).await?;
        let programs = Programs::on(database)
            .set("DATABASE_URL", &through(database.url(), &to_postgres))
            .set("REDIS_URL", &through(&redis_url, &to_redis))
            .smtp(&format!("smtp://{}", to_relay.address()))
            .set("PUNCTUAL_WEBHOOK_NETWORKS", "127.0.0.0/8")
            .set(worker::EPOCH, &clock.now().to_rfc3339());
        let worker_clock = FakeClock::find();
        let api_programs = programs
            .clone()
            .set("DATABASE_URL", &through(database.url(), &api_to_postgres))
            .set("PUNCTUAL_ACCESS_TOKEN_SECONDS", "3600")
            .set("PUNCTUAL_API_DRAIN_SECONDS", "1");
        let api = api_programs.api().await;
        let mut api_client = ApiClient::new(api.url(), clock.now().date_naive());
        api_client.staff = opened.staff.iter().map(Uuid::to_string).collect();
        api_client.service = opened.services[0].to_string();
        log_in_as_admin(&mut api_client, database).await?;
        let webhooks =
            if size.accelerated { Some(Webhooks::open(&api_client, database.pool()).await?) } else { None };
        let mut deployment = Self {
            postgres,
            redis,
            relay,
            to_postgres,
            api_to_postgres,
            to_redis,
            to_relay,
            workers: Vec::new(),
            apis: vec![api],
            api_client,
            size,
            programs,
            api_programs,
            clock: worker_clock,
            webhooks,
            watch: None,
        };
        for _ in 1..size.apis {
            deployment.apis.push(deployment.api_programs.api().await);
        }
        deployment.watch_apis();
        deployment.start_workers(size.workers).await;
        Ok(Some(deployment))
    }

    pub fn pool(&self) -> &PgPool {
        self.postgres.database().pool()
    }

    /// Kills the primary and promotes a standby that has followed it. The programs reach it at the proxies' addresses.
    pub async fn fail_over(&mut self) {
        let standby = self.postgres.standby().await;
        self.postgres.kill().await;
        self.postgres = standby.replace(&self.postgres).await;
        for proxy in [&self.to_postgres, &self.api_to_postgres] {
            proxy.move_to(&self.postgres.address());
        }
    }

    /// Starts this many more workers.
    pub async fn start_workers(&mut self, workers: usize) {
        for _ in 0..workers {
            let worker = self.worker().await;
            self.workers.push(worker);
        }
    }

    async fn worker(&self) -> Process {
        if !self.size.accelerated {
            return self.programs.worker().await;
        }
        let programs = self.programs.clone().set("PUNCTUAL_WORKER_METRICS_LISTEN", "");
        let programs = match &self.clock {
            Some(clock) => clock.on(programs),
            None => programs,
        };
        let worker = programs.program("chaos-worker").await;
        worker.wait_for_log("taking jobs").await;
        worker
    }

    /// Replaces the workers one by one by SIGTERM.
    pub async fn replace_workers(&mut self) -> Result<()> {
        for _ in 0..self.workers.len() {
            let leaving = self.workers.remove(0);
            let status = leaving.stop().await;
            if !status.success() {
                return Err(format!("a worker ended with {status} after SIGTERM").into());
            }
            self.start_workers(1).await;
        }
        Ok(())
    }

    /// Replaces the apis one by one by SIGTERM.
    pub async fn replace_apis(&mut self) -> Result<()> {
        for _ in 0..self.apis.len() {
            let leaving = self.apis.remove(0);
            let status = leaving.stop().await;
            if !status.success() {
                return Err(format!("an api ended with {status} after SIGTERM").into());
            }
            self.apis.push(self.api_programs.api().await);
            self.watch_apis();
            self.api_client.wait_for_ready(self.apis.len()).await;
        }
        Ok(())
    }

    /// Lets customers use the apis that are ready by `/readyz`, as behind a load balancer.
    fn watch_apis(&mut self) {
        let urls: Vec<String> = self.apis.iter().map(|api| api.url().to_owned()).collect();
        // The previous watch ends once the new apis are known.
        self.watch = (self.size.apis > 1)
            .then(|| AbortOnDropHandle::new(tokio::spawn(self.api_client.clone().watch(urls))));
    }

    /// Waits for this many more answers, at most a fixed time.
    pub async fn wait_for_answers(&self, answers: u64) {
        let wanted = self.api_client.observed().answered + answers;
        let _ = try_wait_for(ANSWER_TIMEOUT, async || self.api_client.observed().answered >= wanted).await;
    }

    /// kill −9 for all workers.
    pub fn kill_workers(&mut self) {
        self.workers.drain(..).for_each(Process::kill);
    }

    /// Undoes all faults.
    pub fn heal(&mut self) -> Result<()> {
        self.relay.heal();
        self.webhooks.iter().for_each(Webhooks::heal);
        if let Some(clock) = &self.clock {
            clock.set(0);
        }
        for proxy in [&self.to_postgres, &self.api_to_postgres, &self.to_redis, &self.to_relay] {
            proxy.clear();
        }
        for worker in &mut self.workers {
            if worker.has_ended() {
                let log = worker.log();
                let lines: Vec<&str> = log.lines().collect();
                return Err(format!("a worker ended by itself:\n{}", last(&lines)).into());
            }
        }
        Ok(())
    }

    /// The last warnings of each running program.
    pub fn warnings_in_logs(&self) -> String {
        let mut text = String::new();
        for program in self.apis.iter().chain(&self.workers) {
            let log = program.log();
            let lines: Vec<&str> =
                log.lines().filter(|line| line.contains("WARN") || line.contains("ERROR")).collect();
            let _ = writeln!(text, "---- {} {}\n{}", program.name(), program.pid(), last(&lines));
        }
        text
    }

    /// Waits until no mail is due, then compares all state. A reminder that falls due during the comparison is visible
    /// to one side only, so a difference is checked again.
    pub async fn check(&self) -> std::result::Result<(Compared, Counted), Vec<String>> {
        let mut compared = self.compare().await;
        for _ in 0..2 {
            if compared.is_ok() {
                break;
            }
            compared = self.compare().await;
        }
        compared
    }

    async fn compare(&self) -> std::result::Result<(Compared, Counted), Vec<String>> {
        self.wait_until_idle().await?;
        let unanswered = |error: sqlx::Error| vec![format!("the database does not answer: {error}")];
        let now = sqlx::query_scalar("SELECT clock_timestamp()")
            .fetch_one(self.pool())
            .await
            .map_err(unanswered)?;
        // The workers' clock is faster than the api's.
        let seen = Observations {
            journal: &self.relay.journal(),
            acknowledged: &[],
            now,
            settled: true,
            one_clock: false,
        };
        let report = checker::check(self.pool(), &seen).await.map_err(unanswered)?;
        if !report.violations.is_empty() {
            return Err(report.violations.iter().map(ToString::to_string).collect());
        }
        self.compare_with(&self.api_client.observed()).await?;
        let Some(webhooks) = &self.webhooks else { return Ok((report.compared, Counted::default())) };
        let told = webhooks.told(&self.api_client, self.pool()).await?;
        let (counted, violations) =
            checker::compare_webhooks(self.pool(), &told).await.map_err(unanswered)?;
        if violations.is_empty() {
            Ok((report.compared, counted))
        } else {
            Err(violations.iter().map(ToString::to_string).collect())
        }
    }

    /// Waits until nothing runs and nothing is due soon.
    async fn wait_until_idle(&self) -> std::result::Result<(), Vec<String>> {
        let busy = "SELECT format('job %s (%s) is %s, attempt %s, %s rescues, %s snoozes: %s', id, kind, state, attempt,
                                  rescues, snoozes, coalesce(note, errors->-1->>'error', ''))
                    FROM queue.jobs WHERE queue = 'mails' AND state IN ('available', 'running', 'retryable') LIMIT 5";
        let idle = try_wait_for(WAIT_TIMEOUT, async || {
            let found: sqlx::Result<Vec<String>> = sqlx::query_scalar(busy).fetch_all(self.pool()).await;
            match found {
                Ok(jobs) if jobs.is_empty() => Ok(()),
                found => Err(found),
            }
        });
        idle.await
            .map_err(|jobs| vec![format!("after {} s jobs have not ended: {jobs}", WAIT_TIMEOUT.as_secs())])
    }

    /// Compares the api's answers with what is stored.
    async fn compare_with(&self, observed: &Observed) -> std::result::Result<(), Vec<String>> {
        let stored: Vec<(String, i32, String)> =
            sqlx::query_as("SELECT id::text, rev, status::text FROM bookings")
                .fetch_all(self.pool())
                .await
                .map_err(|error| vec![error.to_string()])?;
        let mut wrong = observed.violations.clone();
        let mut known = observed.bookings.clone();
        for (id, rev, status) in stored {
            match known.remove(&id) {
                Some(answered) if answered == (i64::from(rev), status.clone()) => {}
                Some((known_rev, known)) => wrong.push(format!(
                    "the api answered that booking {id} is {known} at {known_rev}, stored is {status} at {rev}"
                )),
                None => wrong.push(format!("booking {id} is stored, but no answer said so")),
            }
        }
        wrong.extend(known.keys().map(|id| format!("booking {id} was answered with 201 and is not stored")));
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }
}

/// The end of a log.
fn last(lines: &[&str]) -> String {
    lines[lines.len().saturating_sub(20)..].join("\n")
}

/// `host:port` of a URL.
fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    authority.rsplit('@').next().unwrap_or(authority)
}

/// The URL with the proxy's address.
fn through(url: &str, proxy: &Proxy) -> String {
    url.replacen(authority(url), &proxy.address(), 1)
}

/// Staff who work around the clock, and one service with a reminder thirty days ahead.
async fn open_business(database: &TestDatabase, clock: Arc<ServerClock>) -> Result<OpenBusiness> {
    let builder = BusinessBuilder::default()
        .settings(Business { zone: Zone::parse("Etc/UTC")?, ..business() })
        .staff((0..STAFF).map(|number| format!("Staff {number}")), &week(&EVERY_DAY, "00:00-24:00"))
        .service(|service| {
            (service.duration_min, service.slot_step_min, service.horizon_days) = (5, 5, 60);
            service.reminders = vec![ReminderRule::Offset { minutes: 30 * 24 * 60 }];
        });
    Ok(builder.open(&Core::new(database.pool().clone(), clock, Wake::polling())).await)
}

async fn log_in_as_admin(api_client: &mut ApiClient, database: &TestDatabase) -> Result<()> {
    let email = "desk@example.org";
    let account = json!({ "email": email, "password": PASSWORD, "name": "Admin" });
    api_client.request(Method::POST, "/v1/auth/register", &account).await?;
    sqlx::query(
        "UPDATE users SET role = 'admin', email_verified_at = coalesce(email_verified_at, created_at)
                 WHERE email = $1::citext",
    )
    .bind(email)
    .execute(database.pool())
    .await?;
    let login = json!({ "email": email, "password": PASSWORD });
    let session = api_client.request(Method::POST, "/v1/auth/login", &login).await?;
    session["access_token"].as_str().unwrap_or_default().clone_into(&mut api_client.token);
    Ok(())
}
