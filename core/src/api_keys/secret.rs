use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Prefix of every key.
const PREFIX: &str = "pk_";

/// The whole key as its program sends it: `pk_`, the id as 32 hexadecimal digits, `_`, and 32 random bytes in base64url.
#[derive(Clone)]
pub struct ApiKeySecret {
    /// The key's id.
    pub id: Uuid,
    secret: [u8; 32],
}

/// Whether a text is meant as an API key, valid or not.
#[must_use]
pub fn is_api_key(text: &str) -> bool {
    text.starts_with(PREFIX)
}

impl ApiKeySecret {
    /// The key with this id and these random bytes.
    pub(super) const fn new(id: Uuid, secret: [u8; 32]) -> Self {
        Self { id, secret }
    }

    /// Parses a key; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let is_simple =
            id.len() == 32 && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let id = Uuid::parse_str(id).ok().filter(|_| is_simple)?;
        let secret = URL_SAFE_NO_PAD.decode(secret).ok()?.try_into().ok()?;
        Some(Self { id, secret })
    }

    /// The text that is shown once.
    #[must_use]
    pub fn display(&self) -> String {
        format!("{PREFIX}{}_{}", self.id.simple(), URL_SAFE_NO_PAD.encode(self.secret))
    }

    /// The stored form.
    pub(super) fn sha256(&self) -> [u8; 32] {
        Sha256::digest(self.secret).into()
    }
}

impl std::fmt::Debug for ApiKeySecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ApiKeySecret({}, …)", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_is_shown_and_nothing_else_is() {
        let key = ApiKeySecret::new(Uuid::from_u128(7), [250; 32]);
        let text = key.display();
        assert_eq!(text.len(), 3 + 32 + 1 + 43);
        let read = ApiKeySecret::parse(&text).unwrap();
        assert_eq!((read.id, read.sha256()), (key.id, key.sha256()));
        assert_ne!(ApiKeySecret::new(key.id, [251; 32]).sha256(), key.sha256());
        assert!(!format!("{key:?}").contains(&text[36..]));
        let upper = text[..35].to_uppercase() + &text[35..];
        let dashed = format!("pk_{}_{}", key.id, &text[36..]);
        for odd in ["", "pk_", &text[..78], &text[1..], &format!("{text}A"), &upper, &dashed] {
            assert!(ApiKeySecret::parse(odd).is_none(), "{odd}");
        }
    }
}
