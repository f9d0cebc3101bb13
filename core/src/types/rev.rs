//! Row revisions for optimistic concurrency.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The revision of a row; each change adds one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct Rev(pub i32);

impl fmt::Display for Rev {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The revision that a caller expects: `If-Match` (RFC 9110 §13.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedRev {
    /// `*`: any revision.
    Any,
    /// Exactly this revision.
    Exactly(Rev),
}

impl ExpectedRev {
    /// Whether a row of this revision matches.
    #[must_use]
    pub fn matches(self, rev: Rev) -> bool {
        match self {
            Self::Any => true,
            Self::Exactly(expected) => expected == rev,
        }
    }
}
