//! Configuration from environment variables.
//!
//! `defaults.env` at the root of the repository documents every key, supplies its default and is compiled in. A key
//! that is not in it is unknown. [`Config::parse`] is pure; [`Config::from_env`] passes the process environment. All
//! errors are reported at once, each with its key and what is expected. The value of a secret is never shown.

mod error;
mod keys;
mod limits;
mod network;
mod reader;
mod report;
mod secret;
mod values;

use std::{collections::BTreeMap, io, net::SocketAddr, path::Path, time::Duration};

use ipnet::IpNet;

pub use error::{ConfigError, Fault};
pub use keys::{Key, Keys};
pub use limits::{RequestLimit, RequestLimits};
pub use network::Network;
use reader::Reader;
pub use report::{Program, Setting, Warning, in_force, report};
pub use secret::Secret;
use values::{
    database_url, default_ehlo_name, domain, is_inbox, is_localhost, levels, origin, origin_with_path,
    selector, switch, url_of,
};

/// `defaults.env`: every setting with its default.
pub const DEFAULTS: &str = include_str!("../../defaults.env");

/// Origins of web pages that may call the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CorsOrigins {
    /// None: no CORS header is sent.
    None,
    /// These, as `scheme://host[:port]`.
    These(Vec<String>),
    /// All.
    Any,
}

/// Settings of both programs.
#[derive(Debug, Clone)]
pub struct Config {
    /// Base URL of problem types and links, without a trailing slash.
    pub public_url: String,
    /// Log and traces.
    pub telemetry: punctual_telemetry::Settings,
    /// Time that running requests and jobs have to finish after SIGTERM.
    pub shutdown_grace: Duration,
    /// Whether this is a sandbox: with a test clock, and without a mail relay.
    pub sandbox: bool,
    /// Settings of the api only.
    pub api: ApiConfig,
    /// Settings of the worker only.
    pub worker: WorkerConfig,
    /// Redis, if there is one.
    pub redis_url: Option<Secret>,
    database_url: Option<Secret>,
    smtp_url: Option<Secret>,
    jwt_keys: Option<Keys>,
    link_keys: Option<Keys>,
}

/// Settings of the api only.
#[derive(Debug, Clone)]
pub struct ApiConfig {
    /// Where the API listens.
    pub listen: SocketAddr,
    /// Where `/metrics` listens; `None`: nowhere.
    pub metrics_listen: Option<SocketAddr>,
    /// Most connections to Postgres.
    pub database_connections: u32,
    /// Most batches of bookings and holds committed at a time.
    pub booking_batches: usize,
    /// Most clients connected at a time.
    pub max_connections: usize,
    /// Time from a request's first byte to its answer's head.
    pub request_timeout: Duration,
    /// Time for a request's head to arrive.
    pub header_timeout: Duration,
    /// Time from `/readyz` failing to the end of listening.
    pub drain: Duration,
    /// Proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<Network>,
    /// Origins of web pages that may call the API.
    pub cors: CorsOrigins,
    /// Whether customers can book on pages of the api.
    pub booking_page: bool,
    /// Origins whose pages may frame the booking page.
    pub embed_origins: Vec<String>,
    /// Lifetime of an access token.
    pub access_token: Duration,
    /// Lifetime of an unused session.
    pub refresh_token: Duration,
    /// Threads that hash passwords; `0`: one fewer than processors, at least one.
    pub password_threads: usize,
    /// Requests that may wait for such a thread.
    pub password_queue: usize,
    /// Rate limits of requests.
    pub limits: RequestLimits,
    /// Memory for slot lists, in bytes.
    pub slot_memory: usize,
}

/// Settings of the worker only.
#[derive(Debug, Clone)]
pub struct WorkerConfig {
    /// Where `/metrics` listens; `None`: nowhere.
    pub metrics_listen: Option<SocketAddr>,
    /// Most connections to Postgres.
    pub database_connections: u32,
    /// Most mails under way at a time.
    pub concurrency: usize,
    /// Most connections to the mail server.
    pub relay_connections: usize,
    /// Our name in EHLO: a domain, or an address in brackets.
    pub ehlo_name: String,
    /// DKIM selector: the DNS name of the public key of `dkim_key` below the sender's domain.
    pub dkim_selector: Option<String>,
    /// Private DKIM key, in PEM.
    pub dkim_key: Option<Secret>,
    /// Private networks that webhooks may be posted to.
    pub webhook_networks: Vec<IpNet>,
}

