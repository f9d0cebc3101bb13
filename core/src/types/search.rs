//! The words of a search.

use super::{Country, searched_digits};

/// The words of a search, as the database function `has_words` takes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SearchWords {
    /// The words.
    pub words: Vec<String>,
    /// The digits of each word to find in a phone number; empty for a word that is none.
    pub digits: Vec<String>,
    /// The digits of all such words as one number: `030 12 34` is one. If there is none, a text that matches no number.
    pub number: String,
}

impl SearchWords {
    /// The words of a text. Phone numbers without a country code are those of `country`.
    pub fn of(text: &str, country: Option<Country>) -> Self {
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        let digits: Vec<String> =
            words.iter().map(|word| searched_digits(word, country).unwrap_or_default()).collect();
        let of_number = words.iter().zip(&digits).filter(|(_, digits)| !digits.is_empty());
        let of_number: Vec<&str> = of_number.map(|(word, _)| word.as_str()).collect();
        let number = searched_digits(&of_number.join(" "), country).filter(|number| !number.is_empty());
        Self { words, digits, number: number.unwrap_or_else(|| "-".to_owned()) }
    }
}
