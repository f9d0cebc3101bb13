//! Settings of log and traces, read from the environment by the programs.

use std::fmt;
use std::str::FromStr;

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// Human-readable text.
    Human,
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "json",
            Self::Human => "human",
        })
    }
}

impl FromStr for LogFormat {
    type Err = InvalidSetting;

    fn from_str(text: &str) -> Result<Self, InvalidSetting> {
        match text {
            "json" => Ok(Self::Json),
            "human" => Ok(Self::Human),
            _ => Err(InvalidSetting),
        }
    }
}

/// Settings of the log and of the traces.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Log filter: a level, or levels per module such as `info,sqlx=warn`.
    pub log_filter: String,
    /// How log lines are written.
    pub log_format: LogFormat,
    /// The OTLP collector; `None`: spans stay in the process.
    pub collector: Option<HttpEndpoint>,
    /// Share of traces that are recorded, 0 to 1.
    pub sample_ratio: f64,
}

/// The text is not a valid value of this setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidSetting;

/// The address of a collector, `http://host[:port][/path]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpEndpoint {
    authority: String,
    path: String,
}

impl HttpEndpoint {
    /// The default port of OTLP over HTTP.
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
}

impl FromStr for HttpEndpoint {
    type Err = InvalidSetting;

    fn from_str(text: &str) -> Result<Self, InvalidSetting> {
        let rest = text.strip_prefix("http://").ok_or(InvalidSetting)?;
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let plain = |part: &str| part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~:/[]%".contains(&b));
        if host.is_empty() || !plain(rest) {
            return Err(InvalidSetting);
        }
        let with_port = host.rsplit_once(':').filter(|(_, port)| !port.ends_with(']'));
        let authority = match with_port {
            Some((name, port)) if !name.is_empty() && port.parse::<u16>().is_ok() => host.to_owned(),
            Some(_) => return Err(InvalidSetting),
            None => format!("{host}:{}", Self::PORT),
        };
        Ok(Self { authority, path: path.trim_end_matches('/').to_owned() })
    }
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
            let endpoint: HttpEndpoint = text.parse().unwrap();
            assert_eq!((endpoint.authority(), endpoint.path()), (authority, path), "{text}");
        }
    }

    #[test]
    fn an_address_that_is_not_plain_http_is_refused() {
        for text in
            ["", "collector:4318", "https://collector", "http://", "http://:1", "http://a:b", "http://a b"]
        {
            assert_eq!(text.parse::<HttpEndpoint>(), Err(InvalidSetting), "{text}");
        }
    }
}
