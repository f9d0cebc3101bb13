use std::time::Duration;

use punctual_core::config::RequestLimit;

use super::policy::Policy;

/// Whose requests a log counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Subject(pub(super) [u8; 16]);

/// What a log says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Whether the request was counted; if not, there was no room.
    pub granted: bool,
    /// Requests that are left.
    pub left: u32,
    /// Until there is one more.
    pub wait: Duration,
}

/// One request that a log has counted.
#[derive(Debug)]
pub struct Token {
    pub policy: Policy,
    pub limit: RequestLimit,
    pub subject: Subject,
    pub standing: Standing,
    /// Whether Redis counted it, too.
    pub shared: bool,
}

#[cfg(test)]
impl Subject {
    pub const fn of(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}
