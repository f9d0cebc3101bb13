//! The circuit breaker as operators and other processes see it: its state is shared through the database.
//!
//! The breaker itself works without the database. If that fails, the state is not shared, and the circuit opens and closes
//! by this process's own results alone.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use punctual_core::mail_relay::{self, OpenCircuit, Signal};
use punctual_core::{Core, Result};
use uuid::Uuid;

use crate::smtp::{Failure, Opening, Permit, Relay};

/// How long after the circuit has closed waiting mails are released again: those that were being put off when it closed were left
/// out.
const RELEASE_AGAIN_FOR: Duration = Duration::from_mins(1);

/// The shared circuit of this process. Clones are the same.
#[derive(Clone)]
pub struct Circuit {
    relay: Relay,
    core: Core,
    identity: Arc<Identity>,
    /// When the circuit last closed.
    closed_at: Arc<Mutex<Option<Instant>>>,
}

struct Identity {
    process_id: Uuid,
    process_name: String,
    /// Host and port of the relay.
    relay: String,
}

impl Circuit {
    /// The circuit of the relay's breaker in this process. `address` is the relay's host and port.
    pub fn new(core: &Core, relay: Relay, address: String, process_name: String) -> Self {
        let process_id = punctual_queue::new_id(core.now());
        let identity = Arc::new(Identity { process_id, process_name, relay: address });
        Self { relay, core: core.clone(), identity, closed_at: Arc::default() }
    }

    /// Whether a mail may use the relay. If the circuit is open, it first checks whether another process sent a mail
    /// or an operator requested a test.
    ///
    /// # Errors
    /// When to try again.
    pub async fn try_acquire(&self) -> std::result::Result<Permit, DateTime<Utc>> {
        let mut acquired = self.relay.breaker().try_acquire();
        if acquired.is_err() {
            self.sync().await;
            acquired = self.relay.breaker().try_acquire();
        }
        if acquired.as_ref().is_ok_and(Permit::is_probe) {
            self.hold_back().await;
        }
        acquired.map_err(|until| self.retry_at(until))
    }

    /// Runs every few seconds.
    pub async fn maintain(&self) {
        self.sync().await;
        self.hold_back().await;
    }

    /// If the circuit is open, confirms it and applies messages of other processes. If it closed within
    /// [`RELEASE_AGAIN_FOR`], releases waiting mails again.
    async fn sync(&self) {
        if !self.relay.breaker().has_opened() {
            let closed_at = *self.closed_at.lock().unwrap_or_else(PoisonError::into_inner);
            if closed_at.is_some_and(|at| at.elapsed() < RELEASE_AGAIN_FOR) {
                self.report(mail_relay::release_waiting(&self.core).await);
            }
            return;
        }
        match self.confirm().await {
            Ok(Some(Signal::Close)) => {
                self.relay.breaker().close();
                self.note_closed();
                self.report(self.forget().await);
            }
            Ok(Some(Signal::OpenUntil { until, openings })) => self.relay.breaker().shorten(openings, until),
            Ok(None) => {}
            Err(error) => self.report(Err(error)),
        }
    }

    /// The relay works. If that closes an open circuit, all mails that wait for the relay are released.
    pub async fn succeeded(&self, permit: Permit) {
        if permit.succeeded() {
            self.note_closed();
            let shared = async {
                let released = mail_relay::succeeded(&self.core, &self.identity.relay).await?;
                tracing::info!(released, "the mail server works again");
                self.forget().await
            };
            self.report(shared.await);
        }
    }

    /// The relay failed. Returns when to try the mail again.
    pub async fn failed(&self, permit: Permit, failure: &Failure) -> DateTime<Utc> {
        self.opened(permit.failed(), failure).await
    }

    /// The relay failed at this recipient. Returns when to try the mail again if that counts against the relay.
    pub async fn failed_for(
        &self,
        permit: Permit,
        recipient: &str,
        failure: &Failure,
    ) -> Option<DateTime<Utc>> {
        match permit.failed_for(recipient) {
            Some(opening) => Some(self.opened(opening, failure).await),
            None => None,
        }
    }

    /// Removes the shared state when the process ends.
    pub async fn close(&self) {
        if self.relay.breaker().has_opened() {
            self.report(self.forget().await);
        }
    }

    fn note_closed(&self) {
        *self.closed_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        self.set_held_back(false);
    }

    /// While the circuit is open and other workers get through, this one claims no mail, until one may test the relay.
    async fn hold_back(&self) {
        let held_back = self.relay.breaker().is_open()
            && mail_relay::others_get_through(&self.core).await.unwrap_or_else(|error| {
                self.report(Err(error));
                false
            });
        self.set_held_back(held_back);
    }

    fn set_held_back(&self, held_back: bool) {
        if self.relay.hold_back(held_back) {
            let relay = &self.identity.relay;
            tracing::info!(
                held_back,
                relay,
                "mails are left to other workers while only this one is cut off"
            );
        }
    }

    /// When to try a mail again that this process can't send before `until`: at once if others get through.
    fn retry_at(&self, until: DateTime<Utc>) -> DateTime<Utc> {
        if self.relay.is_held_back() { self.core.now() } else { until }
    }

    async fn opened(&self, opening: Opening, failure: &Failure) -> DateTime<Utc> {
        if let Some(openings) = opening.openings {
            self.report(self.share(opening.retry_at, openings, failure).await);
            self.hold_back().await;
        }
        self.retry_at(opening.retry_at)
    }

    async fn share(&self, open_until: DateTime<Utc>, openings: i32, failure: &Failure) -> Result<()> {
        let now = self.core.now();
        let Identity { process_id, process_name, relay } = &*self.identity;
        let circuit = OpenCircuit {
            process_id: *process_id,
            process_name: process_name.clone(),
            relay: relay.clone(),
            open_until,
            openings,
            failure: failure.summary(),
            opened_at: now,
        };
        mail_relay::opened(&mut *self.core.pool.acquire().await?, now, &circuit).await
    }

    async fn confirm(&self) -> Result<Option<Signal>> {
        let mut conn = self.core.pool.acquire().await?;
        mail_relay::confirm_open(&mut conn, self.core.now(), self.identity.process_id).await
    }

    async fn forget(&self) -> Result<()> {
        let mut conn = self.core.pool.acquire().await?;
        mail_relay::forget(&mut conn, self.core.now(), self.identity.process_id).await
    }

    fn report(&self, shared: Result<()>) {
        if let Err(error) = shared {
            tracing::warn!(%error, relay = self.identity.relay, "the circuit's state is not shared");
        }
    }
}
