//! One connection to the relay, and the pool's way to open one.

use std::io;
use std::time::Duration;

use deadpool::managed::{Manager, Metrics, RecycleError, RecycleResult};
use lettre::Address;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Quit, Rcpt, Rset};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::{Response, Severity};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout};

use super::address::{Encryption, RelayAddress};
use super::failure::{Failure, Step};
use super::timeouts::Timeouts;
use super::trace::{record_code, traced};

/// Mails sent over one connection before it is replaced.
const MAX_USES: u32 = 100;
/// How long closing a connection may take.
const QUIT_TIMEOUT: Duration = Duration::from_secs(1);

/// A connection, and whether it can carry the next mail.
pub(super) struct Connection {
    smtp: AsyncSmtpConnection,
    /// No mail transaction is open. Stays false if a step is dropped half-way.
    clean: bool,
    uses: u32,
    last_used: Instant,
}

impl Connection {
    fn new(smtp: AsyncSmtpConnection) -> Self {
        Self { smtp, clean: true, uses: 0, last_used: Instant::now() }
    }

    /// Whether the pool may hand it out again; `idle` is the longest time it may have been unused.
    pub fn is_usable(&self, idle: Duration) -> bool {
        self.clean && !self.smtp.has_broken() && self.last_used.elapsed() < idle && self.uses < MAX_USES
    }

    /// Whether it has been used before. The relay may have closed such a connection while it was idle.
    pub fn was_used(&self) -> bool {
        self.uses > 0
    }

    /// Sends QUIT and closes.
    pub async fn quit(mut self) {
        if self.clean {
            let _ = timeout(QUIT_TIMEOUT, self.smtp.command(Quit)).await;
        }
    }

    /// MAIL and RCPT.
    pub async fn envelope(
        &mut self,
        sender: &Address,
        recipient: &Address,
        timeouts: &Timeouts,
    ) -> Result<(), Failure> {
        self.clean = false;
        self.uses += 1;
        let mail = Mail::new(Some(sender.clone()), Vec::new());
        let result = self.command(Step::Mail, timeouts.command, mail).await;
        self.reset_if_refused(result, timeouts).await?;
        let rcpt = Rcpt::new(recipient.clone(), Vec::new());
        let result = self.command(Step::Rcpt, timeouts.command, rcpt).await;
        self.reset_if_refused(result, timeouts).await
    }

    /// DATA, the message, and the line with a single dot that ends it. Returns the reply to the message.
    pub async fn message(&mut self, message: &[u8], timeouts: &Timeouts) -> Result<Response, Failure> {
        let result = self.command(Step::Data, timeouts.data, Data).await;
        self.reset_if_refused(result, timeouts).await?;
        let response = traced(Step::EndOfData, async {
            let answer = timeout(timeouts.end_of_data, self.smtp.message(message)).await;
            let response = completed(Step::EndOfData, answer)?;
            record_code(&response);
            Ok(response)
        })
        .await;
        self.last_used = Instant::now();
        self.clean = match &response {
            Ok(_) => true,
            Err(failure) => failure.leaves_connection_usable(),
        };
        let response = response?;
        if response.code().severity != Severity::PositiveCompletion {
            self.clean = false;
            return Err(unexpected(Step::EndOfData, &response));
        }
        Ok(response)
    }

    /// RSET, after which the connection can carry another mail.
    pub async fn reset(&mut self, timeouts: &Timeouts) {
        self.clean = self.command(Step::Reset, timeouts.command, Rset).await.is_ok();
        self.last_used = Instant::now();
    }

    /// Passes the result on; resets the connection if the relay refused and it can still be used.
    async fn reset_if_refused(
        &mut self,
        result: Result<(), Failure>,
        timeouts: &Timeouts,
    ) -> Result<(), Failure> {
        if let Err(failure) = &result
            && failure.leaves_connection_usable()
        {
            self.reset(timeouts).await;
        }
        result
    }

    async fn command<C: std::fmt::Display>(
        &mut self,
        step: Step,
        limit: Duration,
        command: C,
    ) -> Result<(), Failure> {
        traced(step, async {
            let response = completed(step, timeout(limit, self.smtp.command(command)).await)?;
            record_code(&response);
            let expected = if step == Step::Data {
                Severity::PositiveIntermediate
            } else {
                Severity::PositiveCompletion
            };
            if response.code().severity == expected { Ok(()) } else { Err(unexpected(step, &response)) }
        })
        .await
    }
}

/// Opens connections for the pool.
pub(super) struct ConnectionManager {
    pub address: RelayAddress,
    pub tls: Option<TlsParameters>,
    pub timeouts: Timeouts,
}

impl Manager for ConnectionManager {
    type Type = Connection;
    type Error = Failure;

    async fn create(&self) -> Result<Connection, Failure> {
        // Boxed: the future holds all of lettre's state and is rarely needed.
        Box::pin(traced(Step::Connect, self.open())).await
    }

    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<Failure> {
        if connection.is_usable(self.timeouts.idle) {
            Ok(())
        } else {
            Err(RecycleError::message("its last mail did not end cleanly, or it was idle for too long"))
        }
    }
}

impl ConnectionManager {
    async fn open(&self) -> Result<Connection, Failure> {
        let mut smtp = match self.address.encryption {
            Encryption::Tls => self.connect_tls().await?,
            Encryption::None | Encryption::StartTls => self.connect_plain().await?,
        };
        let limit = self.timeouts.greeting;
        if self.address.encryption == Encryption::StartTls
            && let Some(tls) = self.tls.clone()
        {
            completed(Step::StartTls, timeout(limit, smtp.starttls(tls, &ClientId::default())).await)?;
        }
        if let Some((user, password)) = self.address.credentials.clone() {
            let credentials = Credentials::new(user, password);
            completed(Step::Auth, timeout(limit, smtp.auth(DEFAULT_MECHANISMS, &credentials)).await)?;
        }
        Ok(Connection::new(smtp))
    }

    /// Connects the socket here to set `TCP_NODELAY`: lettre writes the end of the message separately, and Nagle's
    /// algorithm would delay it until the message is acknowledged.
    async fn connect_plain(&self) -> Result<AsyncSmtpConnection, Failure> {
        let stream =
            self.dial().await.map_err(|error| Failure::no_reply(Step::Connect, &error.to_string()))?;
        let hello = ClientId::default();
        let greeting = AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello);
        completed(Step::Connect, timeout(self.timeouts.greeting, greeting).await)
    }

    async fn connect_tls(&self) -> Result<AsyncSmtpConnection, Failure> {
        let server = (self.address.host.as_str(), self.address.port);
        let (connect, hello) = (self.timeouts.connect, ClientId::default());
        let greeting =
            AsyncSmtpConnection::connect_tokio1(server, Some(connect), &hello, self.tls.clone(), None);
        completed(Step::Connect, timeout(connect + self.timeouts.greeting, greeting).await)
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

type Answer<T> = Result<Result<T, lettre::transport::smtp::Error>, tokio::time::error::Elapsed>;

/// A step's answer, or how the step failed.
fn completed<T>(step: Step, answer: Answer<T>) -> Result<T, Failure> {
    match answer {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(Failure::of(step, &error)),
        Err(_) => Err(Failure::no_reply(step, "timed out")),
    }
}

/// A positive reply that this step does not allow. Treated as no reply.
fn unexpected(step: Step, response: &Response) -> Failure {
    Failure::no_reply(step, &format!("unexpected reply {}", response.code()))
}
