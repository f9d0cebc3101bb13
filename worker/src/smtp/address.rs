//! `SMTP_URL`: where the relay is and how it is spoken to.

use percent_encoding::percent_decode_str;

/// How the connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// Not at all.
    None,
    /// By STARTTLS, which the relay must offer.
    StartTls,
    /// From the first byte.
    Tls,
}

/// A relay.
#[derive(Clone, PartialEq, Eq)]
pub struct RelayAddress {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// How the connection is encrypted.
    pub encryption: Encryption,
    /// User and password.
    pub credentials: Option<(String, String)>,
}

impl std::fmt::Debug for RelayAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// Without the credentials.
impl std::fmt::Display for RelayAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Why an `SMTP_URL` is none; never contains it, for it holds a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "SMTP_URL: {0}; expected smtp://host:port, smtp+starttls://user:password@host:port or smtps://user:password@host:port"
)]
pub struct BadAddress(&'static str);

impl RelayAddress {
    /// Parses `smtp://` (without encryption, or by STARTTLS where there is a password), `smtp+starttls://` or `smtps://`.
    /// Ports default to 25, 587 and 465. User and password may be percent-encoded.
    ///
    /// # Errors
    /// [`BadAddress`].
    pub fn parse(url: &str) -> Result<Self, BadAddress> {
        let (scheme, rest) = url.split_once("://").ok_or(BadAddress("not a URL"))?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (user, place) = match rest.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, rest),
        };
        let credentials = user.map(credentials).transpose()?;
        let encryption = match scheme {
            "smtps" => Encryption::Tls,
            "smtp+starttls" => Encryption::StartTls,
            "smtp" if credentials.is_some() => Encryption::StartTls,
            "smtp" => Encryption::None,
            _ => return Err(BadAddress("an unknown scheme")),
        };
        let default_port = match encryption {
            Encryption::None => 25,
            Encryption::StartTls => 587,
            Encryption::Tls => 465,
        };
        let (host, port) = host_and_port(place, default_port)?;
        Ok(Self { host, port, encryption, credentials })
    }
}

fn credentials(text: &str) -> Result<(String, String), BadAddress> {
    let (user, password) = text.split_once(':').ok_or(BadAddress("a user without a password"))?;
    let decoded = |text: &str| {
        let text =
            percent_decode_str(text).decode_utf8().map_err(|_| BadAddress("a password that is not UTF-8"))?;
        Ok(text.into_owned())
    };
    Ok((decoded(user)?, decoded(password)?))
}

fn host_and_port(place: &str, default_port: u16) -> Result<(String, u16), BadAddress> {
    let (host, port) = match place.strip_prefix('[') {
        Some(v6) => {
            let (host, rest) = v6.split_once(']').ok_or(BadAddress("a bad address"))?;
            (host, rest.strip_prefix(':'))
        }
        None => match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    if host.is_empty() || host.contains(['/', '?', '#']) {
        return Err(BadAddress("no host"));
    }
    let port = port.map_or(Ok(default_port), |port| port.parse().map_err(|_| BadAddress("a bad port")))?;
    Ok((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_never_travels_in_the_clear() {
        let plain = RelayAddress::parse("smtp://127.0.0.1:1025").unwrap();
        assert_eq!((plain.port, plain.encryption, &plain.credentials), (1025, Encryption::None, &None));
        for url in ["smtp://me:pa%40ss@mail.example.org", "smtp+starttls://me:pa%40ss@mail.example.org:587"] {
            let relay = RelayAddress::parse(url).unwrap();
            assert_eq!((relay.host.as_str(), relay.port), ("mail.example.org", 587));
            assert_eq!(relay.encryption, Encryption::StartTls);
            assert_eq!(relay.credentials, Some(("me".to_owned(), "pa@ss".to_owned())));
            assert_eq!(format!("{relay:?} {relay}"), "mail.example.org:587 mail.example.org:587");
        }
        let tls = RelayAddress::parse("smtps://me:secret@[2001:db8::1]").unwrap();
        assert_eq!((tls.host.as_str(), tls.port, tls.encryption), ("2001:db8::1", 465, Encryption::Tls));
    }

    #[test]
    fn what_is_no_relay_is_named_without_its_secret() {
        for url in [
            "mail.example.org",
            "http://secret@x",
            "smtp://",
            "smtp://secret@host",
            "smtp://u:secret@h:port",
            "smtps://u:secret@",
        ] {
            let error = RelayAddress::parse(url).unwrap_err().to_string();
            assert!(error.starts_with("SMTP_URL: ") && !error.contains("secret"), "{error}");
        }
    }
}
