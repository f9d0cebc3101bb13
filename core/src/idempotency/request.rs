//! One request that carries a key.

use std::time::Duration;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::IdempotencyKey;
use crate::turns::{NoTurn, Turn};
use crate::types::{Actor, EmailAddress};
use crate::{Core, Error, Result};

/// How long an equal request waits for the first.
const PATIENCE: Duration = Duration::from_secs(2);

/// What tells a guest from another.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Guest<'a> {
    /// The address they give.
    Email(&'a EmailAddress),
    /// A name that the caller has for where they ask from.
    Named(&'a str),
    /// Nothing, or it is not a guest.
    Unknown,
}

/// A request with its key: who asks for what.
pub(crate) struct Request {
    scope: String,
    key: IdempotencyKey,
    hash: [u8; 32],
}

impl Request {
    /// `operation` by `actor` with this body. Guests are told apart by what `guest` says: see [`Guest`].
    pub(crate) fn new(
        operation: &str,
        actor: &Actor,
        guest: Guest<'_>,
        key: &IdempotencyKey,
        body: &impl Serialize,
    ) -> Result<Self> {
        let body = serde_json::to_vec(body).map_err(|error| Error::internal("hash of a request", error))?;
        let caller = match (actor.user_id(), guest) {
            (Some(user_id), _) => user_id.to_string(),
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

    /// Waits in this process until no other request with the key runs, which costs no connection.
    pub(crate) async fn turn(&self, core: &Core) -> Result<Turn<String>> {
        let key = format!("{}\n{}", self.scope, self.key);
        core.keys.take(key, PATIENCE).await.map_err(|no_turn| match no_turn {
            NoTurn::Full | NoTurn::TimedOut => Error::IdempotencyInProgress,
        })
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
