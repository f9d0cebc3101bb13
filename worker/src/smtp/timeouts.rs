//! Time limits of the steps of sending a mail.

use std::time::Duration;

/// The minimum that RFC 5321 §4.5.3.2 asks of a client, except for the greeting: a relay that needs five minutes for its
/// banner is too slow to use.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// Resolving the relay's name, and connecting to each of its addresses.
    pub connect: Duration,
    /// TLS with banner and EHLO; STARTTLS; AUTH: each.
    pub greeting: Duration,
    /// The reply to MAIL, RCPT and RSET, each.
    pub command: Duration,
    /// The reply to DATA.
    pub data: Duration,
    /// From the message's first byte to the reply to its end.
    pub end_of_data: Duration,
    /// How long a connection may be idle before it is closed instead of used.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            greeting: Duration::from_mins(1),
            command: Duration::from_mins(5),
            data: Duration::from_mins(2),
            end_of_data: Duration::from_mins(10),
            idle: Duration::from_secs(20),
        }
    }
}
