use http::HeaderMap;
use standardwebhooks::{Webhook, WebhookError};

/// An error if a request is not signed with the secret or is older than five minutes. Decode the body only after that.
pub fn verify(secret: &str, headers: &HeaderMap, body: &[u8]) -> Result<(), WebhookError> {
    Webhook::new(secret)?.verify(body, headers)
}
