//! The circuit breaker as operators and other processes see it: its state is shared through the database.
//!
//! The breaker itself works without the database. If that fails, the state is not shared, and the circuit opens and closes
//! by this process's own results alone.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use punctual_core::mail_relay::{self, OpenCircuit, SharedState};
use punctual_core::{Core, Result};
use uuid::Uuid;

use crate::smtp::{Failure, Opening, Permit, Relay};

/// How long mails that wait for the relay are released again, once they can be sent: the first release misses those that are
/// just being put off.
const RELEASE_AGAIN_FOR: Duration = Duration::from_mins(1);

/// The shared circuit of this process. Clones are the same.
#[derive(Clone)]
pub struct Circuit {
    relay: Relay,
    core: Core,
    identity: Arc<Identity>,
    state: Arc<Mutex<State>>,
}

struct Identity {
    process_id: Uuid,
    process_name: String,
    /// Host and port of the relay.
    relay: String,
}

#[derive(Default)]
struct State {
    /// The row of this circuit as it was last to be written.
    opened: Option<OpenCircuit>,
    /// When mails that had been put off could be sent again, by this worker or another.
    release_from: Option<Instant>,
    /// Whether the circuit of another worker was closed when that was last read.
    others_get_through: bool,
}

impl Circuit {
    /// The circuit of the relay's breaker in this process. `address` is the relay's host and port.
    pub fn new(core: &Core, relay: Relay, address: String, process_name: String) -> Self {
        let process_id = punctual_queue::new_id(core.now());
        let identity = Arc::new(Identity { process_id, process_name, relay: address });
        Self { relay, core: core.clone(), identity, state: Arc::default() }
    }

    /// Whether a mail may use the relay. If the circuit is open, it first checks whether another process sent a mail
    /// or an operator requested a test.
    ///
    /// # Errors
    /// When to try again.
    pub async fn try_acquire(&self) -> std::result::Result<Permit, DateTime<Utc>> {
        if let Ok(permit) = self.relay.breaker().try_acquire() {
            return Ok(permit);
        }
        self.sync().await;
        self.relay.breaker().try_acquire()
    }

    /// Whether this worker leaves the mails to others, which get through to the relay.
    pub fn leaves_mails_to_others(&self) -> bool {
        self.relay.mails_bounded_to().is_some()
    }

    /// Runs every few seconds.
    pub async fn maintain(&self) {
        self.sync().await;
        self.bound_mails().await;
        let release_from = self.state().release_from;
        let are_sent = self.leaves_mails_to_others() || !self.relay.breaker().has_opened();
        if are_sent && release_from.is_some_and(|at| at.elapsed() < RELEASE_AGAIN_FOR) {
            self.report(mail_relay::release_waiting(&self.core).await);
        }
    }

    /// The relay works. If that closes an open circuit, all mails that wait for the relay are released.
    pub async fn succeeded(&self, permit: Permit) {
        if permit.succeeded() {
            self.closed();
            let shared = async {
                let released = mail_relay::succeeded(&self.core, &self.identity.relay).await?;
                tracing::info!(released, "the mail server works again");
                self.forget(false).await
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
            self.report(self.forget(true).await);
        }
    }

    async fn opened(&self, opening: Opening, failure: &Failure) -> DateTime<Utc> {
        if let Some(openings) = opening.openings {
            let Identity { process_id, process_name, relay } = &*self.identity;
            self.state().opened = Some(OpenCircuit {
                process_id: *process_id,
                process_name: process_name.clone(),
                relay: relay.clone(),
                open_until: opening.retry_at,
                openings,
                failure: failure.summary(),
                opened_at: self.core.now(),
            });
            self.report(self.share().await);
            self.bound_mails().await;
        }
        opening.retry_at
    }

    fn closed(&self) {
        self.state().release_from = Some(Instant::now());
        self.set_bound(None);
    }

    /// If the circuit is open, confirms it and applies what other processes have written.
    async fn sync(&self) {
        let breaker = self.relay.breaker();
        if breaker.has_opened() {
            let synced = match self.confirm().await {
                Ok(Some(shared)) if shared.openings == breaker.openings() => self.apply(shared).await,
                // The last opening could not be written.
                Ok(_) => self.share().await,
                Err(error) => Err(error),
            };
            self.report(synced);
        }
    }

    async fn apply(&self, shared: SharedState) -> Result<()> {
        let breaker = self.relay.breaker();
        if !shared.is_closed {
            breaker.shorten(shared.openings, shared.open_until);
            return Ok(());
        }
        if breaker.close(shared.openings) {
            self.closed();
        }
        self.forget(false).await
    }

    /// While the circuit is open and that of another worker is not, the mails are left to the other, except for one when a test
    /// of the relay is due.
    async fn bound_mails(&self) {
        let breaker = self.relay.breaker();
        if breaker.has_opened() {
            match mail_relay::others_get_through(&self.core, self.identity.process_id).await {
                Ok(others) => self.state().others_get_through = others,
                Err(error) => self.report(Err(error)),
            }
        }
        // Looked at after the query: meanwhile it may have closed.
        let leaves = breaker.has_opened() && self.state().others_get_through;
        self.set_bound(leaves.then(|| u32::from(!breaker.is_open())));
    }

    fn set_bound(&self, mails: Option<u32>) {
        match (self.relay.bound_mails(mails), mails) {
            (None, Some(_)) => {
                self.state().release_from = Some(Instant::now());
                tracing::info!(
                    "the mail server fails for this worker and not for others: they send the mails"
                );
            }
            (Some(_), None) => tracing::info!("this worker takes mails again"),
            _ => {}
        }
    }

    /// Writes the last opening, unless the circuit has closed since.
    async fn share(&self) -> Result<()> {
        let breaker = self.relay.breaker();
        let last = self.state().opened.clone();
        let Some(circuit) = last.filter(|circuit| circuit.openings == breaker.openings()) else {
            return Ok(());
        };
        mail_relay::opened(&mut *self.core.pool.acquire().await?, self.core.now(), &circuit).await?;
        // It may have closed and removed its row before this wrote it.
        if breaker.has_opened() { Ok(()) } else { self.forget(true).await }
    }

    async fn confirm(&self) -> Result<Option<SharedState>> {
        let mut conn = self.core.pool.acquire().await?;
        mail_relay::confirm_open(&mut conn, self.core.now(), self.identity.process_id).await
    }

    async fn forget(&self, in_any_case: bool) -> Result<()> {
        let mut conn = self.core.pool.acquire().await?;
        mail_relay::forget(&mut conn, self.core.now(), self.identity.process_id, in_any_case).await
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self, shared: Result<()>) {
        if let Err(error) = shared {
            tracing::warn!(%error, relay = self.identity.relay, "the circuit's state is not shared");
        }
    }
}
