//! The stored form of a refresh token.

use sha2::{Digest, Sha256};

/// SHA-256 (FIPS 180-4) of a refresh token. The token has 256 random bits, so a plain hash is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of a token in the form that the client has.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
