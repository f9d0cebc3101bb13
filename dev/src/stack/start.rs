//! Starts a stack in order.

use std::env;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use punctual_core::config::Keys;
use sqlx::PgPool;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::service::{Log, Running, Service};
use super::{Stack, database};
use crate::console::{self, Colour};
use crate::home::random_bytes;
use crate::inbox::Inbox;
use crate::seed;
use crate::servers::ports::free_port;
use crate::servers::{Cluster, ClusterSettings, RedisServer};

const READY_TIMEOUT: Duration = Duration::from_mins(1);
const MAX_CONNECTIONS: u32 = 200;
/// All local clients share one address, so limits per address are higher. Environment variables override these.
const LIMITS: [(&str, &str); 4] = [
    ("PUNCTUAL_LIMIT_LOGIN_ADDRESS", "1000/15m"),
    ("PUNCTUAL_LIMIT_REGISTER_ADDRESS", "1000/1h"),
    ("PUNCTUAL_LIMIT_RESET_ADDRESS", "1000/1h"),
    ("PUNCTUAL_LIMIT_BOOKING_ADDRESS", "1000/1h"),
];

impl Stack {
    /// Starts everything, in the order in which one part needs the other.
    ///
    /// # Errors
    /// With what failed and the end of its log. What has started by then runs until [`Stack::stop`].
    pub async fn start(&mut self) -> Result<()> {
        self.start_postgres().await?;
        self.start_redis().await?;
        self.start_inbox().await?;
        database::migrate(&self.addresses.database).await?;
        self.addresses.api = format!("http://localhost:{}", self.settings.ports.api);
        let pool = PgPool::connect_lazy(&self.addresses.database)?;
        let admin = seed::ensure(&pool, &self.settings.home, &self.addresses.api).await;
        pool.close().await;
        self.admin = admin.context("cannot set up the demo business")?;
        self.start_programs().await
    }

    pub(super) async fn start_postgres(&mut self) -> Result<()> {
        if let Some(url) = &self.settings.database_url {
            self.addresses.database.clone_from(url);
            return Ok(());
        }
        let programs = self.settings.programs.postgres.as_ref().context("there is no Postgres")?;
        let settings = ClusterSettings {
            folder: self.settings.home.servers.join("postgres"),
            port: self.settings.ports.postgres,
            disposable: self.settings.disposable,
            max_connections: MAX_CONNECTIONS,
        };
        let version = programs.version;
        let programs = programs.clone();
        let postgres = spawn_blocking(move || Cluster::start(&programs, &settings)).await??;
        let (server, url) = (postgres.url("postgres"), postgres.url(database::NAME));
        self.postgres = Some(postgres);
        self.addresses.database = url;
        self.record()?;
        database::ensure_database(&server).await?;
        console::step(&format!("Postgres {version} runs"));
        Ok(())
    }

    pub(super) async fn start_redis(&mut self) -> Result<()> {
        if let Some(url) = &self.settings.redis_url {
            self.addresses.redis = Some(url.clone());
            return Ok(());
        }
        let Some(program) = &self.settings.programs.redis else {
            console::notice(
                "no Redis: the queue polls and rate limits are local; everything else is as with it",
            );
            return Ok(());
        };
        let folder = self.settings.home.servers.join("redis");
        let (program, port) = (program.clone(), self.settings.ports.redis);
        let redis = spawn_blocking(move || RedisServer::start(&program, &folder, port)).await??;
        self.addresses.redis = Some(redis.url());
        self.redis = Some(redis);
        self.record()?;
        console::step("Redis runs");
        Ok(())
    }

    async fn start_inbox(&mut self) -> Result<()> {
        if let Some(url) = &self.settings.smtp_url {
            self.addresses.smtp.clone_from(url);
            return Ok(());
        }
        let inbox = Inbox::start(self.settings.ports.smtp, self.settings.ports.inbox).await?;
        self.addresses.smtp = inbox.smtp_url();
        self.addresses.inbox = Some(inbox.url());
        self.inbox = Some(inbox);
        console::step("the inbox takes mails");
        Ok(())
    }

