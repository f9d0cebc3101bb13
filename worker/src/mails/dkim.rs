//! DKIM signatures (RFC 6376), relaxed/relaxed, computed over the bytes sent to the relay.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use punctual_core::config::WorkerConfig;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};

use super::{InvalidKey, Mail};

/// The signed headers, in order. A header that the mail lacks is signed as absent, so that adding it breaks the
/// signature.
const SIGNED: [&str; 10] = [
    "from",
    "to",
    "reply-to",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "list-unsubscribe",
    "list-unsubscribe-post",
];

/// Characters of the signature per line.
const LINE_LENGTH: usize = 70;

enum KeyPair {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Ed25519KeyPair),
}

/// Signs mails for the domain of their sender.
pub struct Signer {
    selector: String,
    key: KeyPair,
}

impl Signer {
    /// The configured signer, if there is one.
    ///
    /// # Errors
    /// [`InvalidKey`].
    pub fn from_config(config: &WorkerConfig) -> Result<Option<Self>, InvalidKey> {
        match (&config.dkim_selector, &config.dkim_key) {
            (None, None) => Ok(None),
            (None, Some(_)) => Err(InvalidKey::NoSelector),
            (Some(_), None) => Err(InvalidKey::NoKey),
            (Some(selector), Some(key)) => Self::new(selector, key.expose()).map(Some),
        }
    }

    fn new(selector: &str, pem: &str) -> Result<Self, InvalidKey> {
        let (label, der) = decode(pem).ok_or(InvalidKey::Key)?;
        let rsa = |key| KeyPair::Rsa(Box::new(key));
        let key = match label {
            "RSA PRIVATE KEY" => RsaKeyPair::from_der(&der).map(rsa).ok(),
            "PRIVATE KEY" => RsaKeyPair::from_pkcs8(&der)
                .map(rsa)
                .or_else(|_| Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map(KeyPair::Ed25519))
                .ok(),
            _ => None,
        };
        Ok(Self { selector: selector.to_owned(), key: key.ok_or(InvalidKey::Key)? })
    }

    /// Adds the signature header at the top of the mail.
    ///
    /// # Errors
    /// [`InvalidKey::Key`] if signing fails.
    pub fn sign(&self, mail: Mail, now: DateTime<Utc>) -> Result<Mail, InvalidKey> {
        let header = self.header(&mail.bytes, mail.sender.domain(), now)?;
        Ok(Mail { bytes: [header.into_bytes(), mail.bytes].concat(), ..mail })
    }

    fn header(&self, message: &[u8], domain: &str, now: DateTime<Utc>) -> Result<String, InvalidKey> {
        let end = message.windows(4).position(|window| window == b"\r\n\r\n");
        let (head, body) = message.split_at(end.map_or(message.len(), |end| end + 2));
        let (head, body) = (String::from_utf8_lossy(head), body.strip_prefix(b"\r\n").unwrap_or(body));
        let algorithm = match self.key {
            KeyPair::Rsa(_) => "rsa-sha256",
            KeyPair::Ed25519(_) => "ed25519-sha256",
        };
        let unsigned = format!(
            " v=1; a={algorithm}; c=relaxed/relaxed; d={domain}; s={};\r\n\tt={}; bh={};\r\n\th={};\r\n\tb=",
            self.selector,
            now.timestamp(),
            STANDARD.encode(digest(&SHA256, &relaxed_body(body))),
            SIGNED.join(":"),
        );
        let fields = fields(&head);
        let mut signed = String::new();
        for name in SIGNED {
            let found = fields.iter().rev().find(|(found, _)| found.eq_ignore_ascii_case(name));
            if let Some((_, value)) = found {
                signed += &relaxed_field(name, value);
                signed += "\r\n";
            }
        }
        signed += &relaxed_field("dkim-signature", &unsigned);
        let signature = STANDARD.encode(self.raw(signed.as_bytes())?);
        let lines: Vec<&str> = signature
            .as_bytes()
            .chunks(LINE_LENGTH)
            .map(|line| std::str::from_utf8(line).unwrap_or_default())
            .collect();
        Ok(format!("DKIM-Signature:{unsigned}{}\r\n", lines.join("\r\n\t ")))
    }

    fn raw(&self, text: &[u8]) -> Result<Vec<u8>, InvalidKey> {
        match &self.key {
            KeyPair::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature)
                    .map_err(|_| InvalidKey::Key)?;
                Ok(signature)
            }
            // RFC 8463: what is signed is the hash.
            KeyPair::Ed25519(key) => Ok(key.sign(digest(&SHA256, text).as_ref()).as_ref().to_vec()),
        }
    }
}

