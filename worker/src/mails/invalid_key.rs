/// Why the configured key cannot sign. Never contains the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// The selector is missing.
    #[error("PUNCTUAL_DKIM_KEY is set, so PUNCTUAL_DKIM_SELECTOR has to name it")]
    NoSelector,
    /// The key is missing.
    #[error("PUNCTUAL_DKIM_SELECTOR is set, so PUNCTUAL_DKIM_KEY has to hold its key")]
    NoKey,
    /// The key is invalid or of an unsupported kind.
    #[error("PUNCTUAL_DKIM_KEY: expected a private key in PEM, RSA of 2048 to 4096 bits or Ed25519")]
    Key,
}
