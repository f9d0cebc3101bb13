//! Countries, and phone numbers in their international form.

use phonenumber::{Mode, PhoneNumber, country};
use serde::{Deserialize, Serialize};

use super::{ParseError, Phone, decode_by_parsing};

/// A country by its ISO 3166-1 alpha-2 code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Country(country::Id);

impl Country {
    /// Parses a code such as `DE`.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        const BAD: ParseError =
            ParseError::new("bad_country", "not an ISO 3166-1 country code: expected two letters such as DE");
        text.parse().map(Self).map_err(|_| BAD)
    }

    /// The code, such as `DE`.
    #[must_use]
    pub fn code(&self) -> &str {
        self.0.as_ref()
    }
}

impl TryFrom<String> for Country {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        Self::parse(&text)
    }
}

impl From<Country> for String {
    fn from(country: Country) -> Self {
        country.code().to_owned()
    }
}

decode_by_parsing!(Country);

impl Phone {
    /// The number in the international form of E.164, such as `+49301234567`. A number without a country code is one of
    /// `country`. None: it is not a number of any numbering plan, or lacks its country.
    #[must_use]
    pub fn e164(&self, country: Option<Country>) -> Option<String> {
        let number = read(self.as_str(), country).filter(PhoneNumber::is_valid)?;
        Some(number.format().mode(Mode::E164).to_string())
    }

    /// Whether both are written for the same number, in `country` where they name none.
    pub(crate) fn is_same(&self, other: &Self, country: Option<Country>) -> bool {
        match (self.e164(country), other.e164(country)) {
            (Some(one), Some(other)) => one == other,
            _ => digits(self.as_str()) == digits(other.as_str()),
        }
    }
}

/// The digits by which a phone number, or a part of one, is searched: without prefix and country code. None: the text has
/// other characters than digits and separators.
pub(crate) fn searched_digits(text: &str, country: Option<Country>) -> Option<String> {
    let is_number = text.chars().all(|c| c.is_ascii_digit() || " +-/().".contains(c));
    let plain = digits(text);
    if !is_number || plain.is_empty() || text.len() > 40 {
        return None;
    }
    Some(match read(text, country) {
        Some(number) => number.national().value().to_string(),
        None => plain.trim_start_matches('0').to_owned(),
    })
}

fn read(text: &str, country: Option<Country>) -> Option<PhoneNumber> {
    phonenumber::parse(country.map(|country| country.0), text).ok()
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn germany() -> Country {
        Country::parse("DE").unwrap()
    }

    fn phone(text: &str) -> Phone {
        Phone::parse(text).unwrap()
    }

    #[test]
    fn a_number_has_one_international_form_however_it_is_written() {
        for written in
            ["030 1234567", "+49 30 1234567", "+49 (0)30 123-4567", "0049 30/1234567", "030.1234567"]
        {
            assert_eq!(phone(written).e164(Some(germany())).as_deref(), Some("+49301234567"), "{written}");
        }
        assert_eq!(phone("+1 212 555-0123").e164(Some(germany())).as_deref(), Some("+12125550123"));
        assert_eq!(phone("030 1234567").e164(None), None, "no country to read it in");
        assert_eq!(phone("123").e164(Some(germany())), None, "no number of a person");
        assert!(phone("030 1234567").is_same(&phone("+49 30 1234567"), Some(germany())));
        assert!(phone("030 1234567").is_same(&phone("030/123 4567"), None));
        assert!(!phone("030 1234567").is_same(&phone("030 1234568"), Some(germany())));
    }

    #[test]
    fn a_part_of_a_number_is_searched_for_without_prefix_and_country() {
        for (text, digits) in
            [("030 1234567", "301234567"), ("+49 30 1234567", "301234567"), ("1234", "1234"), ("00", "")]
        {
            assert_eq!(searched_digits(text, Some(germany())).as_deref(), Some(digits), "{text}");
        }
        assert_eq!(searched_digits("Ada", Some(germany())), None);
        assert_eq!(searched_digits("+-", Some(germany())), None);
    }

    #[test]
    fn a_country_is_a_code_that_exists() {
        assert_eq!(Country::parse("AT").unwrap().code(), "AT");
        for bad in ["", "de", "XX", "DEU", "Germany"] {
            assert!(Country::parse(bad).is_err(), "{bad}");
        }
    }
}
