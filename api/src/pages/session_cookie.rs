//! The secret of a login to the pages: a random text in a cookie that scripts cannot read.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use poem::http::{HeaderMap, HeaderValue, header};
use punctual_core::sessions::TokenHash;
use sha2::{Digest, Sha256};

/// Characters of 256 bits in base64url without padding.
const LENGTH: usize = 43;

/// A kind of session; a token of one kind is invalid for another.
#[derive(Debug, PartialEq, Eq)]
pub struct SessionKind {
    /// Name of the cookie. The prefix `__Host-` binds it to this host, a secure connection and the path `/`.
    pub cookie: &'static str,
    /// Context of the derived hash and form token.
    pub purpose: &'static str,
    /// `SameSite` of the cookie: `Strict`, or `Lax` if links from other sites keep the login.
    pub same_site: &'static str,
}

/// The secret in the cookie: 256 random bits as text.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken {
    kind: &'static SessionKind,
    text: String,
}

impl SessionKind {
    /// A new token.
    pub fn new_token(&'static self) -> SessionToken {
        let bytes: [u8; 32] = rand::random();
        SessionToken { kind: self, text: URL_SAFE_NO_PAD.encode(bytes) }
    }

    /// The token that the browser sent.
    pub fn token_of(&'static self, headers: &HeaderMap) -> Option<SessionToken> {
        let fields = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs =
            fields.flat_map(|field| field.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let (_, text) = pairs.find(|(name, _)| *name == self.cookie)?;
        (text.len() == LENGTH).then(|| SessionToken { kind: self, text: text.to_owned() })
    }

    /// The `Set-Cookie` value that removes the cookie.
    pub fn clear_cookie(&self) -> HeaderValue {
        self.set_cookie("", 0)
    }

    fn set_cookie(&self, value: &str, seconds: i64) -> HeaderValue {
        let (name, same_site) = (self.cookie, self.same_site);
        let text =
            format!("{name}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite={same_site}");
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
    }
}

impl SessionToken {
    /// The stored hash. Differs from the hash of a refresh token with the same text.
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&format!("{} session {}", self.kind.purpose, self.text))
    }

    /// The token of the session's forms, so that no other site can submit them.
    pub fn form_token(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{} form {}", self.kind.purpose, self.text)))
    }

    /// The `Set-Cookie` value that sets the token.
    pub fn set_cookie(&self, seconds: i64) -> HeaderValue {
        self.kind.set_cookie(&self.text, seconds)
    }
}