    async fn start_programs(&mut self) -> Result<()> {
        let environment = self.environment()?;
        let ports = self.settings.ports;
        let mut api = Service {
            name: "api".to_owned(),
            program: beside("punctual-api")?,
            environment: environment.clone(),
            log: self.log("api", Colour::Cyan),
        };
        api.environment.push(("PUNCTUAL_API_LISTEN", Some(format!("127.0.0.1:{}", ports.api))));
        api.environment
            .push(("PUNCTUAL_API_METRICS_LISTEN", Some(format!("127.0.0.1:{}", ports.api_metrics))));
        for (name, limit) in LIMITS {
            if env::var_os(name).is_none() {
                api.environment.push((name, Some(limit.to_owned())));
            }
        }
        self.api = Some(api.start()?);
        self.record()?;
        wait_until_healthy(self.api.iter_mut()).await?;
        console::step("the API answers");
        for number in 1..=self.settings.workers {
            let name =
                if self.settings.workers == 1 { "worker".to_owned() } else { format!("worker {number}") };
            let mut worker = Service {
                program: beside("punctual-worker")?,
                environment: environment.clone(),
                log: self.log(&name.replace(' ', "-"), Colour::Magenta),
                name,
            };
            let metrics = format!("127.0.0.1:{}", free_port());
            worker.environment.push(("PUNCTUAL_WORKER_METRICS_LISTEN", Some(metrics)));
            self.workers.push(worker.start()?);
            self.record()?;
        }
        wait_until_healthy(self.workers.iter_mut()).await?;
        match self.settings.workers {
            0 => console::notice("no worker: mails wait in the queue"),
            1 => console::step("the worker works"),
            count => console::step(&format!("{count} workers work")),
        }
        Ok(())
    }

    /// Settings of all programs.
    fn environment(&self) -> Result<Vec<(&'static str, Option<String>)>> {
        let key = || Ok(Keys::write_local(1, &random_bytes::<32>()?));
        let home = &self.settings.home;
        let colours = !self.settings.disposable && console::has_colours();
        Ok(vec![
            ("NO_COLOR", (!colours).then(|| "1".to_owned())),
            ("DATABASE_URL", Some(self.addresses.database.clone())),
            ("REDIS_URL", self.addresses.redis.clone()),
            ("SMTP_URL", Some(self.addresses.smtp.clone())),
            ("PUNCTUAL_PUBLIC_URL", Some(self.addresses.api.clone())),
            ("PUNCTUAL_JWT_KEYS", Some(home.secret("jwt-keys", key)?)),
            ("PUNCTUAL_LINK_KEYS", Some(home.secret("link-keys", key)?)),
            ("PUNCTUAL_LOG_FORMAT", Some("human".to_owned())),
            ("PUNCTUAL_API_DRAIN_SECONDS", Some("0".to_owned())), // nobody balances here
        ])
    }

    fn log(&self, name: &str, colour: Colour) -> Log {
        if self.settings.disposable {
            Log::File(self.settings.home.folder.join(format!("{name}.log")))
        } else {
            Log::Shown(colour)
        }
    }
}

/// Waits until each answers its own `healthcheck`, or one of them ends.
async fn wait_until_healthy(programs: impl Iterator<Item = &mut Running>) -> Result<()> {
    for running in programs {
        let started = Instant::now();
        loop {
            if let Some(status) = running.try_wait()? {
                anyhow::bail!("{} ended ({status}){}", running.service.name, running.log_end());
            }
            match running.service.call(&["healthcheck"]).await {
                Ok(_) => break,
                Err(error) if started.elapsed() > READY_TIMEOUT => return Err(error),
                Err(_) => sleep(Duration::from_millis(50)).await,
            }
        }
    }
    Ok(())
}

/// A program that cargo built together with this one.
fn beside(name: &str) -> Result<PathBuf> {
    Ok(env::current_exe()?.with_file_name(name))
}