impl Config {
    /// Reads the environment of this process.
    ///
    /// # Errors
    /// Every key that is unknown, wrong, or names a file that cannot be read.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::parse(environment(), |path| std::fs::read_to_string(path))
    }

    /// Reads `vars`; `read_file` gives the content of the files named by `…_FILE`.
    ///
    /// # Errors
    /// As [`Config::from_env`].
    pub fn parse(
        vars: BTreeMap<String, String>,
        read_file: impl Fn(&Path) -> io::Result<String>,
    ) -> Result<Self, ConfigError> {
        let mut r = Reader::new(vars, read_file);
        let public_url =
            r.text("PUNCTUAL_PUBLIC_URL", "a URL such as https://book.example.org", origin_with_path);
        let local = public_url.as_deref().is_some_and(is_localhost);
        let keys = |text: &str| Keys::parse(text, local);
        let api = read_api(&mut r);
        let worker = read_worker(&mut r, public_url.as_deref().unwrap_or_default());
        let telemetry = read_telemetry(&mut r);
        let shutdown_grace = r.seconds("PUNCTUAL_SHUTDOWN_GRACE_SECONDS", 1..=600);
        let database_url =
            r.secret("DATABASE_URL", "postgres://user:password@host:5432/database", database_url);
        let redis_url = r.secret("REDIS_URL", "redis://host:6379 or rediss://host:6379", |text| {
            url_of(text, &["redis", "rediss"])
        });
        let smtp_url = r.secret("SMTP_URL", "smtp://host:587 or smtps://host:465", |text| {
            url_of(text, &["smtp", "smtp+starttls", "smtps"])
        });
        let jwt_keys = r.secret("PUNCTUAL_JWT_KEYS", keys::EXPECTED, keys);
        let link_keys = r.secret("PUNCTUAL_LINK_KEYS", keys::EXPECTED, keys);
        let sandbox = r.text("PUNCTUAL_SANDBOX", "on or off", switch);
        if sandbox == Some(true) && smtp_url.as_ref().is_some_and(|url| !is_inbox(url.expose())) {
            r.fault(
                "SMTP_URL",
                "is a mail relay, and with PUNCTUAL_SANDBOX=on no mail may reach a person: expected an inbox on this machine \
                 such as smtp://127.0.0.1:1025, or smtp://mailpit:1025 of docker-compose.yml",
            );
        }
        let faults = r.finish();
        match (public_url, api, worker, telemetry, shutdown_grace, sandbox) {
            (
                Some(public_url),
                Some(api),
                Some(worker),
                Some(telemetry),
                Some(shutdown_grace),
                Some(sandbox),
            ) if faults.is_empty() => Ok(Self {
                public_url,
                telemetry,
                shutdown_grace,
                sandbox,
                api,
                worker,
                redis_url,
                database_url,
                smtp_url,
                jwt_keys,
                link_keys,
            }),
            _ => Err(ConfigError { faults }),
        }
    }

    /// Whether the public URL is on this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        is_localhost(&self.public_url)
    }

    /// The database.
    ///
    /// # Errors
    /// When it is not set.
    pub fn database_url(&self) -> Result<&Secret, ConfigError> {
        needed(self.database_url.as_ref(), "DATABASE_URL")
    }

    /// The mail server.
    ///
    /// # Errors
    /// When it is not set.
    pub fn smtp_url(&self) -> Result<&Secret, ConfigError> {
        needed(self.smtp_url.as_ref(), "SMTP_URL")
    }

    /// The keys of access tokens.
    ///
    /// # Errors
    /// When they are not set.
    pub fn jwt_keys(&self) -> Result<&Keys, ConfigError> {
        needed(self.jwt_keys.as_ref(), "PUNCTUAL_JWT_KEYS")
    }

    /// The keys of links in mails.
    ///
    /// # Errors
    /// When they are not set.
    pub fn link_keys(&self) -> Result<&Keys, ConfigError> {
        needed(self.link_keys.as_ref(), "PUNCTUAL_LINK_KEYS")
    }
}

/// The variables of this process.
#[must_use]
pub fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.to_string_lossy().into_owned())))
        .collect()
}

