use std::time::Duration;

use punctual_core::config::RequestLimit;

use super::policy::Policy;

/// The subject of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Subject(pub(super) [u8; 16]);

/// The result of counting a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitDecision {
    /// Whether the request was counted; if not, the limit is reached.
    pub granted: bool,
    /// Requests that are left.
    pub left: u32,
    /// Time until one more is allowed.
    pub wait: Duration,
}

/// One request that a log has counted.
#[derive(Debug)]
pub struct Token {
    pub policy: Policy,
    pub limit: RequestLimit,
    pub subject: Subject,
    pub decision: LimitDecision,
    /// Whether Redis counted it too.
    pub shared: bool,
}

#[cfg(test)]
impl Subject {
    pub const fn of(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}
