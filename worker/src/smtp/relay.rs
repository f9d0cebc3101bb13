//! The mail server that accepts our mails: its pool of connections and its circuit breaker.

use deadpool::managed::{Pool, PoolError};
use lettre::Address;
use lettre::transport::smtp::client::TlsParameters;
use punctual_queue::SharedClock;

use super::address::{Encryption, RelayAddress};
use super::breaker::Breaker;
use super::connection::{Connection, ConnectionManager};
use super::failure::{Failure, Step};
use super::timeouts::Timeouts;
use super::transaction::MailTransaction;

/// A relay. Clones share connections and breaker.
#[derive(Clone)]
pub struct Relay {
    pool: Pool<ConnectionManager>,
    breaker: Breaker,
    timeouts: Timeouts,
}

impl Relay {
    /// A relay with up to `connections` open at once; the first opens with the first mail.
    ///
    /// # Errors
    /// If this machine's certificates cannot be read, or the host is not a valid name for TLS.
    pub fn new(
        address: RelayAddress,
        timeouts: Timeouts,
        connections: usize,
        clock: SharedClock,
    ) -> Result<Self, Failure> {
        let tls = match address.encryption {
            Encryption::None => None,
            Encryption::StartTls | Encryption::Tls => Some(
                TlsParameters::new_rustls(address.host.clone())
                    .map_err(|error| Failure::of(Step::Connect, &error))?,
            ),
        };
        let manager = ConnectionManager { address, tls, timeouts };
        let pool = Pool::builder(manager)
            .max_size(connections.max(1))
            .build()
            .map_err(|error| Failure::no_reply(Step::Connect, &error.to_string()))?;
        Ok(Self { pool, breaker: Breaker::new(clock), timeouts })
    }

    /// The breaker to ask before each mail.
    #[must_use]
    pub fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// Opens a mail transaction: MAIL and RCPT. If the relay closed a connection while it was idle, the next one is
    /// tried, in the end a new one: that is not a failure of the relay.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn begin_mail(
        &self,
        sender: &Address,
        recipient: &Address,
    ) -> Result<MailTransaction, Failure> {
        loop {
            let mut connection = self.pool.get().await.map_err(|error| match error {
                PoolError::Backend(failure) => failure,
                other => Failure::no_reply(Step::Connect, &other.to_string()),
            })?;
            let reused = connection.was_used();
            match connection.envelope(sender, recipient, &self.timeouts).await {
                Ok(()) => return Ok(MailTransaction::new(connection, self.timeouts)),
                Err(failure)
                    if reused && failure.step == Step::Mail && matches!(failure.code, None | Some(421)) => {}
                Err(failure) => return Err(failure),
            }
        }
    }

    /// How many connections carry a mail, and how many are idle.
    #[must_use]
    pub fn connections(&self) -> (usize, usize) {
        let status = self.pool.status();
        let idle = status.available.min(status.size);
        (status.size - idle, idle)
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
