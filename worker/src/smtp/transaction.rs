//! One mail transaction (RFC 5321 §3.3) on a connection of the pool.

use deadpool::managed::Object;

use super::connection::ConnectionManager;
use super::failure::{Failure, without_addresses};
use super::timeouts::Timeouts;

/// The relay's reply to a message it accepted, without addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply(String);

impl Reply {
    /// Code and text in one line.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A mail whose recipient the relay has accepted.
pub struct MailTransaction {
    connection: Object<ConnectionManager>,
    timeouts: Timeouts,
}

impl MailTransaction {
    pub(super) fn new(connection: Object<ConnectionManager>, timeouts: Timeouts) -> Self {
        Self { connection, timeouts }
    }

    /// Gives the mail up; the connection can carry another one.
    pub async fn abort(mut self) {
        self.connection.reset(&self.timeouts).await;
    }

    /// Sends DATA and the message. Once the line with a single dot has been sent, the relay may have the mail.
    ///
    /// # Errors
    /// [`Failure`]; its step says whether the end of the message was sent.
    pub async fn send(mut self, message: &[u8]) -> Result<Reply, Failure> {
        let response = self.connection.message(message, &self.timeouts).await?;
        let text = response.message().collect::<Vec<_>>().join(" ");
        Ok(Reply(format!("{} {}", response.code(), without_addresses(&text))))
    }
}
