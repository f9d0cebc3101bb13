//! Invalid access tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// The key of the programs under test.
const KEY: [u8; 32] = [7; 32];

fn token(header: &Value, claims: &Value, key: &[u8]) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    sign(&format!("{}.{}", part(header), part(claims)), key)
}

fn sign(signed: &str, key: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// Values of `Authorization`, each wrong in one way; `good` is a token of the api.
pub fn authorizations(good: &str) -> Vec<String> {
    let parts: Vec<&str> = good.split('.').collect();
    let read =
        |part: &str| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap() };
    let (header, claims) = (read(parts[0]), read(parts[1]));
    assert_eq!(
        sign(&format!("{}.{}", parts[0], parts[1]), &KEY),
        good,
        "the key is the api's, so that each is wrong in one way"
    );
    let with = |field: &str, value: Value| {
        let mut claims = claims.clone();
        claims[field] = value;
        token(&header, &claims, &KEY)
    };
    let under = |header: Value| token(&header, &claims, &KEY);
    let kid = &header["kid"];
    let none = under(json!({ "alg": "none", "typ": "JWT", "kid": kid }));
    let unsigned = none.rsplit_once('.').unwrap().0.to_owned();
    let mut tokens = vec![
        none,
        format!("{unsigned}."),
        unsigned,
        under(json!({ "alg": "None", "kid": kid })),
        under(json!({ "alg": "RS256", "kid": kid })),
        under(json!({ "alg": "HS512", "kid": kid })),
        under(json!({ "alg": "HS256" })),
        under(json!({ "alg": "HS256", "kid": "other" })),
        under(json!({ "alg": "HS256", "kid": "../../../../dev/null" })),
        under(json!({ "alg": "HS256", "kid": [kid] })),
        under(json!({ "alg": "HS256", "kid": kid, "crit": ["exp"], "exp": 1 })).replace('.', ".x"),
        token(&header, &claims, &[8; 32]),
        token(&header, &claims, b""),
        with("aud", "somebody-else".into()),
        with("aud", Value::Null),
        with("iss", "https://elsewhere.example".into()),
        with("exp", 1.into()),
        with("exp", i64::MAX.into()),
        with("exp", "never".into()),
        with("iat", i64::MIN.into()),
        with("sub", "0196a1f0-7c1e-7000-8000".into()),
        with("sub", "'; DROP TABLE users; --".into()),
        with("role", "root".into()),
        with("epoch", 5_000_000_000_i64.into()),
        with("epoch", 1_000.into()),
        format!("{}.{}.{}", parts[0], parts[1], &parts[2][1..]),
        format!("{good}A"),
        good.to_uppercase(),
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "a.b.c".to_owned(),
        "e30.e30.".to_owned(),
        "x".repeat(8_000),
        "ey".repeat(1_000),
    ];
    for token in &mut tokens {
        token.insert_str(0, "Bearer ");
    }
    tokens.extend([
        "Basic YWRtaW46YWRtaW4=".to_owned(),
        format!("Token {good}"),
        format!("Bearer {good}, Bearer {good}"),
        good.to_owned(),
        "Bearer".to_owned(),
        format!("Bearer {good}\r\nauthorization: Bearer {good}"),
    ]);
    tokens
}
