//! The mail server that takes our mails: its connections and its breaker.

use std::io;
use std::time::Duration;

use deadpool::managed::{Manager, Metrics, Pool, PoolError, RecycleError, RecycleResult};
use lettre::Address;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use punctual_queue::SharedClock;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::address::{Encryption, RelayAddress};
use super::breaker::Breaker;
use super::failure::{Failure, Step};
use super::session::{Connection, Session, said};
use super::settings::Timeouts;
use super::trace::traced;

/// A relay. Clones share connections and breaker.
#[derive(Clone)]
pub struct Relay {
    pool: Pool<Connections>,
    breaker: Breaker,
    timeouts: Timeouts,
}

impl Relay {
    /// A relay to which up to `connections` are open at once; the first opens with the first mail.
    ///
    /// # Errors
    /// When this machine's certificates can't be read or the host is no name for TLS.
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
        let manager = Connections { address, tls, timeouts };
        let pool = Pool::builder(manager)
            .max_size(connections.max(1))
            .build()
            .map_err(|error| Failure::silent(Step::Connect, &error.to_string()))?;
        Ok(Self { pool, breaker: Breaker::new(clock), timeouts })
    }

    /// The breaker to ask before a mail.
    #[must_use]
    pub fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// Brings a mail as far as the 250 to its recipient. A connection that the relay closed while it lay idle says
    /// nothing about the relay: the next one is tried, at last a fresh one.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn offer(&self, sender: &Address, recipient: &Address) -> Result<Session, Failure> {
        loop {
            let mut connection = self.pool.get().await.map_err(|error| match error {
                PoolError::Backend(failure) => failure,
                other => Failure::silent(Step::Connect, &other.to_string()),
            })?;
            let reused = connection.was_used();
            match connection.envelope(sender, recipient, &self.timeouts).await {
                Ok(()) => return Ok(Session::new(connection, self.timeouts)),
                Err(failure)
                    if reused && failure.step == Step::Mail && matches!(failure.code, None | Some(421)) => {}
                Err(failure) => return Err(failure),
            }
        }
    }

    /// How many connections carry a mail, and how many wait for one.
    #[must_use]
    pub fn connections(&self) -> (usize, usize) {
        let status = self.pool.status();
        let idle = status.available.min(status.size);
        (status.size - idle, idle)
    }

    /// Closes connections that have not been used for a while.
    pub async fn close_idle(&self) {
        let idle = self.timeouts.idle;
        let closed = self.pool.retain(|connection, _| connection.is_good(idle));
        futures::future::join_all(closed.removed.into_iter().map(Connection::quit)).await;
    }

    /// Closes all connections that carry no mail.
    pub async fn close(&self) {
        let closed = self.pool.retain(|_, _| false);
        futures::future::join_all(closed.removed.into_iter().map(Connection::quit)).await;
    }
}

/// Opens connections for the pool.
pub(super) struct Connections {
    address: RelayAddress,
    tls: Option<TlsParameters>,
    timeouts: Timeouts,
}

impl Manager for Connections {
    type Type = Connection;
    type Error = Failure;

    async fn create(&self) -> Result<Connection, Failure> {
        // Boxed, for its future with all that lettre keeps in it is large and rarely needed.
        Box::pin(traced(Step::Connect, self.open())).await
    }

    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<Failure> {
        if connection.is_good(self.timeouts.idle) {
            Ok(())
        } else {
            Err(RecycleError::message("its last mail did not end well, or it lay idle"))
        }
    }
}

impl Connections {
    async fn open(&self) -> Result<Connection, Failure> {
        let mut smtp = match self.address.encryption {
            Encryption::Tls => self.connect_tls().await?,
            Encryption::None | Encryption::StartTls => self.connect_plain().await?,
        };
        let limit = self.timeouts.greeting;
        if self.address.encryption == Encryption::StartTls
            && let Some(tls) = self.tls.clone()
        {
            said(Step::StartTls, timeout(limit, smtp.starttls(tls, &ClientId::default())).await)?;
        }
        if let Some((user, password)) = self.address.credentials.clone() {
            let credentials = Credentials::new(user, password);
            said(Step::Auth, timeout(limit, smtp.auth(DEFAULT_MECHANISMS, &credentials)).await)?;
        }
        Ok(Connection::new(smtp))
    }

    /// The socket is ours so that the dot, which lettre writes by itself, does not wait for the message to be
    /// acknowledged (Nagle's algorithm).
    async fn connect_plain(&self) -> Result<AsyncSmtpConnection, Failure> {
        let stream = self.dial().await.map_err(|error| Failure::silent(Step::Connect, &error.to_string()))?;
        let hello = ClientId::default();
        let greeting = AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello);
        said(Step::Connect, timeout(self.timeouts.greeting, greeting).await)
    }

    async fn connect_tls(&self) -> Result<AsyncSmtpConnection, Failure> {
        let server = (self.address.host.as_str(), self.address.port);
        let (connect, hello) = (self.timeouts.connect, ClientId::default());
        let greeting =
            AsyncSmtpConnection::connect_tokio1(server, Some(connect), &hello, self.tls.clone(), None);
        said(Step::Connect, timeout(connect + self.timeouts.greeting, greeting).await)
    }

    async fn dial(&self) -> io::Result<TcpStream> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the relay's name has no address");
        let name = (self.address.host.as_str(), self.address.port);
        for address in within(self.timeouts.connect, lookup_host(name)).await? {
            match within(self.timeouts.connect, TcpStream::connect(address)).await {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(limit, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
