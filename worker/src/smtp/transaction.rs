//! One mail transaction (RFC 5321 §3.3) on a connection of the pool.

use deadpool::managed::Object;

use super::capacity::Slot;
use super::connect::ConnectionManager;
use super::failure::Failure;
use super::reply::Reply;
use super::timeouts::Timeouts;

/// A mail whose recipient the relay has accepted.
pub struct MailTransaction {
    connection: Object<ConnectionManager>,
    /// Released after the connection.
    _slot: Slot,
    timeouts: Timeouts,
}

impl MailTransaction {
    pub(super) fn new(connection: Object<ConnectionManager>, slot: Slot, timeouts: Timeouts) -> Self {
        Self { connection, _slot: slot, timeouts }
    }

    /// Aborts the mail; the connection can carry another one.
    pub async fn abort(mut self) {
        self.connection.reset(&self.timeouts).await;
    }

    /// Sends DATA and the message. Once the line with a single dot has been sent, the relay may have the mail.
    ///
    /// # Errors
    /// [`Failure`]; its step says whether the end of the message was sent.
    pub async fn send(mut self, message: &[u8]) -> Result<Reply, Failure> {
        self.connection.message(message, &self.timeouts).await
    }
}
