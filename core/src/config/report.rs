//! The effective configuration for people: secrets hidden, with warnings about unusual settings.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::reader::SECRETS;
use super::{Config, ConfigError, CorsOrigins, DEFAULTS, RequestLimits, Secret, is_localhost};

/// The program that reads the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// punctual-api.
    Api,
    /// punctual-worker.
    Worker,
}

/// A key with its effective value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The variable's name.
    pub key: &'static str,
    /// Its value; for a secret only whether and how it is set.
    pub value: String,
    /// Whether it is the default.
    pub is_default: bool,
}

/// A setting that is valid but probably not intended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The key to look at.
    pub key: &'static str,
    /// Why it is suspicious.
    pub why: &'static str,
}

impl Program {
    fn reads(self, section: &str) -> bool {
        match section {
            "api and worker" => true,
            "api" => self == Self::Api,
            "worker" => self == Self::Worker,
            _ => false,
        }
    }
}

/// The settings that a program reads, in the order of `defaults.env`.
#[must_use]
pub fn in_force(vars: &BTreeMap<String, String>, program: Program) -> Vec<Setting> {
    let mut section = "";
    let mut settings = Vec::new();
    for line in DEFAULTS.lines() {
        if let Some(heading) = line.strip_prefix("##") {
            section = heading.trim_start_matches('#').trim();
        }
        let Some((key, default)) = line.split_once('=').filter(|_| !line.starts_with('#')) else { continue };
        if program.reads(section) {
            settings.push(setting(vars, key, default));
        }
    }
    settings
}

fn setting(vars: &BTreeMap<String, String>, key: &'static str, default: &str) -> Setting {
    let set = |key: &str| vars.get(key).map(|text| text.trim()).filter(|text| !text.is_empty());
    let value = match (vars.get(key), set(key), set(&format!("{key}_FILE"))) {
        (_, Some(_), _) if SECRETS.contains(&key) => "(secret)".to_owned(),
        (_, _, Some(path)) if SECRETS.contains(&key) => format!("(secret, from {path})"),
        (Some(text), ..) => text.trim().to_owned(),
        (None, ..) => default.to_owned(),
    };
    Setting { key, is_default: value == default, value }
}

/// The report that both programs print: every setting, with `*` before those that are not the default, then the
/// warnings.
#[must_use]
pub fn report(config: &Config, vars: &BTreeMap<String, String>, program: Program) -> String {
    let line = |setting: Setting| {
        let mark = if setting.is_default { ' ' } else { '*' };
        let value = if setting.value.is_empty() { "(not set)" } else { &setting.value };
        format!("{mark} {} = {value}\n", setting.key)
    };
    let settings = in_force(vars, program).into_iter().map(line);
    let warnings = config.warnings(program).into_iter();
    settings.chain(warnings.map(|Warning { key, why }| format!("warning: {key} {why}\n"))).collect()
}

impl Config {
    /// Checks that everything a program needs is set.
    ///
    /// # Errors
    ///
    /// Everything that is missing.
    pub fn check(&self, program: Program) -> Result<(), ConfigError> {
        let own = match program {
            Program::Api => self.jwt_keys().map(drop),
            Program::Worker => self.smtp_url().map(drop),
        };
        let needs = [self.database_url().map(drop), own, self.link_keys().map(drop)];
        let faults: Vec<_> =
            needs.into_iter().filter_map(Result::err).flat_map(|error| error.faults).collect();
        if faults.is_empty() { Ok(()) } else { Err(ConfigError { faults }) }
    }

