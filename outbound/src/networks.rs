use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use url::{Host, Url};

/// Networks that are not the public internet, from the IANA special-purpose address registries (RFC 6890), and the
/// IPv6 ranges that carry an IPv4 address, which could lead to any of the former.
const NOT_PUBLIC: &[&str] = &[
    "0.0.0.0/8",       // this network
    "10.0.0.0/8",      // private
    "100.64.0.0/10",   // shared by carriers
    "127.0.0.0/8",     // loopback
    "169.254.0.0/16",  // link-local, metadata of cloud hosts
    "172.16.0.0/12",   // private
    "192.0.0.0/24",    // protocol assignments
    "192.0.2.0/24",    // documentation
    "192.88.99.0/24",  // 6to4 relays
    "192.168.0.0/16",  // private
    "198.18.0.0/15",   // benchmarks
    "198.51.100.0/24", // documentation
    "203.0.113.0/24",  // documentation
    "224.0.0.0/4",     // multicast
    "240.0.0.0/4",     // reserved, broadcast
    "::/96",           // unspecified, loopback, IPv4-compatible
    "::ffff:0:0/96",   // IPv4-mapped
    "::ffff:0:0:0/96", // IPv4-translated
    "64:ff9b::/96",    // NAT64
    "64:ff9b:1::/48",  // NAT64, local
    "100::/64",        // discard
    "2001::/23",       // protocol assignments, Teredo
    "2001:db8::/32",   // documentation
    "2002::/16",       // 6to4
    "3fff::/20",       // documentation
    "5f00::/16",       // segment routing
    "fc00::/7",        // unique local
    "fe80::/10",       // link-local
    "fec0::/10",       // site-local, deprecated
    "ff00::/8",        // multicast
];

/// Why a URL is not requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The text is not an absolute URL with a host.
    #[error("not an absolute URL with a host")]
    NotAUrl,
    /// The scheme is neither https nor, for the private networks that are allowed, http.
    #[error("the scheme must be https")]
    Scheme,
    /// The URL carries a user name or a password.
    #[error("a URL with a user name or password is not allowed")]
    Credentials,
    /// An address of the host is private, loopback, link-local, multicast or reserved.
    #[error("the host leads to an address that is not public")]
    NotPublic,
}

/// Which addresses may be requested: all public ones, and the private networks that the operator lists.
#[derive(Debug, Clone)]
pub struct Networks {
    not_public: Vec<IpNet>,
    allowed: Vec<IpNet>,
}

impl Networks {
    /// Public addresses, and `allowed` in addition: networks in CIDR notation (RFC 4632).
    #[must_use]
    pub fn new(allowed: Vec<IpNet>) -> Self {
        // A constant list: a test reads each entry.
        let not_public = NOT_PUBLIC.iter().filter_map(|text| IpNet::from_str(text).ok()).collect();
        Self { not_public, allowed }
    }

    /// Whether a request over https may go to this address.
    #[must_use]
    pub fn permits(&self, address: IpAddr) -> bool {
        self.is_listed(address) || !self.not_public.iter().any(|net| net.contains(&address))
    }

    /// Whether the operator listed the address: then http without TLS is allowed too.
    #[must_use]
    pub fn is_listed(&self, address: IpAddr) -> bool {
        let plain = address.to_canonical();
        self.allowed.iter().any(|net| net.contains(&plain))
    }

