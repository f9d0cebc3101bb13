//! Text written by people: addresses, names, numbers and notes.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use super::ParseError;

macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
        #[serde(try_from = "String", into = "String")]
        #[sqlx(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = ParseError;

            fn try_from(text: String) -> Result<Self, ParseError> {
                Self::parse(&text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = ParseError;

            fn from_str(text: &str) -> Result<Self, ParseError> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        // Personal data: `{:?}` must not write it to a log.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "(…)"))
            }
        }
    };
}

text_type! {
    /// An e-mail address in the form mail servers accept without quoting (RFC 5321 `Dot-string@Domain`), at most 254
    /// octets. The domain is kept in lower case; addresses are compared without case by the database.
    EmailAddress
}
text_type! {
    /// A person's name as they write it: 1 to 200 characters with something to see, no control characters and no
    /// web address, trimmed.
    PersonName
}
text_type! {
    /// A phone number as a person writes it: 3 to 40 digits, spaces and `+ - / ( ) .`, with at least three digits.
    Phone
}
text_type! {
    /// Name of a thing such as a service: 1 to 200 characters, no control characters, trimmed.
    Label
}
text_type! {
    /// A short reason, on one line of at most 200 characters; may be empty.
    Reason
}
text_type! {
    /// A sentence or two about a person, on one line of at most 300 characters; may be empty.
    About
}
text_type! {
    /// A postal address of at most 500 characters, on lines of its own; may be empty.
    PostalAddress
}
text_type! {
    /// A note of at most 2,000 characters; line breaks and tabs are the only control characters.
    Note
}

impl EmailAddress {
    /// Parses an address.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        const BAD: ParseError =
            ParseError::new("bad_email", "not an e-mail address: expected the form name@example.org");
        let text = text.trim();
        if text.len() > 254 {
            return Err(ParseError::new("too_long", "an e-mail address has at most 254 characters"));
        }
        let (local, domain) = text.rsplit_once('@').ok_or(BAD)?;
        // Mail servers and the database know an internationalised domain by its ASCII form (RFC 5891).
        let domain = if domain.is_ascii() {
            Cow::Borrowed(domain)
        } else {
            Cow::Owned(idna::domain_to_ascii(domain).map_err(|_| BAD)?)
        };
        let atom = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
        };
        let label = |part: &str| {
            (1..=63).contains(&part.len())
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !part.starts_with('-')
                && !part.ends_with('-')
        };
        let local_ok = (1..=64).contains(&local.len()) && local.split('.').all(atom);
        let domain_ok = domain.contains('.') && domain.split('.').all(label);
        if local_ok && domain_ok {
            Ok(Self(format!("{local}@{}", domain.to_ascii_lowercase())))
        } else {
            Err(BAD)
        }
    }

    /// The part after the `@`, in lower case: the key of the sending limit.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

/// Characters without a glyph that a name may contain: joiners, variation selectors and fillers.
fn is_blank(c: char) -> bool {
    let filler = matches!(c, '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}' | '\u{2800}');
    c.is_whitespace() || filler || matches!(c, '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}')
}

/// Characters that hide text, change its direction or end its line: no part of a name.
fn is_deceptive(c: char) -> bool {
    let of_direction =
        matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let invisible = matches!(c, '\u{AD}' | '\u{180E}' | '\u{200B}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}');
    of_direction || invisible || matches!(c, '\u{2028}' | '\u{2029}')
}

/// A name in Unicode's composed form (NFC), with something to see.
fn parse_name(text: &str) -> Result<String, ParseError> {
    let text: String = text.trim().nfc().collect();
    if text.chars().any(is_deceptive) {
        return Err(ParseError::new(
            "invisible_character",
            "a name has no invisible characters and none that change the direction of text",
        ));
    }
    if text.chars().all(is_blank) {
        return Err(ParseError::new("empty", "a name has at least one visible character"));
    }
    if text.chars().count() > 200 {
        return Err(ParseError::new("too_long", "a name has at most 200 characters"));
    }
    if text.chars().any(is_format) {
        return Err(ParseError::new(
            "control_character",
            "a name has no line breaks, control characters or marks of text direction",
        ));
    }
    Ok(text)
}

impl PersonName {
    /// Parses a name. It is kept in Unicode's composed form (NFC).
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let name = parse_name(text)?;
        if name.split_whitespace().any(is_link) {
            return Err(ParseError::new("link", "a name has no web address"));
        }
        Ok(Self(name))
    }

    /// A name from the database. It may be older than the present rules for names.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }
}

/// `https://…`, `www.…` or `evil.example/…`.
fn is_link(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    let host = word.split_once('/').map(|(host, _)| host);
    word.contains("://")
        || word.starts_with("www.")
        || host
            .and_then(|host| host.rsplit_once('.'))
            .is_some_and(|(_, last)| last.chars().count() >= 2 && last.chars().all(char::is_alphabetic))
}

/// Whether a character changes how the text around it is laid out: control characters, line and paragraph separators,
/// and the marks that embed, override or isolate a direction (Unicode UAX #9), by which a name can show as another.
fn is_format(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl Label {
    /// Parses a name.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        parse_name(text).map(Self)
    }
}

impl Reason {
    /// Parses a reason.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let text = text.trim();
        if text.chars().count() > 200 {
            return Err(ParseError::new("too_long", "a reason has at most 200 characters"));
        }
        if text.chars().any(is_format) {
            return Err(ParseError::new(
                "control_character",
                "a reason is one line without control characters",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl Default for Reason {
    /// The empty reason.
    fn default() -> Self {
        Self(String::new())
    }
}

impl About {
    /// Parses a sentence; an empty one is valid.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let text = text.trim();
        if text.chars().count() > 300 {
            return Err(ParseError::new("too_long", "a sentence about a person has at most 300 characters"));
        }
        if text.chars().any(char::is_control) {
            return Err(ParseError::new(
                "control_character",
                "a sentence about a person is one line without control characters",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl Default for About {
    /// The empty sentence.
    fn default() -> Self {
        Self(String::new())
    }
}

impl PostalAddress {
    /// Parses an address.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let text = text.trim();
        if text.chars().count() > 500 {
            return Err(ParseError::new("too_long", "an address has at most 500 characters"));
        }
        if text.chars().any(|c| c.is_control() && c != '\n') {
            return Err(ParseError::new(
                "control_character",
                "an address has no control characters but line breaks",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl Phone {
    /// Parses a phone number.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let text = text.trim();
        let allowed = text.chars().all(|c| c.is_ascii_digit() || " +-/().".contains(c));
        let digits = text.chars().filter(char::is_ascii_digit).count();
        if allowed && digits >= 3 && text.len() <= 40 {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseError::new(
                "bad_phone",
                "not a phone number: 3 to 40 digits, spaces and + - / ( ) . are expected",
            ))
        }
    }
}

impl Note {
    /// Parses a note; an empty one is valid.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        if text.chars().count() > 2000 {
            return Err(ParseError::new("too_long", "a note has at most 2000 characters"));
        }
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            return Err(ParseError::new(
                "control_character",
                "a note has no control characters but line breaks",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// The empty note.
    #[must_use]
    pub fn empty() -> Self {
        Self(String::new())
    }
}

impl Default for Note {
    fn default() -> Self {
        Self::empty()
    }
}

#[cfg(test)]
mod tests;
