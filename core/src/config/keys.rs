use std::fmt;

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// Description of a valid value in error messages.
pub(super) const EXPECTED: &str = "name:base64 of at least 32 bytes, separated by commas, each name once";

/// Prefix of the names of keys made for a developer's machine.
const LOCAL: &str = "local-";

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A ring of named symmetric keys: the first one signs, all verify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys(Vec<Key>);

/// One key of a ring.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    /// The name stored with a signature (`kid` in a token).
    pub name: String,
    /// At least 32 bytes.
    pub bytes: Vec<u8>,
}

impl Keys {
    pub(crate) fn parse(text: &str, local_allowed: bool) -> Result<Self, &'static str> {
        let mut keys: Vec<Key> = Vec::new();
        for item in text.split(',') {
            let (name, encoded) = item.trim().split_once(':').ok_or("a key has no name")?;
            let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
            if name.is_empty() || name.len() > 32 || !plain {
                return Err("a name is not 1 to 32 letters, digits, hyphens, dots or underscores");
            }
            if name.starts_with(LOCAL) && !local_allowed {
                return Err(
                    "keys made for a machine of your own are refused: PUNCTUAL_PUBLIC_URL is not on localhost",
                );
            }
            let bytes = BASE64.decode(encoded).map_err(|_| "a key is not base64")?;
            if bytes.len() < 32 {
                return Err("a key is shorter than 32 bytes");
            }
            if keys.iter().any(|key| key.name == name) {
                return Err("a name is given twice");
            }
            keys.push(Key { name: name.to_owned(), bytes });
        }
        Ok(Self(keys))
    }

    /// Formats one key of `bytes` for a developer's machine as it is configured.
    #[must_use]
    pub fn write_local(number: u32, bytes: &[u8]) -> String {
        format!("{LOCAL}{number}:{}", BASE64.encode(bytes))
    }

    /// The key that signs.
    #[must_use]
    pub fn signing(&self) -> &Key {
        &self.0[0]
    }

    /// The key with that name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Key> {
        self.0.iter().find(|key| key.name == name)
    }

    /// All keys, the signing one first.
    pub fn iter(&self) -> impl Iterator<Item = &Key> {
        self.0.iter()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("name", &self.name).finish_non_exhaustive()
    }
}
