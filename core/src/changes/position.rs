use std::fmt;

use serde::{Deserialize, Serialize};

use crate::types::ParseError;

/// A place in the feed. Its text form (`<transaction>-<number>`) is opaque to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Position {
    /// The event's transaction (`xid8`, below 2^63).
    pub xid: i64,
    /// The event's number.
    pub id: i64,
}

impl Position {
    /// Before the first event.
    pub const START: Self = Self { xid: 0, id: 0 };

    /// Parses the text form.
    ///
    /// # Errors
    /// `bad_cursor`.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        const BAD: ParseError = ParseError::new(
            "bad_cursor",
            "not a cursor of this feed: pass next_cursor of a previous answer unchanged",
        );
        let number = |text: &str| {
            let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|_| plain)
        };
        let (xid, id) = text.split_once('-').ok_or(BAD)?;
        Ok(Self { xid: number(xid).ok_or(BAD)?, id: number(id).ok_or(BAD)? })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.xid, self.id)
    }
}

impl TryFrom<String> for Position {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        Self::parse(&text)
    }
}

impl From<Position> for String {
    fn from(position: Position) -> Self {
        position.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_survives_its_text_form() {
        let position = Position { xid: i64::MAX, id: 7 };
        assert_eq!(Position::parse(&position.to_string()), Ok(position));
    }

    #[test]
    fn other_texts_are_no_positions() {
        for text in ["", "1", "-1", "1-", "-1-2", "+1-2", "1-2-3", "1-2x", "9223372036854775808-1"] {
            assert!(Position::parse(text).is_err(), "{text}");
        }
    }
}
