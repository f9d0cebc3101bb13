//! A request with an idempotency key.

use std::time::Duration;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::IdempotencyKey;
use crate::keyed_mutex::{KeyedMutexGuard, LockError};
use crate::types::{Actor, EmailAddress};
use crate::{Core, Error, Result};

/// How long a request waits for another one with its key.
const WAIT_TIMEOUT: Duration = Duration::from_secs(2);

/// What distinguishes guests.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Guest<'a> {
    /// The e-mail address they give.
    Email(&'a EmailAddress),
    /// A name the caller has for the client's address.
    Named(&'a str),
    /// Nothing, or the actor is not a guest.
    Unknown,
}

/// A request with its key and caller.
pub(crate) struct Request {
    scope: String,
    key: IdempotencyKey,
    hash: [u8; 32],
}

impl Request {
    /// `operation` by `actor` with this body. `guest` distinguishes guests, see [`Guest`].
    pub(crate) fn new(
        operation: &str,
        actor: &Actor,
        guest: Guest<'_>,
        key: &IdempotencyKey,
        body: &impl Serialize,
    ) -> Result<Self> {
        let body = serde_json::to_vec(body).map_err(|error| Error::internal("hash of a request", error))?;
        let caller = match (actor.caller_id(), guest) {
            (Some(id), _) => id.to_string(),
            (None, Guest::Email(email)) => hex(&Sha256::digest(email.as_str().to_ascii_lowercase())),
            (None, Guest::Named(name)) => format!("guest:{name}"),
            (None, Guest::Unknown) => "guest".to_owned(),
        };
        Ok(Self {
            scope: format!("{operation}:{caller}"),
            key: key.clone(),
            hash: Sha256::digest(body).into(),
        })
    }

    /// `operation` by `actor`, who is no guest, if it has a key.
    pub(crate) fn with_key(
        operation: &str,
        actor: &Actor,
        key: Option<&IdempotencyKey>,
        body: &impl Serialize,
    ) -> Result<Option<Self>> {
        key.map(|key| Self::new(operation, actor, Guest::Unknown, key, body)).transpose()
    }

    /// Waits in this process, without a connection, until no other request with the key runs.
    pub(crate) async fn lock(&self, core: &Core) -> Result<KeyedMutexGuard<String>> {
        core.keys.lock(self.lock_name(), WAIT_TIMEOUT).await.map_err(|error| match error {
            LockError::Full | LockError::TimedOut => Error::IdempotencyInProgress,
        })
    }

    /// The name of the mutex and of the advisory lock of scope and key.
    pub(super) fn lock_name(&self) -> String {
        format!("{}\n{}", self.scope, self.key)
    }

    pub(super) fn scope(&self) -> &str {
        &self.scope
    }

    pub(super) fn key(&self) -> &str {
        self.key.as_str()
    }

    pub(super) fn hash(&self) -> &[u8] {
        &self.hash
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
