//! Supported languages.

use serde::{Deserialize, Serialize};

use super::ParseError;

/// A language of mails and pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Locale {
    /// English.
    En,
    /// German.
    De,
}

impl Locale {
    /// Parses a language code (BCP 47 primary subtag): `en` or `de`.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        match text {
            "en" => Ok(Self::En),
            "de" => Ok(Self::De),
            _ => Err(ParseError::new("bad_locale", "not a language of this service: expected en or de")),
        }
    }

    /// The language code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
        }
    }
}
