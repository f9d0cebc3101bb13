//! One connection to the relay, and one mail going through it.

use std::time::Duration;

use deadpool::managed::Object;
use lettre::Address;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Quit, Rcpt, Rset};
use lettre::transport::smtp::response::{Response, Severity};
use tokio::time::{Instant, timeout};

use super::failure::{Failure, Step, without_addresses};
use super::relay::Connections;
use super::settings::Timeouts;
use super::trace::{replied, traced};

/// What the relay said to a mail it took. No address is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply(String);

impl Reply {
    /// Code and text in one line.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A connection, and whether the next mail may go through it.
pub(super) struct Connection {
    smtp: AsyncSmtpConnection,
    /// Between two mails, by what was said on it. A step that is dropped half-way leaves it false.
    clean: bool,
    uses: u32,
    last_used: Instant,
}

impl Connection {
    pub(super) fn new(smtp: AsyncSmtpConnection) -> Self {
        Self { smtp, clean: true, uses: 0, last_used: Instant::now() }
    }

    /// Whether the pool may hand it out once more.
    pub(super) fn is_good(&self, idle: Duration) -> bool {
        self.clean && !self.smtp.has_broken() && self.last_used.elapsed() < idle && self.uses < 100
    }

    /// Whether it was used before: then the relay may have closed it meanwhile.
    pub(super) fn was_used(&self) -> bool {
        self.uses > 0
    }

    /// Says goodbye, if the relay listens.
    pub(super) async fn quit(mut self) {
        if self.clean {
            let _ = timeout(Duration::from_secs(1), self.smtp.command(Quit)).await;
        }
    }

    /// MAIL and RCPT.
    pub(super) async fn envelope(
        &mut self,
        sender: &Address,
        recipient: &Address,
        timeouts: &Timeouts,
    ) -> Result<(), Failure> {
        self.clean = false;
        self.uses += 1;
        let mail = Mail::new(Some(sender.clone()), Vec::new());
        let done = self.step(Step::Mail, timeouts.command, mail).await;
        self.accepted(done, timeouts).await?;
        let rcpt = Rcpt::new(recipient.clone(), Vec::new());
        let done = self.step(Step::Rcpt, timeouts.command, rcpt).await;
        self.accepted(done, timeouts).await
    }

    /// Passes success on; after a refusal makes the connection ready for the next mail.
    async fn accepted(&mut self, done: Result<(), Failure>, timeouts: &Timeouts) -> Result<(), Failure> {
        if let Err(failure) = &done
            && failure.leaves_connection()
        {
            self.reset(timeouts).await;
        }
        done
    }

    async fn step<C: std::fmt::Display>(
        &mut self,
        step: Step,
        limit: Duration,
        command: C,
    ) -> Result<(), Failure> {
        traced(step, async {
            let response = said(step, timeout(limit, self.smtp.command(command)).await)?;
            replied(&response);
            let expected = if step == Step::Data {
                Severity::PositiveIntermediate
            } else {
                Severity::PositiveCompletion
            };
            if response.code().severity == expected { Ok(()) } else { Err(unexpected(step, &response)) }
        })
        .await
    }

    async fn reset(&mut self, timeouts: &Timeouts) {
        self.clean = self.step(Step::Reset, timeouts.command, Rset).await.is_ok();
        self.last_used = Instant::now();
    }
}

/// A mail whose recipient the relay has accepted.
pub struct Session {
    connection: Object<Connections>,
    timeouts: Timeouts,
}

impl Session {
    pub(super) fn new(connection: Object<Connections>, timeouts: Timeouts) -> Self {
        Self { connection, timeouts }
    }

    /// Takes the mail back.
    pub async fn abandon(mut self) {
        self.connection.reset(&self.timeouts).await;
    }

    /// DATA, the message, and the dot after which the relay owns it.
    ///
    /// # Errors
    /// [`Failure`]; its step tells whether the dot may have been seen.
    pub async fn send(mut self, message: &[u8]) -> Result<Reply, Failure> {
        let (connection, timeouts) = (&mut *self.connection, &self.timeouts);
        let done = connection.step(Step::Data, timeouts.data, Data).await;
        connection.accepted(done, timeouts).await?;
        let response = traced(Step::Dot, async {
            let response = said(Step::Dot, timeout(timeouts.dot, connection.smtp.message(message)).await)?;
            replied(&response);
            Ok(response)
        })
        .await;
        connection.last_used = Instant::now();
        connection.clean = match &response {
            Ok(_) => true,
            Err(failure) => failure.leaves_connection(),
        };
        let response = response?;
        if response.code().severity != Severity::PositiveCompletion {
            connection.clean = false;
            return Err(unexpected(Step::Dot, &response));
        }
        let text = response.message().collect::<Vec<_>>().join(" ");
        Ok(Reply(format!("{} {}", response.code(), without_addresses(&text))))
    }
}

type Answer<T> = Result<Result<T, lettre::transport::smtp::Error>, tokio::time::error::Elapsed>;

/// A step's answer, or how it failed.
pub(super) fn said<T>(step: Step, answer: Answer<T>) -> Result<T, Failure> {
    match answer {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(Failure::of(step, &error)),
        Err(_) => Err(Failure::silent(step, "timed out")),
    }
}

/// A reply that means nothing at this step is no reply.
fn unexpected(step: Step, response: &Response) -> Failure {
    Failure::silent(step, &format!("unexpected reply {}", response.code()))
}
