//! Parsers of single values. `None` or the text says that a value is not accepted.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Secret;

/// `on` or `off`.
pub(super) fn switch(text: &str) -> Option<bool> {
    match text {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

/// Whether a mail server only shows mails: it is on this machine, without a password, or the inbox of the compose file.
pub(super) fn is_inbox(url: &str) -> bool {
    let host = host_of(url);
    let local = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    url.starts_with("smtp://") && !url.contains('@') && (local || host == "mailpit")
}

/// A domain name, or an address literal of RFC 5321 §4.1.3 such as `[192.0.2.1]` or `[IPv6:2001:db8::1]`.
pub(super) fn domain(text: &str) -> Option<String> {
    let literal = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let good = match literal {
        Some(address) => match address.strip_prefix("IPv6:") {
            Some(v6) => v6.parse::<Ipv6Addr>().is_ok(),
            None => address.parse::<Ipv4Addr>().is_ok(),
        },
        None => text.len() <= 255 && text.split('.').all(is_label),
    };
    good.then(|| text.to_owned())
}

/// The host of the public URL, or an address literal if a relay could not resolve it.
pub(super) fn default_ehlo_name(public_url: &str) -> String {
    let host = host_of(public_url);
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => format!("[{ip}]"),
        Ok(IpAddr::V6(ip)) => format!("[IPv6:{ip}]"),
        Err(_) if is_localhost(public_url) => "[127.0.0.1]".to_owned(),
        Err(_) => domain(host).unwrap_or_else(|| "[127.0.0.1]".to_owned()),
    }
}

/// A label of a domain name.
fn is_label(label: &str) -> bool {
    let good = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    good && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
}

/// A selector of RFC 6376 §3.1: labels of a domain name.
pub(super) fn selector(text: &str) -> Option<String> {
    (text.len() <= 128 && text.split('.').all(is_label)).then(|| text.to_owned())
}

/// A URL that the database driver accepts, with its port and parameters.
pub(super) fn database_url(text: &str) -> Result<Secret, &'static str> {
    let url = url_of(text, &["postgres", "postgresql"])?;
    text.parse::<sqlx::postgres::PgConnectOptions>().map_err(|_| {
        "the port must be a number, sslmode one of disable, allow, prefer, require, verify-ca and verify-full, and \
         special characters in user and password percent-encoded (@ is %40, / is %2F)"
    })?;
    Ok(url)
}

pub(super) fn url_of(text: &str, schemes: &[&str]) -> Result<Secret, &'static str> {
    let (scheme, rest) = text.split_once("://").ok_or("it is not a URL")?;
    if !schemes.contains(&scheme) {
        return Err("its scheme is another");
    }
    if rest.is_empty() || rest.starts_with('/') {
        return Err("it names no host");
    }
    Ok(Secret::new(text))
}

/// `info`, or `info,sqlx=warn`: a level for all, and others for modules.
pub(super) fn levels(text: &str) -> Option<String> {
    let is_level = |level: &str| {
        ["off", "error", "warn", "info", "debug", "trace"]
            .iter()
            .any(|known| level.eq_ignore_ascii_case(known))
    };
    let good = text.split(',').all(|part| match part.rsplit_once('=') {
        Some((module, level)) => !module.is_empty() && is_level(level),
        None => is_level(part),
    });
    good.then(|| text.to_owned())
}

/// `scheme://host[:port][/path]`, without a trailing slash, a query or a user.
pub(super) fn origin_with_path(text: &str) -> Option<String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let plain = rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~:/[]%".contains(&b));
    (plain && !rest.is_empty() && !rest.starts_with('/') && !rest.ends_with('/')).then(|| text.to_owned())
}

pub(super) fn origin(text: &str) -> Option<String> {
    origin_with_path(text).filter(|url| url.matches('/').count() == 2)
}

/// The host of a URL, without the brackets of an IPv6 address.
pub(super) fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or(rest);
    match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(v6),
        None => authority.split(':').next().unwrap_or(authority),
    }
}

pub(super) fn is_localhost(url: &str) -> bool {
    let host = host_of(url);
    host == "localhost" || host == "127.0.0.1" || host == "::1" || host.ends_with(".localhost")
}
