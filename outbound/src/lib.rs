//! HTTP requests to URLs that people entered, such as webhook endpoints.
//!
//! The risk is server-side request forgery: a URL that leads into the network this process runs in. So requests go only to
//! public addresses. The host is resolved once, every address is checked, and the connection is made to one of them. Redirects are not followed, there is no proxy, and one deadline covers everything from the
//! lookup to the last byte of the answer.

mod client;
mod networks;
mod resolve;

pub use client::{Answer, Outbound, Request};
pub use networks::{Networks, Refusal};
pub use resolve::{Lookup, SystemLookup};

/// Why a request had no answer. Displays no host and no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The URL or an address of its host is not allowed. Nothing was sent.
    #[error("refused: {0}")]
    Refused(#[from] Refusal),
    /// The host has no address, or no name server answered.
    #[error("the host name could not be resolved")]
    Unresolved,
    /// No connection could be made, or the TLS handshake failed.
    #[error("no connection could be made")]
    NotConnected,
    /// The deadline passed. The request may have been received.
    #[error("no answer within the time limit")]
    TimedOut,
    /// The connection ended before a complete answer. The request may have been received.
    #[error("the connection ended before an answer")]
    Interrupted,
}
