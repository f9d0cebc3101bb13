use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

use crate::config::Keys;

/// Prefix of the text form of a secret (Standard Webhooks 1.0).
pub const SECRET_PREFIX: &str = "whsec_";
/// Separates these secrets from every other use of the link keys.
const CONTEXT: &[u8] = b"punctual webhook secret v1\0";

/// The secrets that sign the deliveries of an endpoint: the current one first, and for 24 hours after a rotation the
/// previous one. They are derived from a link key, so none is stored.
#[derive(Clone)]
pub struct EndpointSecrets(Vec<[u8; 32]>);

impl EndpointSecrets {
    /// Derives them; `None` when a link key that they need is no longer configured.
    pub(super) fn derive(keys: &Keys, endpoint_id: Uuid, generations: &[(&str, i32)]) -> Option<Self> {
        let secrets = generations.iter().map(|(name, epoch)| {
            let key = keys.named(name)?;
            let mut mac = keyed(&key.bytes);
            mac.update(CONTEXT);
            mac.update(endpoint_id.as_bytes());
            mac.update(&epoch.to_be_bytes());
            Some(mac.finalize().into_bytes().into())
        });
        secrets.collect::<Option<Vec<_>>>().map(Self)
    }

    /// The current secret in the form its owner keeps: `whsec_` and padded base64 of 32 bytes.
    #[must_use]
    pub fn display(&self) -> String {
        let present = self.0.first().map(|secret| STANDARD.encode(secret)).unwrap_or_default();
        format!("{SECRET_PREFIX}{present}")
    }

    /// The value of `webhook-signature` for a body: one `v1,` signature for each secret, separated by spaces.
    #[must_use]
    pub fn sign(&self, webhook_id: &str, timestamp: i64, body: &[u8]) -> String {
        let signatures = self.0.iter().map(|secret| {
            let mut mac = keyed(secret);
            mac.update(format!("{webhook_id}.{timestamp}.").as_bytes());
            mac.update(body);
            format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
        });
        signatures.collect::<Vec<_>>().join(" ")
    }
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("any length of key will do")
}

impl std::fmt::Debug for EndpointSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EndpointSecrets(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_standard_has_its_signature() {
        // Standard Webhooks 1.0, "Signature scheme": secret, id, timestamp and body of the published example.
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let mut bytes = [0; 32];
        bytes[..secret.len()].copy_from_slice(&secret);
        // HMAC pads a key with zero bytes, so the shorter example key and this one sign alike.
        let secrets = EndpointSecrets(vec![bytes]);
        let signature =
            secrets.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn the_sample_that_the_examples_verify_is_signed_as_deliveries_are() {
        let sample: serde_json::Value =
            serde_json::from_str(include_str!("../../../openapi/webhooks/delivery.json")).unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let secret = |name: &str| {
            let secret = text(&sample[name]);
            STANDARD.decode(secret.strip_prefix(SECRET_PREFIX).unwrap()).unwrap().try_into().unwrap()
        };
        let secrets = EndpointSecrets(vec![secret("secret"), secret("previous_secret")]);
        let (headers, body) = (&sample["headers"], text(&sample["body"]));
        let timestamp = text(&headers["webhook-timestamp"]).parse().unwrap();
        let signed = secrets.sign(&text(&headers["webhook-id"]), timestamp, body.as_bytes());
        assert_eq!(signed, text(&headers["webhook-signature"]));
    }

    #[test]
    fn each_endpoint_and_generation_has_a_secret_of_its_own_and_a_missing_key_gives_none() {
        let keys = Keys::parse(&format!("a:{}", STANDARD.encode([7; 32])), true).unwrap();
        let secret =
            |id, epoch| EndpointSecrets::derive(&keys, Uuid::from_u128(id), &[("a", epoch)]).unwrap();
        let first = secret(1, 0).display();
        assert_eq!(first.len(), SECRET_PREFIX.len() + 44);
        assert_eq!(first, secret(1, 0).display());
        assert_ne!(first, secret(1, 1).display());
        assert_ne!(first, secret(2, 0).display());
        assert!(EndpointSecrets::derive(&keys, Uuid::from_u128(1), &[("a", 1), ("b", 0)]).is_none());
        let both = EndpointSecrets::derive(&keys, Uuid::from_u128(1), &[("a", 1), ("a", 0)]).unwrap();
        assert_eq!(both.sign("evt_1", 1, b"{}").split(' ').count(), 2);
    }
}
