//! Access tokens: JWT (RFC 7519) signed with HS256 by a ring of keys, so that keys rotate without logging
//! anybody out.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::ErrorKind,
    signature,
};
use punctual_core::{config::Keys, types::Role};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;

/// Audience of the tokens (`aud`).
const AUDIENCE: &str = "punctual-api";

/// Tolerated difference between the clocks of two api processes.
const LEEWAY: TimeDelta = TimeDelta::seconds(5);

/// Longest token that is accepted.
const MAX_LENGTH: usize = 2048;

/// Claims of an access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claims {
    /// The account.
    pub user_id: Uuid,
    /// The session the token belongs to.
    pub session_id: Uuid,
    /// The account's role when the token was issued.
    pub role: Role,
    /// Its token epoch when the token was issued.
    pub epoch: i32,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    sub: Uuid,
    /// Session (`OpenID` Connect Front-Channel Logout 1.0).
    sid: Uuid,
    role: Role,
    epoch: i32,
    iat: i64,
    exp: i64,
    iss: String,
    aud: String,
}

/// Issues and verifies access tokens.
pub struct Tokens {
    signing: (Header, EncodingKey),
    verifying: HashMap<String, DecodingKey>,
    validation: Validation,
    issuer: String,
    lifetime: TimeDelta,
}

impl Tokens {
    /// Tokens of `issuer`, which is the deployment's public URL.
    #[must_use]
    pub fn new(keys: &Keys, issuer: &str, lifetime: Duration) -> Self {
        // An error means that a provider is already installed: this one.
        let _ = PROVIDER.install_default();
        let signing = keys.signing();
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(signing.name.clone());
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[issuer]);
        validation.set_required_spec_claims(&["sub", "exp", "iss", "aud"]);
        // Expiry is checked with the `Clock`; the library would use the system clock.
        validation.validate_exp = false;
        Self {
            signing: (header, EncodingKey::from_secret(&signing.bytes)),
            verifying: keys
                .iter()
                .map(|key| (key.name.clone(), DecodingKey::from_secret(&key.bytes)))
                .collect(),
            validation,
            issuer: issuer.to_owned(),
            lifetime: TimeDelta::from_std(lifetime).unwrap_or(TimeDelta::minutes(15)),
        }
    }

    /// A token that is valid from `now` for the lifetime, and when it expires.
    ///
    /// # Errors
    /// When signing fails, which cannot happen with a valid configuration.
    pub fn issue(
        &self,
        claims: Claims,
        now: DateTime<Utc>,
    ) -> Result<(String, DateTime<Utc>), jsonwebtoken::errors::Error> {
        let ends = now + self.lifetime;
        let wire = Wire {
            sub: claims.user_id,
            sid: claims.session_id,
            role: claims.role,
            epoch: claims.epoch,
            iat: now.timestamp(),
            exp: ends.timestamp(),
            iss: self.issuer.clone(),
            aud: AUDIENCE.to_owned(),
        };
        Ok((jsonwebtoken::encode(&self.signing.0, &wire, &self.signing.1)?, ends))
    }

    /// The token's claims, if one of the keys signed it for this deployment and it is valid at `now`.
    #[must_use]
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Option<Claims> {
        if token.len() > MAX_LENGTH {
            return None;
        }
        let header = jsonwebtoken::decode_header(token).ok()?;
        let key = self.verifying.get(header.kid.as_deref()?)?;
        let wire = jsonwebtoken::decode::<Wire>(token, key, &self.validation).ok()?.claims;
        let issued = DateTime::from_timestamp(wire.iat, 0)?;
        let ends = DateTime::from_timestamp(wire.exp, 0)?;
        let good = issued <= now + LEEWAY && now < ends + LEEWAY && ends - issued <= self.lifetime;
        good.then_some(Claims { user_id: wire.sub, session_id: wire.sid, role: wire.role, epoch: wire.epoch })
    }
}

/// HMAC-SHA256 only: the library's own provider would add RSA and elliptic curves.
static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| match algorithm {
        Algorithm::HS256 => Ok(Box::new(Hs256::new(key.as_bytes())?)),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    },
    verifier_factory: |algorithm, key| match algorithm {
        Algorithm::HS256 => Ok(Box::new(Hs256::new(key.try_get_as_bytes()?)?)),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    },
    key_utils: KeyUtils::new_unimplemented(),
};

struct Hs256(Hmac<Sha256>);

impl Hs256 {
    fn new(key: &[u8]) -> Result<Self, jsonwebtoken::errors::Error> {
        Hmac::new_from_slice(key).map(Self).map_err(|_| ErrorKind::InvalidKeyFormat.into())
    }
}

impl signature::Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(self.0.clone().chain_update(message).finalize().into_bytes().to_vec())
    }
}

impl signature::Verifier<Vec<u8>> for Hs256 {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        self.0.clone().chain_update(message).verify_slice(signature).map_err(signature::Error::from_source)
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use punctual_core::config::Config;

    use super::*;

    const A: &str = "a:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    const B: &str = "b:ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=";