    /// Settings that are valid but probably not intended.
    #[must_use]
    pub fn warnings(&self, program: Program) -> Vec<Warning> {
        let local = is_localhost(&self.public_url);
        let smtp = self.smtp_url.as_ref().map(Secret::expose);
        let database = self.database_url.as_ref().map(Secret::expose);
        let reachable = |address: Option<SocketAddr>| address.is_some_and(|address| is_public(address.ip()));
        let (api, worker) = (program == Program::Api, program == Program::Worker);
        let all = [
            (
                !local && self.public_url.starts_with("http://"),
                "PUNCTUAL_PUBLIC_URL",
                "is http:// and not on localhost: passwords, tokens and links travel in the clear, and browsers do not keep the session of /ops",
            ),
            (
                local && smtp.is_some_and(|url| !is_localhost(&without_user(url))),
                "PUNCTUAL_PUBLIC_URL",
                "is on localhost while mails leave this machine: their links lead nowhere for whoever gets them",
            ),
            (
                self.redis_url.is_none(),
                "REDIS_URL",
                "is not set: mails leave within a second instead of milliseconds, and limits of several processes are shared by counting them",
            ),
            (
                database.is_some_and(|url| !is_localhost(&without_user(url)) && !url.contains("sslmode=")),
                "DATABASE_URL",
                "names another machine without sslmode: the connection is encrypted only if the server offers it; sslmode=verify-full insists",
            ),
            (
                self.telemetry.log_filter.contains("trace"),
                "PUNCTUAL_LOG",
                "asks for trace: libraries then log what they send and receive, which may be persons' data",
            ),
            (
                self.shutdown_grace < Duration::from_secs(5),
                "PUNCTUAL_SHUTDOWN_GRACE_SECONDS",
                "is under 5: what is under way at a stop is cut off, and a mail the relay has not yet answered for is left in doubt",
            ),
            (
                worker
                    && smtp.is_some_and(|url| {
                        url.starts_with("smtp://") && !url.contains('@') && !is_localhost(url)
                    }),
                "SMTP_URL",
                "is smtp:// without a password to another machine: mails travel in the clear; smtp+starttls:// encrypts them",
            ),
            (
                api && self.api.cors == CorsOrigins::Any,
                "PUNCTUAL_CORS_ORIGINS",
                "is *: every web page may call the API from its visitors' browsers",
            ),
            (
                api && !local && self.api.drain.is_zero(),
                "PUNCTUAL_API_DRAIN_SECONDS",
                "is 0: a load balancer still sends requests when the api has stopped listening",
            ),
            (
                api && self
                    .api
                    .trusted_proxies
                    .iter()
                    .any(|network| network.contains(IpAddr::from([203, 0, 113, 9]))),
                "PUNCTUAL_TRUSTED_PROXIES",
                "takes in public addresses: whoever sends X-Forwarded-For from there chooses the address that limits count",
            ),
            (
                api && !local && self.api.limits == RequestLimits::default(),
                "PUNCTUAL_LIMITS",
                "is off: passwords can be guessed and mails ordered as fast as requests come",
            ),
            (
                api && reachable(self.api.metrics_listen),
                "PUNCTUAL_API_METRICS_LISTEN",
                "is a public address: /metrics has no login",
            ),
            (
                worker && reachable(self.worker.metrics_listen),
                "PUNCTUAL_WORKER_METRICS_LISTEN",
                "is a public address: /metrics has no login",
            ),
        ];
        all.into_iter().filter(|(odd, ..)| *odd).map(|(_, key, why)| Warning { key, why }).collect()
    }
}

/// The URL without user and password, which could look like a host.
fn without_user(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let authority = rest[..end].rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{authority}")
}

