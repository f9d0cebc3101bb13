//! The client's address: the peer's, unless that is a trusted proxy that reports another one.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use poem::{Addr, Request, http::HeaderMap};
use punctual_core::config::Network;

/// The client's address, for limits; never logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress(pub Option<IpAddr>);

/// The last address that no trusted proxy added: hops are read from the end while they are trusted proxies, up to the first
/// that cannot be parsed. `Forwarded` (RFC 7239) takes precedence over `X-Forwarded-For`.
pub fn client(request: &Request, trusted: &[Network]) -> ClientAddress {
    let peer = match &request.remote_addr().0 {
        Addr::SocketAddr(address) => Some(address.ip().to_canonical()),
        _ => None,
    };
    ClientAddress(peer.map(|peer| resolve(peer, &hops(request.headers()), trusted)))
}

/// The hops in the order in which proxies added them; `None` for one that cannot be parsed.
fn hops(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let mut hops = Vec::new();
    if headers.contains_key("forwarded") {
        for value in headers.get_all("forwarded") {
            match value.to_str() {
                Ok(text) => hops.extend(split_outside_quotes(text, ',').into_iter().map(forwarded_for)),
                Err(_) => hops.push(None),
            }
        }
    } else {
        for value in headers.get_all("x-forwarded-for") {
            match value.to_str() {
                Ok(text) => hops.extend(text.split(',').map(|hop| address(hop.trim()))),
                Err(_) => hops.push(None),
            }
        }
    }
    hops
}

fn resolve(peer: IpAddr, hops: &[Option<IpAddr>], trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut client = peer;
    for hop in hops.iter().rev() {
        let Some(address) = hop.filter(|_| is_trusted(client)) else { break };
        client = address;
    }
    client
}

/// The `for` of one element of `Forwarded`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut pairs = split_outside_quotes(element, ';').into_iter().filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    let value = value.trim();
    let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    address(value)
}

/// `address`, `address:port`, `v6`, `[v6]` or `[v6]:port`.
fn address(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(address.ip().to_canonical());
    }
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    inner.parse::<Ipv6Addr>().ok().map(|address| IpAddr::V6(address).to_canonical())
}

fn split_outside_quotes(text: &str, separator: char) -> Vec<&str> {
    let (mut quoted, mut from, mut parts) = (false, 0, Vec::new());
    for (at, c) in text.char_indices() {
        if c == '"' {
            quoted = !quoted;
        } else if c == separator && !quoted {
            parts.push(&text[from..at]);
            from = at + 1;
        }
    }
    parts.push(&text[from..]);
    parts
}

#[cfg(test)]
mod tests {
    use poem::http::{HeaderName, HeaderValue};

    use super::*;

    fn of(peer: &str, name: &'static str, values: &[&[u8]]) -> String {
        let trusted: Vec<Network> = vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap());
        }
        resolve(peer.parse().unwrap(), &hops(&headers), &trusted).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let of = |peer, values: &[&[u8]]| of(peer, "x-forwarded-for", values);
        assert_eq!(of("203.0.113.5", &[b"198.51.100.1"]), "203.0.113.5");
        assert_eq!(of("10.0.0.1", &[b"198.51.100.1"]), "198.51.100.1");
        assert_eq!(of("10.0.0.1", &[b"6.6.6.6, 198.51.100.1, 10.0.0.2"]), "198.51.100.1");
        assert_eq!(of("10.0.0.1", &[b"6.6.6.6", b"198.51.100.1"]), "198.51.100.1");
        assert_eq!(of("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(of("::ffff:10.0.0.1", &[b"::ffff:198.51.100.1"]), "198.51.100.1");
    }

    #[test]
    fn an_address_is_not_forged_past_a_hop_that_cannot_be_read() {
        let of = |values: &[&[u8]]| of("10.0.0.1", "x-forwarded-for", values);
        assert_eq!(of(&[b"198.51.100.1, nonsense"]), "10.0.0.1");
        assert_eq!(of(&[b"6.6.6.6", b"\xff"]), "10.0.0.1");
        assert_eq!(of(&[b"6.6.6.6", b"\xff, 10.0.0.9"]), "10.0.0.1");
        assert_eq!(of(&[b"6.6.6.6,"]), "10.0.0.1");
        assert_eq!(of(&[b"6.6.6.6, unknown, 10.0.0.2"]), "10.0.0.2");
    }

    #[test]
    fn a_hop_may_name_its_port() {
        let of = |value: &[u8]| of("10.0.0.1", "x-forwarded-for", &[value]);
        assert_eq!(of(b"198.51.100.1:4711"), "198.51.100.1");
        assert_eq!(of(b"[2001:db8::1]:4711"), "2001:db8::1");
        assert_eq!(of(b"[2001:db8::1]"), "2001:db8::1");
        assert_eq!(of(b"2001:db8::1"), "2001:db8::1");
        assert_eq!(of(b"198.51.100.1:x"), "10.0.0.1");
    }

    #[test]
    fn the_forwarded_field_is_read_where_it_is_sent() {
        let of = |values: &[&[u8]]| of("10.0.0.1", "forwarded", values);
        assert_eq!(of(&[b"for=198.51.100.1;proto=https;by=10.0.0.1"]), "198.51.100.1");
        assert_eq!(of(&[b"For=\"[2001:db8::1]:4711\""]), "2001:db8::1");
        assert_eq!(of(&[b"for=6.6.6.6, for=198.51.100.1;host=\"a,b\", for=10.0.0.2"]), "198.51.100.1");
        assert_eq!(of(&[b"for=6.6.6.6, for=_hidden"]), "10.0.0.1");
        assert_eq!(of(&[b"for=6.6.6.6, proto=https"]), "10.0.0.1");
    }
}
