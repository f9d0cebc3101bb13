use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::changes::{EventType, Position};
use crate::types::{ParseError, Reason, Rev};
use crate::{Error, Result};

/// Whether events are delivered to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "webhook_status", rename_all = "snake_case")]
pub enum EndpointStatus {
    /// Events are delivered.
    Active,
    /// An administrator stopped it; it keeps its place in the feed.
    Paused,
    /// It failed for five days; it keeps its place in the feed.
    Disabled,
    /// It answered 410 Gone.
    Gone,
}

/// The URL of an endpoint: absolute, https (or http, which the worker allows for private networks only), without user
/// name, password or fragment, at most 2,048 characters.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(try_from = "String", into = "String")]
#[sqlx(transparent)]
pub struct WebhookUrl(String);

/// A program that receives events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its id.
    pub id: Uuid,
    /// Where events are posted.
    pub url: WebhookUrl,
    /// Description.
    pub description: Reason,
    /// The event types it receives; none: all.
    pub types: Vec<EventType>,
    /// Whether it receives the name and contact of a booking's customer.
    pub include_customer: bool,
    /// Whether it receives events.
    pub status: EndpointStatus,
    /// Its place in the feed.
    pub position: Position,
    /// First failure since the last success.
    pub failing_since: Option<DateTime<Utc>>,
    /// Its version.
    pub rev: Rev,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// Last change.
    pub updated_at: DateTime<Utc>,
}

impl WebhookUrl {
    /// Parses a URL. The worker checks at each attempt whether its host may be reached.
    ///
    /// # Errors
    /// `bad_url`.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let bad = |why| ParseError::new("bad_url", why);
        let text = text.trim();
        if text.len() > 2048 {
            return Err(bad("a URL has at most 2,048 characters"));
        }
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let rest =
            rest.filter(|_| plain).ok_or(bad("expected an absolute URL such as https://example.org/hook"))?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.is_empty() || authority.starts_with(':') {
            return Err(bad("the URL has no host"));
        }
        if authority.contains('@') {
            return Err(bad("a URL with a user name or password is not allowed"));
        }
        if rest.contains('#') {
            return Err(bad("a URL with a fragment is not allowed"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Host and port: the key of a circuit breaker.
    #[must_use]
    pub fn authority(&self) -> &str {
        let rest = self.0.split_once("://").map_or(self.0.as_str(), |(_, rest)| rest);
        rest.split(['/', '?']).next().unwrap_or_default()
    }
}

impl TryFrom<String> for WebhookUrl {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        Self::parse(&text)
    }
}

impl std::str::FromStr for WebhookUrl {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

impl From<WebhookUrl> for String {
    fn from(url: WebhookUrl) -> Self {
        url.0
    }
}

// A URL can contain a secret of its owner.
impl std::fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookUrl(…)")
    }
}

/// A row of `webhook_endpoints`.
pub(super) struct Row {
    pub id: Uuid,
    pub url: WebhookUrl,
    pub description: String,
    pub types: Vec<String>,
    pub include_customer: bool,
    pub status: EndpointStatus,
    pub cursor_xid: i64,
    pub cursor_id: i64,
    pub failing_since: Option<DateTime<Utc>>,
    pub rev: Rev,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Row {
    pub(super) fn endpoint(self) -> Result<Endpoint> {
        let stored = |error: ParseError| Error::internal("webhook_endpoints hold a bad value", error);
        let types = self.types.iter().map(|text| EventType::parse(text)).collect::<Result<_, _>>();
        Ok(Endpoint {
            id: self.id,
            url: self.url,
            description: Reason::parse(&self.description).map_err(stored)?,
            types: types.map_err(stored)?,
            include_customer: self.include_customer,
            status: self.status,
            position: Position { xid: self.cursor_xid, id: self.cursor_id },
            failing_since: self.failing_since,
            rev: self.rev,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

/// `SELECT` of [`Row`]s; what follows `FROM webhook_endpoints` is the caller's.
macro_rules! select_endpoints {
    ($tail:tt $(, $value:expr)* $(,)?) => {
        $crate::webhooks::endpoint::returning_endpoints!("SELECT" " FROM webhook_endpoints " $tail $(, $value)*)
    };
}
pub(super) use select_endpoints;

/// A statement that returns [`Row`]s: what comes before and after the list of columns.
macro_rules! returning_endpoints {
    ($before:tt $from:tt $tail:tt $(, $value:expr)* $(,)?) => {
        sqlx::query_as!(
            $crate::webhooks::endpoint::Row,
            $before + r#" id, url AS "url: _", description, types, include_customer, status AS "status: _",
                     cursor_xid::text::bigint AS "cursor_xid!", cursor_id, failing_since, rev AS "rev: _", created_at, updated_at"#
                + $from + $tail
            $(, $value)*
        )
    };
}
pub(super) use returning_endpoints;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_endpoints_are_absolute_and_carry_no_credentials() {
        let url = WebhookUrl::parse(" https://hooks.example.org:8443/a?b=c ").unwrap();
        assert_eq!(url.as_str(), "https://hooks.example.org:8443/a?b=c");
        assert_eq!(url.authority(), "hooks.example.org:8443");
        for text in [
            "",
            "/hook",
            "ftp://example.org/",
            "https://",
            "https://:8443/",
            "https:///x",
            "https://me:pw@example.org/",
            "https://example.org/#part",
            "https://exa mple.org/",
            "https://example.org/\u{fc}",
            "https://x\n.org/",
        ] {
            assert_eq!(WebhookUrl::parse(text).unwrap_err().code, "bad_url", "{text}");
        }
    }
}