/// Whether the address is neither of this machine nor of a private network. In a container all addresses may be
/// private, and there 0.0.0.0 is right.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !(ip.is_loopback() || ip.is_private() || ip.is_unspecified() || ip.is_link_local()),
        IpAddr::V6(ip) => !(ip.is_loopback() || ip.is_unspecified() || (ip.segments()[0] & 0xfe00) == 0xfc00),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vars(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn warned(pairs: &[(&str, &str)], program: Program) -> Vec<&'static str> {
        let config = Config::parse(vars(pairs), |_| Err(std::io::ErrorKind::NotFound.into())).unwrap();
        config.warnings(program).into_iter().map(|warning| warning.key).collect()
    }

    #[test]
    fn the_report_shows_effective_settings_without_secrets() {
        let vars = vars(&[
            ("DATABASE_URL", "postgres://u:hunter2@h/d"),
            ("PUNCTUAL_JWT_KEYS_FILE", "/keys/jwt"),
            ("PUNCTUAL_API_DRAIN_SECONDS", "5"),
        ]);
        let api = in_force(&vars, Program::Api);
        let of = |key: &str| {
            let found = api.iter().find(|setting| setting.key == key);
            found.map(|setting| (setting.value.as_str(), setting.is_default))
        };
        assert_eq!(of("DATABASE_URL"), Some(("(secret)", false)));
        assert_eq!(of("PUNCTUAL_JWT_KEYS"), Some(("(secret, from /keys/jwt)", false)));
        assert_eq!(of("PUNCTUAL_API_DRAIN_SECONDS"), Some(("5", false)));
        assert_eq!(of("REDIS_URL"), Some(("", true)));
        assert_eq!((of("PUNCTUAL_WORKER_CONCURRENCY"), of("PUNCTUAL_REQUIRE_REDIS")), (None, None));
        let worker = in_force(&vars, Program::Worker);
        assert!(worker.iter().any(|setting| setting.key == "PUNCTUAL_WORKER_CONCURRENCY"));
    }

    #[test]
    fn a_local_machine_and_a_careful_deployment_are_not_warned() {
        let local = [("REDIS_URL", "redis://localhost:6379"), ("DATABASE_URL", "postgres://u:p@localhost/d")];
        assert_eq!(warned(&local, Program::Api), Vec::<&str>::new());
        let public = [
            ("REDIS_URL", "redis://cache:6379"),
            ("DATABASE_URL", "postgres://u:p@db/d?sslmode=verify-full"),
            ("SMTP_URL", "smtps://u:p@relay.example:465"),
            ("PUNCTUAL_PUBLIC_URL", "https://book.example.org"),
            ("PUNCTUAL_TRUSTED_PROXIES", "10.0.0.0/8"),
        ];
        assert_eq!(warned(&public, Program::Worker), Vec::<&str>::new());
        assert_eq!(warned(&public, Program::Api), Vec::<&str>::new());
    }

    #[test]
    fn risky_combinations_are_named() {
        let risky = [
            ("DATABASE_URL", "postgres://localhost:p@db/d"),
            ("SMTP_URL", "smtp://relay.example:25"),
            ("PUNCTUAL_PUBLIC_URL", "http://book.example.org"),
            ("PUNCTUAL_TRUSTED_PROXIES", "0.0.0.0/0"),
            ("PUNCTUAL_CORS_ORIGINS", "*"),
            ("PUNCTUAL_API_DRAIN_SECONDS", "0"),
            ("PUNCTUAL_API_METRICS_LISTEN", "203.0.113.1:9090"),
            ("PUNCTUAL_LIMITS", "off"),
            ("PUNCTUAL_LOG", "info,hyper=trace"),
            ("PUNCTUAL_SHUTDOWN_GRACE_SECONDS", "1"),
        ];
        let both = [
            "PUNCTUAL_PUBLIC_URL",
            "REDIS_URL",
            "DATABASE_URL",
            "PUNCTUAL_LOG",
            "PUNCTUAL_SHUTDOWN_GRACE_SECONDS",
        ];
        let api = [
            "PUNCTUAL_CORS_ORIGINS",
            "PUNCTUAL_API_DRAIN_SECONDS",
            "PUNCTUAL_TRUSTED_PROXIES",
            "PUNCTUAL_LIMITS",
            "PUNCTUAL_API_METRICS_LISTEN",
        ];
        assert_eq!(warned(&risky, Program::Api), [&both[..], &api[..]].concat());
        assert_eq!(warned(&risky, Program::Worker), [&both[..], &["SMTP_URL"]].concat());
        let nowhere = [("SMTP_URL", "smtps://u:p@relay.example"), ("REDIS_URL", "redis://h")];
        assert_eq!(warned(&nowhere, Program::Worker), ["PUNCTUAL_PUBLIC_URL"]);
    }

    #[test]
    fn what_is_needed_and_missing_is_named_at_once() {
        let config = Config::parse(BTreeMap::new(), |_| Err(std::io::ErrorKind::NotFound.into())).unwrap();
        let missing = |program| {
            let faults = config.check(program).unwrap_err().faults;
            faults.into_iter().map(|fault| fault.key).collect::<Vec<_>>()
        };
        assert_eq!(missing(Program::Api), ["DATABASE_URL", "PUNCTUAL_JWT_KEYS", "PUNCTUAL_LINK_KEYS"]);
        assert_eq!(missing(Program::Worker), ["DATABASE_URL", "SMTP_URL", "PUNCTUAL_LINK_KEYS"]);
    }
}
