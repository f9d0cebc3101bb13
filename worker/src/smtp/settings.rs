//! How long each step of handing over a mail may take.

use std::time::Duration;

/// The least that RFC 5321 §4.5.3.2 asks of a client, but for the greeting: who needs five minutes to say hello will not
/// take mails in time.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// To reach the relay, each of its addresses.
    pub connect: Duration,
    /// From there through TLS, banner, EHLO, STARTTLS and AUTH, each.
    pub greeting: Duration,
    /// For the reply to MAIL, RCPT and RSET, each.
    pub command: Duration,
    /// For the reply to DATA.
    pub data: Duration,
    /// From the message's first byte to the reply to its dot.
    pub dot: Duration,
    /// How long a connection may lie idle before it is closed rather than used.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            greeting: Duration::from_mins(1),
            command: Duration::from_mins(5),
            data: Duration::from_mins(2),
            dot: Duration::from_mins(10),
            idle: Duration::from_secs(20),
        }
    }
}
