//! Supported languages.

use serde::{Deserialize, Serialize};

use super::ParseError;

/// A requested language tag (BCP 47), such as `de-AT`. Every well-formed tag is accepted; one of a language without texts
/// falls back to the business's language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct LanguageTag(Option<Locale>);

impl LanguageTag {
    /// Parses a tag: subtags of 1 to 8 letters and digits with hyphens between them, the first of letters only.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let is_subtag = |subtag: &str| {
            (1..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        let language = text.split('-').next().unwrap_or_default();
        let starts_with_language =
            language.len() >= 2 && language.bytes().all(|byte| byte.is_ascii_alphabetic());
        if text.len() > 35 || !starts_with_language || !text.split('-').all(is_subtag) {
            return Err(ParseError::new("bad_locale", "must be a language tag (BCP 47) such as de or en-GB"));
        }
        Ok(Self(Locale::parse(&language.to_ascii_lowercase()).ok()))
    }

    /// The language of mails and pages that fits; none where there is none.
    #[must_use]
    pub const fn locale(self) -> Option<Locale> {
        self.0
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_with_region_or_capitals_finds_its_language_and_others_fall_back() {
        for (tag, locale) in [
            ("de", Some(Locale::De)),
            ("DE", Some(Locale::De)),
            ("de-AT", Some(Locale::De)),
            ("de-Latn-CH-1996", Some(Locale::De)),
            ("en-GB", Some(Locale::En)),
            ("fr", None),
            ("deu", None),
            ("zh-Hant-TW", None),
        ] {
            assert_eq!(LanguageTag::parse(tag).map(LanguageTag::locale), Ok(locale), "{tag}");
        }
        for bad in ["", "d", "-de", "de-", "de--AT", "de_AT", "d3", "deutschland", "de-austrianish", "de AT"]
        {
            assert!(LanguageTag::parse(bad).is_err(), "{bad}");
        }
    }
}
