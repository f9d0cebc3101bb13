//! Hostile request bodies.

use serde_json::{Value, json};

/// Values of the wrong type, out of bounds, or aimed at the systems behind.
pub fn values() -> Vec<Value> {
    let mut values = vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1e308),
        json!(0.1),
        json!([]),
        json!({}),
        json!([[[[[]]]]]),
        json!({ "a": { "b": { "c": null } } }),
    ];
    let texts = [
        "",
        " ",
        "\0",
        "a\0b@example.org",
        "\u{feff}",
        "\u{202e}gro.elpmaxe@ada",
        "ada@example.org\r\nBcc: victim@example.org",
        "\"ada lovelace\"@example.org",
        "ada@[127.0.0.1]",
        "' OR 1=1; --",
        "{{7*7}}",
        "{% include '/etc/passwd' %}",
        "<script>alert(1)</script>",
        "../../../../etc/passwd",
        "%00%0d%0a",
        "${jndi:ldap://127.0.0.1/a}",
        "0000-00-00",
        "9999-12-31T23:59:59+23:59",
        "-9999-01-01T00:00:00Z",
        "+262142-12-31T23:59:59Z",
        "2027-02-30T10:00:00Z",
        "2027-05-04T25:00:00Z",
        "2027-05-04T10:00:60Z",
        "1970-01-01T00:00:00Z",
        "9998-01-01T00:00:00Z",
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "NaN",
        "🦀",
    ];
    values.extend(texts.map(Value::from));
    values.push("x".repeat(5_000).into());
    values.push("é".repeat(20_000).into());
    values.push(vec!["x"; 2_000].into());
    values
}

/// Bytes that are not JSON, or too large.
pub fn texts() -> Vec<Vec<u8>> {
    let mut texts: Vec<Vec<u8>> = [
        &b""[..],
        b" ",
        b"{",
        b"}",
        b"[",
        b"\"",
        b"{\"email\":",
        b"{\"email\":\"a@example.org\",}",
        b"{\"email\":\"a@example.org\"} {}",
        b"{'email':'a@example.org'}",
        b"{\"email\":NaN}",
        b"{\"email\":1e999}",
        b"{\"email\":-}",
        b"{\"email\":0x10}",
        b"{\"email\":\"\\ud800\"}",
        b"{\"email\":\"\\x41\"}",
        b"{\"email\":\"\x01\"}",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        b"{\"email\":\"\xc3\x28\"}",
        b"{\"a\":1,\"a\":2,\"email\":\"x\",\"email\":\"y\"}",
        b"\x00\x00\x00\x00",
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
        b"null",
        b"[]",
        b"true",
        b"12345678901234567890123456789012345678901234567890",
        b"<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>",
        b"email=a%40example.org&password=secret",
    ]
    .iter()
    .map(|text| text.to_vec())
    .collect();
    texts.extend(
        ["[", "{\"a\":", "[{\"a\":", "\"\\\"", "[[],"]
            .map(|unit| unit.repeat(60_000 / unit.len()).into_bytes()),
    );
    texts.push(format!("{}{}", "[".repeat(17), "]".repeat(17)).into_bytes());
    texts.push(format!("[{}]", vec!["0"; 30_000].join(",")).into_bytes());
    let names: Vec<String> = (0..4_000).map(|number| format!("\"field{number}\":1")).collect();
    texts.push(format!("{{{}}}", names.join(",")).into_bytes());
    texts.push(vec![b' '; 65_537]);
    texts.push(vec![b'x'; 200_000]);
    texts
}
