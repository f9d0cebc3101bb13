//! Verifies the sample delivery, and refuses it once anything of it has changed. With the argument `old`: refuses it, as
//! this machine's clock is past it.

mod verify;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use verify::verify;

fn main() {
    let text = std::fs::read_to_string("../delivery.json").expect("the sample");
    let sample: Value = serde_json::from_str(&text).expect("JSON");
    let text = |name: &str| sample[name].as_str().expect("a text").to_owned();
    let headers: HeaderMap = sample["headers"]
        .as_object()
        .expect("headers")
        .iter()
        .map(|(name, value)| {
            let value = value.as_str().expect("a text");
            (name.parse::<HeaderName>().expect("a name"), value.parse::<HeaderValue>().expect("a value"))
        })
        .collect();
    let (secret, body) = (text("secret"), text("body"));
    let is_genuine = |secret: &str, headers: &HeaderMap, body: &str| verify(secret, headers, body.as_bytes()).is_ok();
    if std::env::args().nth(1).as_deref() == Some("old") {
        assert!(!is_genuine(&secret, &headers, &body), "an old request");
        return;
    }
    assert!(is_genuine(&secret, &headers, &body), "the secret");
    assert!(is_genuine(&text("previous_secret"), &headers, &body), "the secret before");
    let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    assert!(!is_genuine(other, &headers, &body), "another secret");
    assert!(!is_genuine(&secret, &headers, &body.replace("confirmed", "cancelled")), "another body");
    let mut changed = headers.clone();
    changed.insert("webhook-id", HeaderValue::from_static("evt_1290"));
    assert!(!is_genuine(&secret, &changed, &body), "another id");
}