fn read_api(r: &mut Reader<impl Fn(&Path) -> io::Result<String>>) -> Option<ApiConfig> {
    let listen = r.text("PUNCTUAL_API_LISTEN", reader::ADDRESS, |text| text.parse().ok());
    let metrics_listen = r.optional("PUNCTUAL_API_METRICS_LISTEN", reader::ADDRESS, |text| text.parse().ok());
    let database_connections = r.number("PUNCTUAL_API_DATABASE_CONNECTIONS", 2..=1000);
    let booking_batches = r.number("PUNCTUAL_API_BOOKING_BATCHES", 1..=16);
    let max_connections = r.number("PUNCTUAL_API_MAX_CONNECTIONS", 1..=1_000_000);
    let request_timeout = r.seconds("PUNCTUAL_API_REQUEST_SECONDS", 1..=300);
    let header_timeout = r.seconds("PUNCTUAL_API_HEADER_SECONDS", 1..=300);
    let drain = r.seconds("PUNCTUAL_API_DRAIN_SECONDS", 0..=60);
    let trusted_proxies =
        r.optional("PUNCTUAL_TRUSTED_PROXIES", "addresses or networks such as 10.0.0.0/8", |text| {
            text.split(',').map(|item| item.trim().parse().ok()).collect::<Option<Vec<Network>>>()
        });
    let cors =
        r.optional("PUNCTUAL_CORS_ORIGINS", "origins such as https://book.example.org, or *", |text| {
            if text == "*" {
                return Some(CorsOrigins::Any);
            }
            let origins = text.split(',').map(|item| origin(item.trim())).collect::<Option<Vec<_>>>()?;
            Some(CorsOrigins::These(origins))
        });
    let booking_page = r.text("PUNCTUAL_BOOKING_PAGE", "on or off", switch);
    let embed_origins =
        r.optional("PUNCTUAL_EMBED_ORIGINS", "origins such as https://salon.example", |text| {
            text.split(',').map(|item| origin(item.trim())).collect::<Option<Vec<_>>>()
        });
    let access_token = r.seconds("PUNCTUAL_ACCESS_TOKEN_SECONDS", 60..=3600);
    let refresh_days: Option<u64> = r.number("PUNCTUAL_REFRESH_TOKEN_DAYS", 1..=365);
    let password_threads = r.number("PUNCTUAL_PASSWORD_THREADS", 0..=64);
    let password_queue = r.number("PUNCTUAL_PASSWORD_QUEUE", 1..=10_000);
    let limits = limits::read(r);
    let slot_memory: Option<usize> = r.number("PUNCTUAL_API_SLOT_MEMORY_MIB", 0..=4096);
    Some(ApiConfig {
        listen: listen?,
        metrics_listen,
        database_connections: database_connections?,
        booking_batches: booking_batches?,
        max_connections: max_connections?,
        request_timeout: request_timeout?,
        header_timeout: header_timeout?,
        drain: drain?,
        trusted_proxies: trusted_proxies.unwrap_or_default(),
        cors: cors.unwrap_or(CorsOrigins::None),
        booking_page: booking_page?,
        embed_origins: embed_origins.unwrap_or_default(),
        access_token: access_token?,
        refresh_token: Duration::from_secs(refresh_days? * 86_400),
        password_threads: password_threads?,
        password_queue: password_queue?,
        limits,
        slot_memory: slot_memory? << 20,
    })
}

fn read_worker(
    r: &mut Reader<impl Fn(&Path) -> io::Result<String>>,
    public_url: &str,
) -> Option<WorkerConfig> {
    let metrics_listen =
        r.optional("PUNCTUAL_WORKER_METRICS_LISTEN", reader::ADDRESS, |text| text.parse().ok());
    let database_connections = r.number("PUNCTUAL_WORKER_DATABASE_CONNECTIONS", 2..=1000);
    let concurrency = r.number("PUNCTUAL_WORKER_CONCURRENCY", 1..=1000);
    let relay_connections = r.number("PUNCTUAL_RELAY_CONNECTIONS", 1..=1000);
    let ehlo_name = r.optional("PUNCTUAL_EHLO_NAME", "a domain name such as mail.example.org", domain);
    let dkim_selector = r.optional("PUNCTUAL_DKIM_SELECTOR", "labels such as mail2027", selector);
    let dkim_key = r.secret("PUNCTUAL_DKIM_KEY", "a private key in PEM", |text| {
        if text.starts_with("-----BEGIN ") { Ok(Secret::new(text)) } else { Err("it is not PEM") }
    });
    let webhook_networks = r.optional("PUNCTUAL_WEBHOOK_NETWORKS", "networks such as 10.20.0.0/16", |text| {
        text.split(',').map(|item| item.trim().parse().ok()).collect::<Option<Vec<IpNet>>>()
    });
    Some(WorkerConfig {
        metrics_listen,
        database_connections: database_connections?,
        concurrency: concurrency?,
        relay_connections: relay_connections?,
        ehlo_name: ehlo_name.unwrap_or_else(|| default_ehlo_name(public_url)),
        dkim_selector,
        dkim_key,
        webhook_networks: webhook_networks.unwrap_or_default(),
    })
}

fn read_telemetry(
    r: &mut Reader<impl Fn(&Path) -> io::Result<String>>,
) -> Option<punctual_telemetry::Settings> {
    let log_filter = r.text("PUNCTUAL_LOG", "a level, or levels per module such as info,sqlx=warn", levels);
    let log_format = r.text("PUNCTUAL_LOG_FORMAT", "json or human", |text| text.parse().ok());
    let collector = r.optional("PUNCTUAL_OTLP_ENDPOINT", "http://host:4318", |text| text.parse().ok());
    let sample_ratio = r.text("PUNCTUAL_TRACE_RATIO", "a number from 0 to 1 such as 0.25", |text| {
        text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio))
    });
    Some(punctual_telemetry::Settings {
        log_filter: log_filter?,
        log_format: log_format?,
        collector,
        sample_ratio: sample_ratio?,
    })
}

fn needed<'a, T>(value: Option<&'a T>, key: &'static str) -> Result<&'a T, ConfigError> {
    value.ok_or_else(|| ConfigError { faults: vec![Fault::missing(key)] })
}

#[cfg(test)]
mod tests;