    /// The URL of a target, checked as far as is possible without resolving its host.
    ///
    /// # Errors
    /// [`Refusal`] for another scheme, credentials, or a host that is an address which is not permitted.
    pub fn check(&self, text: &str) -> Result<Url, Refusal> {
        let url = Url::parse(text).map_err(|_| Refusal::NotAUrl)?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(Refusal::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::Credentials);
        }
        let plain = url.scheme() == "http";
        match url.host().ok_or(Refusal::NotAUrl)? {
            Host::Ipv4(address) => self.check_address(address.into(), plain)?,
            Host::Ipv6(address) => self.check_address(address.into(), plain)?,
            Host::Domain(_) if plain && self.allowed.is_empty() => return Err(Refusal::Scheme),
            Host::Domain(_) => {}
        }
        Ok(url)
    }

    /// Whether a request may go to this address; `plain` is http without TLS.
    pub(crate) fn check_address(&self, address: IpAddr, plain: bool) -> Result<(), Refusal> {
        if !self.permits(address) {
            return Err(Refusal::NotPublic);
        }
        if plain && !self.is_listed(address) { Err(Refusal::Scheme) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only_public() -> Networks {
        Networks::new(Vec::new())
    }

    #[test]
    fn every_network_of_the_list_is_read() {
        assert_eq!(only_public().not_public.len(), NOT_PUBLIC.len());
    }

    #[test]
    fn sixty_targets_inside_a_network_are_refused() {
        let hosts = [
            "127.0.0.1",
            "127.1",
            "127.0.1",
            "0",
            "0.0.0.0",
            "0.0.0.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "0x7f.0.0.0x1",
            "017700000001",
            "127.255.255.254",
            "10.0.0.1",
            "10.255.255.255",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "192.168.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "169.254.169.254",
            "169.254.170.2",
            "0xa9fea9fe",
            "2852039166",
            "192.0.0.1",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "[::]",
            "[::1]",
            "[0:0:0:0:0:0:0:1]",
            "[::127.0.0.1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::ffff:10.0.0.1]",
            "[::ffff:169.254.169.254]",
            "[::ffff:8.8.8.8]",
            "[::ffff:0:127.0.0.1]",
            "[64:ff9b::127.0.0.1]",
            "[64:ff9b::a9fe:a9fe]",
            "[64:ff9b:1::1]",
            "[100::1]",
            "[2001::1]",
            "[2001:10::1]",
            "[2001:db8::1]",
            "[2002:7f00:1::]",
            "[2002:a9fe:a9fe::1]",
            "[3fff::1]",
            "[5f00::1]",
            "[fc00::1]",
            "[fd00:ec2::254]",
            "[fd12:3456::1]",
            "[fe80::1]",
            "[febf::1]",
            "[fec0::1]",
            "[ff02::1]",
            "[ff0e::1]",
            "\u{ff11}\u{ff12}\u{ff17}.0.0.1",
            "127\u{3002}0\u{3002}0\u{3002}1",
            "\u{2460}\u{2461}\u{2466}.0.0.1",
            "127.0.0.1.",
            "0x7f000001.",
            "%31%32%37.0.0.1",
            "127.0.0.1:443",
            "127.0.0.1:22",
            "[::1]:8443",
        ];
        assert!(hosts.len() >= 60);
        for host in hosts {
            let refusal = only_public().check(&format!("https://{host}/hook"));
            assert_eq!(refusal.err(), Some(Refusal::NotPublic), "{host}");
        }
    }

    #[test]
    fn a_host_that_is_hidden_by_slashes_spaces_or_a_fragment_is_found() {
        for url in [
            "https:127.0.0.1/",
            "https:\\\\127.0.0.1\\",
            "https:////127.0.0.1/",
            " https://127.0.0.1/ ",
            "https://127.0.\n0.1/",
            "https://127.0.\t0.1/",
            "https://127.0.0.1\\@example.org/",
            "https://127.0.0.1#@example.org/",
            "https://127.0.0.1?@example.org/",
            "HTTPS://127.0.0.1/",
        ] {
            assert_eq!(only_public().check(url).err(), Some(Refusal::NotPublic), "{url:?}");
        }
        // Before the `@` is a user name, however much it looks like a host.
        for url in
            ["https://example.org@127.0.0.1/", "https://127.0.0.1@example.org/", "https://a:443@[::1]/"]
        {
            assert_eq!(only_public().check(url).err(), Some(Refusal::Credentials), "{url}");
        }
        for url in
            ["https://[::1%25lo]/", "https://[fe80::1%eth0]/", "https://127.0.0.256/", "https://0x/x.0x7g/"]
        {
            let refusal = only_public().check(url).err();
            assert!(refusal.is_some(), "{url}");
        }
    }

    #[test]
    fn public_targets_over_https_are_permitted() {
        for url in ["https://example.org/hook", "https://8.8.8.8/", "https://[2606:4700::1111]:8443/x?y=z"] {
            assert!(only_public().check(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn other_schemes_credentials_and_half_urls_are_refused() {
        let refused = |url: &str| only_public().check(url).err();
        for url in
            ["http://example.org/", "ftp://example.org/", "file:///etc/passwd", "gopher://example.org/"]
        {
            assert_eq!(refused(url), Some(Refusal::Scheme), "{url}");
        }
        for url in ["https://me@example.org/", "https://:secret@example.org/"] {
            assert_eq!(refused(url), Some(Refusal::Credentials), "{url}");
        }
        for url in ["", "/hook", "example.org", "https://", "https://exa mple.org/"] {
            assert_eq!(refused(url), Some(Refusal::NotAUrl), "{url}");
        }
    }

    #[test]
    fn a_listed_network_is_permitted_also_without_tls_and_no_other_is() {
        let networks = Networks::new(vec!["10.1.0.0/16".parse().unwrap()]);
        assert!(networks.check("http://10.1.2.3:9000/hook").is_ok());
        assert!(networks.check("https://10.1.2.3/hook").is_ok());
        assert_eq!(networks.check("http://10.2.0.1/").err(), Some(Refusal::NotPublic));
        assert_eq!(networks.check("http://8.8.8.8/").err(), Some(Refusal::Scheme));
        assert!(networks.permits("::ffff:10.1.2.3".parse().unwrap()));
    }
}
