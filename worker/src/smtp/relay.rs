//! The mail server that accepts our mails: its connections and its circuit breaker.

use deadpool::managed::{Object, Pool, PoolError};
use lettre::Address;
use punctual_queue::SharedClock;
use tokio::sync::watch;

use super::address::RelayAddress;
use super::breaker::{Breaker, Permit};
use super::capacity::Capacity;
use super::connect::ConnectionManager;
use super::connection::{Connection, OpenCount};
use super::failure::{Failure, Step};
use super::timeouts::Timeouts;
use super::transaction::MailTransaction;

/// A relay. Clones share connections and breaker.
#[derive(Clone)]
pub struct Relay {
    pool: Pool<ConnectionManager>,
    open: OpenCount,
    capacity: Capacity,
    breaker: Breaker,
    timeouts: Timeouts,
}

impl Relay {
    /// A relay with up to `connections` open at once, greeted as `ehlo_name`. The first opens with the first mail.
    ///
    /// # Errors
    /// If TLS cannot be set up, or the host is not a valid name for TLS.
    pub fn new(
        address: RelayAddress,
        ehlo_name: String,
        timeouts: Timeouts,
        connections: usize,
        clock: SharedClock,
    ) -> Result<Self, Failure> {
        let open = OpenCount::default();
        let manager = ConnectionManager::new(address, ehlo_name, timeouts, open.clone())?;
        let pool = Pool::builder(manager)
            .max_size(connections.max(1))
            .build()
            .map_err(|error| Failure::no_reply(Step::Connect, &error.to_string()))?;
        Ok(Self { pool, open, capacity: Capacity::new(connections), breaker: Breaker::new(clock), timeouts })
    }

    /// The circuit breaker.
    #[must_use]
    pub fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// Opens a mail transaction: MAIL and RCPT. Waits while the relay's connections are all in use. Two refusals only
    /// mean that another connection has to be used, and are not failures of the relay:
    /// - any at MAIL on a connection that was used before: it was idle for too long, or has carried as many mails as the relay allows;
    /// - a 421, or no connection at all, while others work: the relay allows no more at a time.
    ///
    /// A mail whose turn comes after the circuit has opened does not connect.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn begin_mail(
        &self,
        sender: &Address,
        recipient: &Address,
        permit: &Permit,
    ) -> Result<MailTransaction, Failure> {
        loop {
            let slot = self.capacity.acquire().await;
            if !permit.is_valid() {
                let why = "it failed while the mail waited for a connection";
                return Err(Failure::no_reply(Step::Connect, why));
            }
            let mut connection = match self.pool.get().await {
                Ok(connection) => connection,
                Err(PoolError::Backend(failure)) => {
                    let others = self.open.get();
                    if (is_busy(&failure) || failure.step == Step::Connect) && others > 0 {
                        self.capacity.refused(others);
                        continue;
                    }
                    if others == 0 {
                        self.capacity.unavailable();
                    }
                    return Err(failure);
                }
                Err(other) => return Err(Failure::no_reply(Step::Connect, &other.to_string())),
            };
            let reused = connection.was_used();
            match connection.envelope(sender, recipient, &self.timeouts).await {
                Ok(()) => {
                    self.capacity.works(self.open.get());
                    return Ok(MailTransaction::new(connection, slot, self.timeouts));
                }
                Err(failure) if failure.step == Step::Mail && reused => {
                    Object::take(connection).quit().await;
                }
                Err(failure) if failure.step == Step::Mail && is_busy(&failure) && self.open.get() > 1 => {
                    drop(Object::take(connection));
                    self.capacity.refused(self.open.get());
                }
                Err(failure) => {
                    if failure.step == Step::Mail && is_busy(&failure) {
                        self.capacity.unavailable();
                    }
                    return Err(failure);
                }
            }
        }
    }

    /// How many mails to have under way, as it changes: two for each connection that the relay allows, within
    /// [the bound](Self::bound_mails).
    #[must_use]
    pub fn mails_at_once(&self) -> watch::Receiver<u32> {
        self.capacity.mails()
    }

    /// Bounds how many mails to have under way, whatever the connections carry. Returns the previous bound.
    #[must_use]
    pub fn bound_mails(&self, mails: Option<u32>) -> Option<u32> {
        self.capacity.bound(mails)
    }

    /// The bound set by [`Self::bound_mails`].
    #[must_use]
    pub fn mails_bounded_to(&self) -> Option<u32> {
        self.capacity.bounded_to()
    }

    /// How many connections carry a mail, and how many are idle.
    #[must_use]
    pub fn connections(&self) -> (usize, usize) {
        let status = self.pool.status();
        let idle = status.available.min(status.size);
        (status.size - idle, idle)
    }

    /// How many connections the relay seems to allow.
    #[must_use]
    pub fn connection_limit(&self) -> usize {
        self.capacity.limit()
    }

    /// Closes connections that have been idle for too long.
    pub async fn close_idle(&self) {
        let idle = self.timeouts.idle;
        let closed = self.pool.retain(|connection, _| connection.is_usable(idle));
        futures::future::join_all(closed.removed.into_iter().map(Connection::quit)).await;
    }

    /// Closes all connections that carry no mail.
    pub async fn close(&self) {
        let closed = self.pool.retain(|_, _| false);
        futures::future::join_all(closed.removed.into_iter().map(Connection::quit)).await;
    }
}

/// 421: the service is not available on this connection.
fn is_busy(failure: &Failure) -> bool {
    failure.code == Some(421)
}
