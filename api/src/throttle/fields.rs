use poem::http::{HeaderMap, HeaderName, HeaderValue};

use super::subject::Token;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers): lists of structured fields (RFC 9651),
/// one member a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields {
    now: HeaderValue,
    policy: HeaderValue,
}

impl Fields {
    /// The headers for these tokens, each with the number left after the request.
    pub(super) fn of<'a>(tokens: impl Iterator<Item = (&'a Token, u32)> + Clone) -> Option<Self> {
        let now = tokens.clone().map(|(token, left)| {
            let seconds = seconds(token.decision.wait);
            format!("\"{}\";r={left};t={seconds}", token.policy.name())
        });
        let policy = tokens.map(|(token, _)| {
            format!("\"{}\";q={};w={}", token.policy.name(), token.limit.count, seconds(token.limit.per))
        });
        let (now, policy) = (now.collect::<Vec<_>>().join(", "), policy.collect::<Vec<_>>().join(", "));
        if now.is_empty() {
            return None;
        }
        Some(Self { now: now.parse().ok()?, policy: policy.parse().ok()? })
    }

    /// Sets both headers.
    pub fn apply_headers(&self, headers: &mut HeaderMap) {
        headers.insert(RATE_LIMIT, self.now.clone());
        headers.insert(RATE_LIMIT_POLICY, self.policy.clone());
    }
}

/// Whole seconds, rounded up.
pub(super) fn seconds(time: std::time::Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}
