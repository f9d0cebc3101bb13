//! Allowed passwords (NIST SP 800-63B §5.1.1.2): a minimum length, and none that is common. There are no composition
//! rules and no expiry.

use std::fmt;

use crate::http::problem::{Code, Facts, Fault, Place, Problem};

/// Fewest characters (Unicode code points).
pub const MIN_LENGTH: usize = 8;
/// Most characters: long enough for any passphrase, short enough to be hashed.
pub const MAX_LENGTH: usize = 128;

/// Passwords common in breaches, in lower case, one per line. Source: docs/decisions/0012-passwords.md.
const BREACHED: &str = include_str!("breached.txt");

/// Why a password is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weakness {
    /// Fewer than [`MIN_LENGTH`] characters.
    TooShort,
    /// More than [`MAX_LENGTH`] characters.
    TooLong,
    /// Common in breaches.
    Breached,
    /// The address or the name of its owner.
    Personal,
}

impl Weakness {
    /// Stable code, also the key of the page's message.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::Breached => "breached",
            Self::Personal => "personal",
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::TooShort => "has fewer than 8 characters: choose a longer one",
            Self::TooLong => "has more than 128 characters: choose a shorter one",
            Self::Breached => "is known from breaches and among the first to be tried: choose another",
            Self::Personal => "is the account's address or name: choose another",
        }
    }

    /// The problem of a request that sent the password at `pointer` of its body.
    #[must_use]
    pub fn at(self, pointer: &str) -> Problem {
        let fault = Fault {
            place: Place::Body,
            pointer: pointer.to_owned(),
            code: self.code(),
            detail: self.text().into(),
        };
        Problem::with(Code::Unprocessable, Facts { errors: vec![fault], ..Facts::default() })
    }
}

impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the password {}", self.text())
    }
}

impl std::error::Error for Weakness {}

/// Whether a person with this address, and this name where it is known, may choose this password.
///
/// # Errors
/// [`Weakness`].
pub fn check(password: &str, email: &str, name: Option<&str>) -> Result<(), Weakness> {
    match password.chars().count() {
        ..MIN_LENGTH => return Err(Weakness::TooShort),
        MIN_LENGTH..=MAX_LENGTH => {}
        _ => return Err(Weakness::TooLong),
    }
    let password = password.to_lowercase();
    let local = email.split_once('@').map_or("", |(local, _)| local);
    let own = [Some(email), Some(local), name];
    if own.into_iter().flatten().any(|text| text.to_lowercase() == password) {
        return Err(Weakness::Personal);
    }
    // Searching the whole list takes a thousandth of the time of the following hash.
    if BREACHED.lines().any(|line| line == password) { Err(Weakness::Breached) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada(password: &str) -> Result<(), Weakness> {
        check(password, "ada.lovelace@example.org", Some("Ada Lovelace"))
    }

    #[test]
    fn a_password_has_8_to_128_characters_of_any_kind() {
        assert_eq!(ada("7 chars"), Err(Weakness::TooShort));
        assert_eq!(ada("8 chars!"), Ok(()));
        assert_eq!(ada("äöüßäöüß"), Ok(()));
        assert_eq!(ada(&"x y ".repeat(32)), Ok(()));
        assert_eq!(ada(&"x y ".repeat(33)), Err(Weakness::TooLong));
    }

    #[test]
    fn what_is_tried_first_is_refused_in_any_case() {
        for known in ["password", "Password1", "12345678", "qwertyuiop", "ILOVEYOU1"] {
            assert_eq!(ada(known), Err(Weakness::Breached), "{known}");
        }
        assert_eq!(ada("correct horse battery staple"), Ok(()));
    }

    #[test]
    fn the_own_address_or_name_is_no_password() {
        for own in ["ada.lovelace@example.org", "Ada.Lovelace", "ada lovelace"] {
            assert_eq!(ada(own), Err(Weakness::Personal), "{own}");
        }
        assert_eq!(check("ada lovelace", "grace@example.org", None), Ok(()));
    }

    #[test]
    fn the_list_is_one_that_can_be_looked_through() {
        let lines: Vec<&str> = BREACHED.lines().collect();
        assert!(lines.len() > 8_000);
        assert!(lines.is_sorted());
        assert!(lines.iter().all(|line| line.len() >= MIN_LENGTH && line.to_lowercase() == **line));
    }
}
