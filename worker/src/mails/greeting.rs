//! How a mail addresses its reader. Anybody can book or register with somebody else's address and a name of their choice,
//! so a mail to an unverified address does not repeat a name that could be a message itself.

/// Longest name that is repeated, in characters.
const MAX_LENGTH: usize = 60;
/// Most words of a name that is repeated.
const MAX_WORDS: usize = 6;

/// The name to address the reader by; `None`: none. `proven`: the reader has verified the address.
pub fn greeting_name(name: &str, proven: bool) -> Option<&str> {
    (!name.is_empty() && (proven || !looks_like_message(name))).then_some(name)
}

/// Whether a name does not look like one: digits, a link, an address, sentence punctuation, or great length.
fn looks_like_message(name: &str) -> bool {
    name.chars().count() > MAX_LENGTH
        || name.split_whitespace().count() > MAX_WORDS
        || name.chars().any(|c| c.is_numeric() || "@/\\:;!?%$€£=+*#<>[]{}|_~\"".contains(c))
        || name.split_whitespace().any(looks_like_domain)
}

/// `evil.example`, but not `J.R.R.` or `Dr.`.
fn looks_like_domain(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    word.rsplit_once('.').is_some_and(|(host, last)| !host.is_empty() && last.chars().count() >= 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_repeated() {
        for name in [
            "Zoë Łukasz",
            "Dr. Ada Byron, Countess of Lovelace",
            "J.R.R. Tolkien",
            "O'Neill-Smith",
            "李小龍",
            "Nguyễn Văn An",
        ] {
            assert_eq!(greeting_name(name, false), Some(name));
        }
    }

    #[test]
    fn a_name_that_looks_like_a_message_is_repeated_to_proven_addresses_only() {
        let long = "very ".repeat(13);
        for name in [
            "WIN 500 EUR",
            "see evil.example",
            "Visit www.evil.example now",
            "Call +49 30",
            "a@b.example",
            "You won!",
            "One two three four five six seven",
            long.trim(),
        ] {
            assert_eq!(greeting_name(name, false), None, "{name}");
            assert_eq!(greeting_name(name, true), Some(name));
        }
        assert_eq!(greeting_name("", true), None);
    }
}
