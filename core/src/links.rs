//! Links in mails that grant access to one thing. Tokens are derived, not stored: no secret is kept, and a resent mail has
//! the same bytes. The row holds an epoch; raising it revokes all earlier links. Tokens appear in mails only, never in a
//! response, a job or a log. Two exceptions: the responses that create a calendar feed
//! and a guest's hold contain theirs.
//!
//! A token is base64url (RFC 4648 §5, no padding) of: purpose, length of the key's name, the key's name, id, epoch,
//! HMAC-SHA-256 (RFC 2104) over all of these.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

use crate::config::{Key, Keys};

/// Prefix of the signed bytes: separates these tokens from any other use of the same key.
const CONTEXT: &[u8] = b"punctual link v1\0";
const MAC_BYTES: usize = 32;

/// The purpose of a link; also the first part of its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// `/m/{token}`: see, cancel or move a booking. The id is the booking's.
    Manage,
    /// `/u/{token}`: unsubscribe from reminders (RFC 8058). The id is the customer's.
    Unsubscribe,
    /// `/d/{token}`: confirm or decline a booking. The id is that of the mail to staff in the ledger.
    Decide,
    /// `/f/{token}.ics`: the calendar of a member of staff, to subscribe to. The id is theirs.
    Feed,
    /// `/v/{token}`: prove an account's address. The id is that of the mail in the ledger, the epoch the account's.
    VerifyEmail,
    /// A form of the booking page that creates a hold. The id is its idempotency key, the epoch the minute since 1970 in
    /// which it was made.
    Form,
    /// `/h/{token}`: a hold made on the booking page. The id is the hold's.
    Hold,
    /// `/r/{token}`: set an account's password. The id is that of the mail in the ledger, the epoch the account's.
    SetPassword,
}

/// What a token grants access to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The purpose.
    pub purpose: Purpose,
    /// Id of the row it is about.
    pub id: Uuid,
    /// Epoch of the row; a link of an older epoch is void.
    pub epoch: i32,
}

impl Purpose {
    const fn byte(self) -> u8 {
        match self {
            Self::Manage => b'm',
            Self::Unsubscribe => b'u',
            Self::Decide => b'd',
            Self::Feed => b'f',
            Self::VerifyEmail => b'v',
            Self::Form => b'b',
            Self::SetPassword => b'r',
            Self::Hold => b'h',
        }
    }

    const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            b'm' => Some(Self::Manage),
            b'u' => Some(Self::Unsubscribe),
            b'd' => Some(Self::Decide),
            b'f' => Some(Self::Feed),
            b'v' => Some(Self::VerifyEmail),
            b'b' => Some(Self::Form),
            b'r' => Some(Self::SetPassword),
            b'h' => Some(Self::Hold),
            _ => None,
        }
    }
}

impl Link {
    /// The URL below `public_url`, which has no trailing slash.
    #[must_use]
    pub fn url(&self, keys: &Keys, public_url: &str) -> String {
        let ending = if self.purpose == Purpose::Feed { ".ics" } else { "" };
        format!("{public_url}/{}/{}{ending}", char::from(self.purpose.byte()), self.token(keys))
    }

    /// The token, signed with the current key. The same link and key give the same token.
    #[must_use]
    pub fn token(&self, keys: &Keys) -> String {
        let key = keys.signing();
        let mut bytes = vec![self.purpose.byte()];
        // A name has 32 bytes at most.
        bytes.push(u8::try_from(key.name.len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(key.name.as_bytes());
        bytes.extend_from_slice(self.id.as_bytes());
        bytes.extend_from_slice(&self.epoch.to_be_bytes());
        let mac = signed(key, &bytes).finalize().into_bytes();
        bytes.extend_from_slice(&mac);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Verifies a token; none unless one of these keys signed it unchanged. The caller compares the epoch.
    #[must_use]
    pub fn verify(keys: &Keys, token: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (message, mac) = bytes.split_at_checked(bytes.len().checked_sub(MAC_BYTES)?)?;
        let (&[purpose, name_len], rest) = message.split_first_chunk::<2>()?;
        let (name, rest) = rest.split_at_checked(usize::from(name_len))?;
        let key = keys.named(std::str::from_utf8(name).ok()?)?;
        signed(key, message).verify_slice(mac).ok()?;
        let (id, epoch) = rest.split_first_chunk::<16>()?;
        Some(Self {
            purpose: Purpose::from_byte(purpose)?,
            id: Uuid::from_bytes(*id),
            epoch: i32::from_be_bytes(epoch.try_into().ok()?),
        })
    }
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn signed(key: &Key, message: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.bytes).expect("any key length is valid");
    mac.update(CONTEXT);
    mac.update(message);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Keys {
        Keys::parse(text, true).unwrap()
    }

    fn key(name: &str, byte: u8) -> String {
        format!("{name}:{}", base64::engine::general_purpose::STANDARD.encode([byte; 32]))
    }

    fn link() -> Link {
        Link { purpose: Purpose::Manage, id: Uuid::from_u128(42), epoch: 7 }
    }

    #[test]
    fn a_token_stands_for_its_link_and_is_the_same_each_time() {
        let keys = keys(&key("a", 1));
        let token = link().token(&keys);
        assert_eq!(token, link().token(&keys));
        assert_eq!(Link::verify(&keys, &token), Some(link()));
        assert_eq!(link().url(&keys, "https://example.org"), format!("https://example.org/m/{token}"));
        let feed = Link { purpose: Purpose::Feed, ..link() };
        let address = feed.url(&keys, "https://example.org");
        assert_eq!(address, format!("https://example.org/f/{}.ics", feed.token(&keys)));
        assert_ne!(feed.token(&keys), token, "a token is for one purpose");
    }

    #[test]
    fn an_older_key_still_verifies_and_a_removed_one_does_not() {
        let old = link().token(&keys(&key("a", 1)));
        let both = keys(&format!("{},{}", key("b", 2), key("a", 1)));
        assert_eq!(Link::verify(&both, &old), Some(link()));
        assert_ne!(link().token(&both), old);
        assert_eq!(Link::verify(&keys(&key("b", 2)), &old), None);
        assert_eq!(Link::verify(&keys(&key("a", 3)), &old), None, "another key of the same name");
    }

    #[test]
    fn no_other_bytes_are_accepted() {
        let keys = keys(&key("a", 1));
        let token = link().token(&keys);
        let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(Link::verify(&keys, &URL_SAFE_NO_PAD.encode(&changed)), None, "byte {at}");
            assert_eq!(Link::verify(&keys, &URL_SAFE_NO_PAD.encode(&bytes[..at])), None, "cut at {at}");
        }
        for text in ["", "m", "%", &format!("{token}A"), &format!("{token}=")] {
            assert_eq!(Link::verify(&keys, text), None, "{text}");
        }
    }
}
