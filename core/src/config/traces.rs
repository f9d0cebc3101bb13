use std::{io, path::Path};

use super::reader::Reader;

/// Where spans go, and how many.
#[derive(Debug, Clone, PartialEq)]
pub struct TracesConfig {
    /// The collector; `None`: spans stay in the process.
    pub collector: Option<HttpEndpoint>,
    /// Share of traces that are recorded, 0 to 1.
    pub ratio: f64,
}

/// An `http://host[:port][/path]` of a collector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpEndpoint {
    authority: String,
    path: String,
}

impl HttpEndpoint {
    /// The port that OTLP over HTTP has where none is named.
    const PORT: &str = "4318";

    /// Host and port.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Path, without a trailing slash; may be empty.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("http://")?;
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let plain = |part: &str| part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~:/[]%".contains(&b));
        if host.is_empty() || !plain(rest) {
            return None;
        }
        let named = host.rsplit_once(':').filter(|(_, port)| !port.ends_with(']'));
        let authority = match named {
            Some((name, port)) if !name.is_empty() && port.parse::<u16>().is_ok() => host.to_owned(),
            Some(_) => return None,
            None => format!("{host}:{}", Self::PORT),
        };
        Some(Self { authority, path: path.trim_end_matches('/').to_owned() })
    }
}

pub(super) fn read(r: &mut Reader<impl Fn(&Path) -> io::Result<String>>) -> Option<TracesConfig> {
    let collector = r.optional("PUNCTUAL_OTLP_ENDPOINT", "http://host:4318", HttpEndpoint::parse);
    let ratio = r.number("PUNCTUAL_TRACE_RATIO", 0.0..=1.0);
    Some(TracesConfig { collector, ratio: ratio? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_has_a_host_and_may_have_a_port_and_a_path() {
        for (text, authority, path) in [
            ("http://collector", "collector:4318", ""),
            ("http://collector:80/", "collector:80", ""),
            ("http://10.0.0.1:4318/otlp/", "10.0.0.1:4318", "/otlp"),
            ("http://[::1]", "[::1]:4318", ""),
            ("http://[::1]:9", "[::1]:9", ""),
        ] {
            let endpoint = HttpEndpoint::parse(text).unwrap();
            assert_eq!((endpoint.authority(), endpoint.path()), (authority, path), "{text}");
        }
    }

    #[test]
    fn what_is_no_collector_is_refused() {
        for text in
            ["", "collector:4318", "https://collector", "http://", "http://:1", "http://a:b", "http://a b"]
        {
            assert_eq!(HttpEndpoint::parse(text), None, "{text}");
        }
    }
}
