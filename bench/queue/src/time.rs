//! Times that two processes of one machine can compare.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The wall clock, since 1970.
#[expect(clippy::disallowed_methods, reason = "what is measured is the time of this machine")]
pub fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
