//! What handlers share.

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

/// What handlers share; made once.
pub struct State {
    /// The use cases' parts: database, clock, wake-up.
    pub core: Core,
    /// Access tokens.
    pub tokens: Tokens,
    /// Keys from which links are derived.
    pub links: Keys,
    /// Threads that hash passwords.
    pub passwords: Passwords,
    /// How often clients may ask.
    pub throttle: Throttle,
    /// Whether access tokens still stand.
    pub epochs: Epochs,
    /// The schemas that requests are checked against.
    pub schemas: &'static Registry,
    /// Lists of slots.
    pub slots: Snapshots<SlotsPage>,
    /// The business as pages show it.
    pub storefronts: Storefronts<StorefrontPages>,
    /// What the api was told.
    pub config: ApiConfig,
    /// Base of problem types, without a trailing slash.
    pub public_url: String,
    /// How long a session lasts without being used.
    pub session: TimeDelta,
    /// Tells pages that are open that something changed.
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
            slots: Snapshots::new(&core.pool, api.slot_memory),
            storefronts: Storefronts::default(),
            core,
            tokens: Tokens::new(config.jwt_keys()?, &config.public_url, api.access_token),
            links: config.link_keys()?.clone(),
            passwords: Passwords::new(api.password_threads, api.password_queue),
            public_url: config.public_url.clone(),
            session: TimeDelta::from_std(api.refresh_token).unwrap_or(TimeDelta::days(30)),
            throttle,
            config: api,
            changes: ChangeWatch::default(),
            draining: AtomicBool::new(false),
        })
    }

    /// From now on `/readyz` says no.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether requests are still wanted.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// How long a request may take.
    #[must_use]
    pub const fn request_timeout(&self) -> Duration {
        self.config.request_timeout
    }
}
