//! The value of an idempotency key, and an answer that may be a stored one.

use std::fmt;

use crate::types::ParseError;

/// The value of an `Idempotency-Key`: 1 to 64 printable ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Parses a key.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        if (1..=64).contains(&text.len()) && text.bytes().all(|b| (b' '..=b'~').contains(&b)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseError::new("bad_key", "an idempotency key has 1 to 64 printable ASCII characters"))
        }
    }

    /// The key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The answer of a use case, or the stored one of an earlier equal request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    /// The answer.
    pub value: T,
    /// Whether it is the stored answer of an earlier request with the key.
    pub replayed: bool,
}
