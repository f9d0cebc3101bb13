//! Keyset pagination: each page begins after the last row of the previous one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Datelike, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ParseError;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The rows.
    pub data: Vec<T>,
    /// Where the next page begins; `None`: this is the last.
    pub next_cursor: Option<Cursor>,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// The earliest first.
    #[default]
    Ascending,
    /// The latest first.
    Descending,
}

/// Rows per page: 1 to 100, default 50.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(u8);

impl PageSize {
    /// Parses a page size.
    pub fn new(rows: u32) -> Result<Self, ParseError> {
        match u8::try_from(rows) {
            Ok(rows @ 1..=100) => Ok(Self(rows)),
            _ => Err(ParseError::new("bad_limit", "a page has 1 to 100 rows")),
        }
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(self) -> usize {
        usize::from(self.0)
    }
}

impl Default for PageSize {
    fn default() -> Self {
        Self(50)
    }
}

/// A position in a list ordered by (instant, id). Its text form is opaque to callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cursor {
    /// The last row's instant.
    pub at: DateTime<Utc>,
    /// The last row's id.
    pub id: Uuid,
}

impl Cursor {
    /// Parses the text form.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        const BAD: ParseError =
            ParseError::new("bad_cursor", "not a cursor: pass next_cursor of a previous page unchanged");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| BAD)?;
        let bytes = <[u8; 24]>::try_from(bytes).map_err(|_| BAD)?;
        let (micros, id) = bytes.split_first_chunk::<8>().ok_or(BAD)?;
        // chrono knows instants that Postgres cannot represent; no row has one of them.
        let at = DateTime::from_timestamp_micros(i64::from_be_bytes(*micros)).ok_or(BAD)?;
        if !(1970..=9998).contains(&at.year()) {
            return Err(BAD);
        }
        Ok(Self { at, id: Uuid::from_slice(id).map_err(|_| BAD)? })
    }

    /// The text form.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&self.at.timestamp_micros().to_be_bytes());
        bytes[8..].copy_from_slice(self.id.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

impl TryFrom<String> for Cursor {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        Self::parse(&text)
    }
}

impl From<Cursor> for String {
    fn from(cursor: Cursor) -> Self {
        cursor.encode()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_text_form_and_others_are_refused() {
        let at = DateTime::parse_from_rfc3339("2027-05-04T10:00:00.123456Z").unwrap().to_utc();
        let cursor = Cursor { at, id: Uuid::from_u128(7) };
        assert_eq!(Cursor::parse(&cursor.encode()), Ok(cursor));
        let of_another_time = "0".repeat(32);
        for bad in ["", "abc", "%%%", &cursor.encode()[1..], &of_another_time] {
            assert!(Cursor::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_page_has_1_to_100_rows() {
        assert!(PageSize::new(0).is_err());
        assert!(PageSize::new(101).is_err());
        assert_eq!(PageSize::new(100).map(PageSize::rows), Ok(100));
    }
}
