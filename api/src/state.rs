//! State that handlers share.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use chrono::TimeDelta;
use poem_openapi::registry::Registry;
use punctual_core::{
    Core,
    config::{ApiConfig, Config, ConfigError, Fault, Keys, Secret},
    sessions::Epochs,
    slots::Snapshots,
    storefront::Storefronts,
};

use crate::{
    auth::{Passwords, Tokens},
    change_watch::ChangeWatch,
    throttle::Throttle,
    views::{SlotsPage, StorefrontPages},
};

/// State that handlers share, created once.
pub struct State {
    /// Context of the use cases: database, clock, wake-up.
    pub core: Core,
    /// Access tokens.
    pub tokens: Tokens,
    /// Keys from which links are derived.
    pub links: Keys,
    /// Threads that hash passwords.
    pub passwords: Passwords,
    /// Request limits.
    pub throttle: Throttle,
    /// Checks whether sessions of access tokens have ended.
    pub epochs: Epochs,
    /// The schemas that requests are checked against.
    pub schemas: &'static Registry,
    /// Lists of slots.
    pub slots: Snapshots<SlotsPage>,
    /// The business as pages show it.
    pub storefronts: Storefronts<StorefrontPages>,
    /// Whether this is a sandbox, with a clock that can be moved.
    pub is_sandbox: bool,
    /// Settings of the api.
    pub config: ApiConfig,
    /// Base of problem types, without a trailing slash.
    pub public_url: String,
    /// Lifetime of an unused session.
    pub session: TimeDelta,
    /// Notifies open pages of changes.
    pub changes: ChangeWatch,
    draining: AtomicBool,
}

impl State {
    /// From the configuration.
    ///
    /// # Errors
    /// When the keys of access tokens or of links are not set, or the URL of Redis cannot be read.
    pub fn new(
        config: &Config,
        core: Core,
        schemas: &'static Registry,
        redis_prefix: &str,
    ) -> Result<Self, ConfigError> {
        let api = config.api.clone();
        let key = config.link_keys()?.signing().clone();
        let redis = config.redis_url.as_ref().map(Secret::expose);
        let throttle = Throttle::new(api.limits.clone(), key, redis, redis_prefix).map_err(|error| {
            let fault = Fault { key: "REDIS_URL".to_owned(), problem: format!("cannot be read: {error}") };
            ConfigError { faults: vec![fault] }
        })?;
        Ok(Self {
            schemas,
            epochs: Epochs::new(&core.pool),
            slots: Snapshots::new(&core, api.slot_memory),
            storefronts: Storefronts::default(),
            core,
            tokens: Tokens::new(config.jwt_keys()?, &config.public_url, api.access_token),
            links: config.link_keys()?.clone(),
            passwords: Passwords::new(api.password_threads, api.password_queue),
            public_url: config.public_url.clone(),
            session: TimeDelta::from_std(api.refresh_token).unwrap_or(TimeDelta::days(30)),
            throttle,
            is_sandbox: config.sandbox,
            config: api,
            changes: ChangeWatch::default(),
            draining: AtomicBool::new(false),
        })
    }

    /// From now on `/readyz` fails.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether the process is not stopping.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Timeout of a request.
    #[must_use]
    pub const fn request_timeout(&self) -> Duration {
        self.config.request_timeout
    }
}