/// Label and content of a PEM block (RFC 7468).
fn decode(pem: &str) -> Option<(&str, Vec<u8>)> {
    let (_, rest) = pem.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (text, _) = rest.split_once("-----END ")?;
    let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    Some((label, STANDARD.decode(text).ok()?))
}

/// Name and value of each header field, including continuation lines.
fn fields(head: &str) -> Vec<(&str, String)> {
    let mut fields: Vec<(&str, String)> = Vec::new();
    for line in head.split("\r\n") {
        match (line.starts_with([' ', '\t']), fields.last_mut()) {
            (true, Some((_, value))) => *value += line,
            _ => fields.extend(line.split_once(':').map(|(name, value)| (name.trim_end(), value.to_owned()))),
        }
    }
    fields
}

/// A field in relaxed form (RFC 6376 §3.4.2); `name` must be lower case.
fn relaxed_field(name: &str, value: &str) -> String {
    format!("{name}:{}", value.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
}

/// A body in relaxed form (RFC 6376 §3.4.4).
fn relaxed_body(body: &[u8]) -> Vec<u8> {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let mut relaxed = Vec::with_capacity(body.len());
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let length = line.iter().rposition(|byte| !is_blank(byte)).map_or(0, |last| last + 1);
        let mut blank = false;
        for byte in &line[..length] {
            if !is_blank(byte) {
                relaxed.push(*byte);
            } else if !blank {
                relaxed.push(b' ');
            }
            blank = is_blank(byte);
        }
        relaxed.extend_from_slice(b"\r\n");
    }
    while relaxed.ends_with(b"\r\n\r\n") {
        relaxed.truncate(relaxed.len() - 2);
    }
    if relaxed == b"\r\n" { Vec::new() } else { relaxed }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of RFC 8463's example in PKCS #8, as `openssl genpkey -algorithm ed25519` writes them.
    const ED25519: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----";

    fn at() -> DateTime<Utc> {
        DateTime::from_timestamp(1_528_637_909, 0).unwrap()
    }

    #[test]
    fn the_body_hash_matches_the_rfcs_example() {
        // RFC 6376 A.2 and its bh.
        let body = b"Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";
        let hash = STANDARD.encode(digest(&SHA256, &relaxed_body(body)));
        assert_eq!(hash, "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=");
    }

    #[test]
    fn whitespace_is_relaxed_as_in_the_rfcs_example() {
        // RFC 6376 §3.4.5, example 1.
        let head = "A: X\r\nB : Y\t\r\n\tZ  \r\n";
        let fields: Vec<String> = fields(head)
            .iter()
            .map(|(name, value)| relaxed_field(&name.to_ascii_lowercase(), value))
            .collect();
        assert_eq!(fields, ["a:X", "b:Y Z"]);
        assert_eq!(relaxed_body(b" C \r\nD \t E\r\n\r\n\r\n"), b" C\r\nD E\r\n");
        assert_eq!(relaxed_body(b"\r\n\r\n"), b"");
        assert_eq!(relaxed_body(b"no end"), b"no end\r\n");
    }

    #[test]
    fn an_absent_header_is_signed_and_a_changed_text_changes_the_signature() {
        let signer = Signer::new("brisbane", ED25519).unwrap();
        let sign = |message: &str| signer.header(message.as_bytes(), "example.com", at()).unwrap();
        let one = sign("From: a@example.com\r\nSubject: Hi\r\n\r\nHello\r\n");
        assert!(one.starts_with(
            "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; s=brisbane;\r\n"
        ));
        assert!(one.contains(":list-unsubscribe:list-unsubscribe-post;\r\n\tb="), "{one}");
        assert!(one.lines().all(|line| line.len() < 180), "{one}");
        let signature = |header: &str| header.split_once("\tb=").unwrap().1.to_owned();
        assert_eq!(
            one,
            sign("From:  a@example.com \r\nSubject:\r\n Hi\r\n\r\nHello \r\n\r\n"),
            "space is relaxed"
        );
        assert_ne!(signature(&one), signature(&sign("From: a@example.com\r\nSubject: Ha\r\n\r\nHello\r\n")));
        let added = "From: a@example.com\r\nSubject: Hi\r\nReply-To: evil@example.com\r\n\r\nHello\r\n";
        assert_ne!(signature(&one), signature(&sign(added)));
    }

    #[test]
    fn an_invalid_key_is_refused_without_being_shown() {
        let cut = ED25519.replace("MC4CAQAwBQ", "MC4CAQAw");
        for bad in ["", "secret", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----", &cut] {
            let error = Signer::new("s", bad).err().unwrap();
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