    fn tokens(keys: &str, issuer: &str) -> Tokens {
        let vars = [("PUNCTUAL_JWT_KEYS".to_owned(), keys.to_owned())].into();
        let config = Config::parse(vars, |_| unreachable!()).unwrap();
        Tokens::new(config.jwt_keys().unwrap(), issuer, Duration::from_mins(15))
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    const CLAIMS: Claims =
        Claims { user_id: Uuid::from_u128(7), session_id: Uuid::from_u128(8), role: Role::Staff, epoch: 3 };

    #[test]
    fn a_token_is_good_for_its_lifetime_and_a_little_leeway() {
        let tokens = tokens(A, "https://a.example");
        let (token, ends) = tokens.issue(CLAIMS, now()).unwrap();
        assert_eq!(ends, now() + TimeDelta::minutes(15));
        for (seconds, good) in [(0, true), (899, true), (904, true), (905, false), (-5, true), (-6, false)] {
            assert_eq!(
                tokens.verify(&token, now() + TimeDelta::seconds(seconds)).is_some(),
                good,
                "{seconds}"
            );
        }
        assert_eq!(tokens.verify(&token, now()), Some(CLAIMS));
    }

    #[test]
    fn keys_rotate_without_logging_anybody_out() {
        let (old, _) = tokens(A, "https://a.example").issue(CLAIMS, now()).unwrap();
        let both = tokens(&format!("{B},{A}"), "https://a.example");
        assert!(both.verify(&old, now()).is_some());
        let (new, _) = both.issue(CLAIMS, now()).unwrap();
        assert!(tokens(B, "https://a.example").verify(&new, now()).is_some());
        assert!(tokens(A, "https://a.example").verify(&new, now()).is_none());
    }

    #[test]
    fn a_token_of_another_issuer_key_or_algorithm_is_refused() {
        let ours = tokens(A, "https://a.example");
        let (token, _) = tokens(A, "https://b.example").issue(CLAIMS, now()).unwrap();
        assert!(ours.verify(&token, now()).is_none());
        let renamed = B.replace("b:", "a:");
        let (token, _) = tokens(&renamed, "https://a.example").issue(CLAIMS, now()).unwrap();
        assert!(ours.verify(&token, now()).is_none());
        let (token, _) = ours.issue(CLAIMS, now()).unwrap();
        let (_, rest) = token.split_once('.').unwrap();
        let (payload, signature) = rest.split_once('.').unwrap();
        for header in [r#"{"alg":"none","kid":"a"}"#, r#"{"alg":"HS512","kid":"a"}"#, r#"{"alg":"HS256"}"#] {
            let header = URL_SAFE_NO_PAD.encode(header);
            assert!(ours.verify(&format!("{header}.{payload}.{signature}"), now()).is_none());
            assert!(ours.verify(&format!("{header}.{payload}."), now()).is_none());
        }
        for bad in ["", "a", "a.b.c", "..", &"x".repeat(5000)] {
            assert!(ours.verify(bad, now()).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_token_for_others_or_of_an_unknown_key_is_refused() {
        let ours = tokens(A, "https://a.example");
        let signed = |kid: Option<&str>, change: fn(&mut Wire)| {
            let mut wire = Wire {
                sub: CLAIMS.user_id,
                sid: CLAIMS.session_id,
                role: CLAIMS.role,
                epoch: CLAIMS.epoch,
                iat: now().timestamp(),
                exp: now().timestamp() + 900,
                iss: "https://a.example".to_owned(),
                aud: AUDIENCE.to_owned(),
            };
            change(&mut wire);
            let mut header = Header::new(Algorithm::HS256);
            header.kid = kid.map(str::to_owned);
            let token = jsonwebtoken::encode(&header, &wire, &ours.signing.1).unwrap();
            ours.verify(&token, now())
        };
        assert_eq!(signed(Some("a"), |_| ()), Some(CLAIMS));
        assert_eq!(signed(Some("a"), |wire| wire.aud = "another-api".to_owned()), None);
        assert_eq!(signed(Some("a"), |wire| wire.iss = "https://b.example".to_owned()), None);
        assert_eq!(
            signed(Some("a"), |wire| wire.exp = wire.iat + 901),
            None,
            "it lives longer than any of ours"
        );
        assert_eq!(signed(Some("a"), |wire| wire.iat += 6), None, "it is from the future");
        assert_eq!(signed(Some("b"), |_| ()), None);
        assert_eq!(signed(None, |_| ()), None);
    }

    #[test]
    fn a_token_that_was_changed_is_refused() {
        let ours = tokens(A, "https://a.example");
        let (token, _) = ours.issue(CLAIMS, now()).unwrap();
        let parts: Vec<&str> = token.split('.').collect();
        let payload = String::from_utf8(URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
        let forged = URL_SAFE_NO_PAD.encode(payload.replace("staff", "admin"));
        assert!(ours.verify(&format!("{}.{forged}.{}", parts[0], parts[2]), now()).is_none());
    }
}
