//! `SMTP_URL`: address, encryption and credentials of the relay.

use percent_encoding::percent_decode_str;

/// How the connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// Not encrypted.
    None,
    /// STARTTLS, which the relay must offer.
    StartTls,
    /// TLS from the first byte.
    Tls,
}

/// Where the relay is and how to connect to it. `Debug` and `Display` omit the credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct RelayAddress {
    /// Host name or IP address.
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

impl std::fmt::Display for RelayAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Why an `SMTP_URL` is invalid. Never contains the URL, because it holds a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "SMTP_URL: {0}; expected smtp://host:port, smtp+starttls://user:password@host:port or smtps://user:password@host:port"
)]
pub struct InvalidRelayUrl(&'static str);

impl RelayAddress {
    /// Parses `smtp://` (unencrypted, or STARTTLS if there is a password), `smtp+starttls://` or `smtps://`. The default
    /// ports are 25, 587 and 465. User and password may be percent-encoded.
    ///
    /// # Errors
    /// [`InvalidRelayUrl`].
    pub fn parse(url: &str) -> Result<Self, InvalidRelayUrl> {
        let (scheme, rest) = url.split_once("://").ok_or(InvalidRelayUrl("not a URL"))?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (user, authority) = match rest.rsplit_once('@') {
            Some((user, authority)) => (Some(user), authority),
            None => (None, rest),
        };
        let credentials = user.map(credentials).transpose()?;
        let encryption = match scheme {
            "smtps" => Encryption::Tls,
            "smtp+starttls" => Encryption::StartTls,
            "smtp" if credentials.is_some() => Encryption::StartTls,
            "smtp" => Encryption::None,
            _ => return Err(InvalidRelayUrl("an unknown scheme")),
        };
        let default_port = match encryption {
            Encryption::None => 25,
            Encryption::StartTls => 587,
            Encryption::Tls => 465,
        };
        let (host, port) = host_and_port(authority, default_port)?;
        Ok(Self { host, port, encryption, credentials })
    }
}

fn credentials(text: &str) -> Result<(String, String), InvalidRelayUrl> {
    let (user, password) = text.split_once(':').ok_or(InvalidRelayUrl("a user without a password"))?;
    let decoded = |text: &str| {
        let text = percent_decode_str(text)
            .decode_utf8()
            .map_err(|_| InvalidRelayUrl("a password that is not UTF-8"))?;
        Ok(text.into_owned())
    };
    Ok((decoded(user)?, decoded(password)?))
}

fn host_and_port(authority: &str, default_port: u16) -> Result<(String, u16), InvalidRelayUrl> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(v6) => {
            let (host, rest) = v6.split_once(']').ok_or(InvalidRelayUrl("an invalid IPv6 address"))?;
            (host, rest.strip_prefix(':'))
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    if host.is_empty() || host.contains(['/', '?', '#']) {
        return Err(InvalidRelayUrl("no host"));
    }
    let port =
        port.map_or(Ok(default_port), |port| port.parse().map_err(|_| InvalidRelayUrl("an invalid port")))?;
    Ok((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_sent_unencrypted() {
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
    fn an_error_does_not_show_the_password() {
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
