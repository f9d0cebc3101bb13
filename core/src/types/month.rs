//! Months of the calendar.

use std::fmt;

use chrono::{Datelike, Months, NaiveDate};
use serde::{Deserialize, Serialize};

use super::ParseError;

/// A month, such as `2027-05`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Month(NaiveDate);

impl Month {
    /// Parses `YYYY-MM`, from the year 2000 to 2999.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        const BAD: ParseError = ParseError::new("bad_month", "not a month: expected the form 2027-05");
        let is_month = |text: &&str| text.len() == 7 && text.is_ascii() && text.starts_with('2');
        let first = Some(text).filter(is_month).map(|text| format!("{text}-01"));
        let first = first.and_then(|first| NaiveDate::parse_from_str(&first, "%Y-%m-%d").ok()).ok_or(BAD)?;
        Ok(Self(first))
    }

    /// Its first date.
    #[must_use]
    pub fn first(self) -> NaiveDate {
        self.0
    }

    /// Its last date.
    #[must_use]
    pub fn last(self) -> NaiveDate {
        (self.0 + Months::new(1)).pred_opt().unwrap_or(self.0)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}

impl TryFrom<String> for Month {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        Self::parse(&text)
    }
}

impl From<Month> for String {
    fn from(month: Month) -> Self {
        month.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_has_a_first_and_a_last_date() {
        let february = Month::parse("2028-02").unwrap();
        assert_eq!((february.first().day(), february.last().day()), (1, 29));
        assert_eq!(february.to_string(), "2028-02");
        for bad in ["", "2028-13", "2028-2", "2028-02-01", "1999-12", "+028-02", "2028/02"] {
            assert!(Month::parse(bad).is_err(), "{bad}");
        }
    }
}
