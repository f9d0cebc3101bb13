use chrono::{DateTime, Utc};
use poem_openapi::{Enum, Object};
use punctual_core::api_keys::{self, Area, Right, Scope};
use punctual_core::types::Page;
use serde::Serialize;
use uuid::Uuid;

use crate::http::values::PageCursor;

/// What an API key may do: an area, and read or write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum, Serialize)]
pub enum ApiKeyScope {
    /// Read bookings.
    #[oai(rename = "bookings:read")]
    #[serde(rename = "bookings:read")]
    BookingsRead,
    /// Read and write bookings and holds.
    #[oai(rename = "bookings:write")]
    #[serde(rename = "bookings:write")]
    BookingsWrite,
    /// Read services, staff, hours, closures, the business and free slots.
    #[oai(rename = "catalogue:read")]
    #[serde(rename = "catalogue:read")]
    CatalogueRead,
    /// Read and write services, hours, time off, photos and closures.
    #[oai(rename = "catalogue:write")]
    #[serde(rename = "catalogue:write")]
    CatalogueWrite,
    /// Read customers.
    #[oai(rename = "customers:read")]
    #[serde(rename = "customers:read")]
    CustomersRead,
    /// Read, change, merge and erase customers.
    #[oai(rename = "customers:write")]
    #[serde(rename = "customers:write")]
    CustomersWrite,
    /// Read the feed of events.
    #[oai(rename = "events:read")]
    #[serde(rename = "events:read")]
    EventsRead,
    /// Read webhook endpoints and their deliveries.
    #[oai(rename = "webhooks:read")]
    #[serde(rename = "webhooks:read")]
    WebhooksRead,
    /// Read and write webhook endpoints, and replay deliveries.
    #[oai(rename = "webhooks:write")]
    #[serde(rename = "webhooks:write")]
    WebhooksWrite,
}

/// An API key, without the key itself.
#[derive(Debug, Object, Serialize)]
pub struct ApiKey {
    /// Its id, which is a part of the key: `pk_<id>_<secret>`.
    pub id: Uuid,
    /// What it is for.
    #[oai(validator(max_length = 200))]
    pub name: String,
    /// What it may do.
    #[oai(validator(max_items = 20))]
    pub scopes: Vec<ApiKeyScope>,
    /// When it expires; absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, exact to a minute; absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked; absent: not revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A page of API keys.
#[derive(Debug, Object, Serialize)]
pub struct ApiKeys {
    /// The newest first.
    #[oai(validator(max_items = 100))]
    pub data: Vec<ApiKey>,
    /// Pass it as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<PageCursor>,
}

/// A new API key.
#[derive(Debug, Object, Serialize)]
pub struct ApiKeyWithSecret {
    /// The key's data.
    pub api_key: ApiKey,
    /// The key: `pk_<id>_<secret>`. It is shown only in this answer.
    #[oai(validator(max_length = 100))]
    pub key: String,
}

impl From<Page<api_keys::ApiKey>> for ApiKeys {
    fn from(page: Page<api_keys::ApiKey>) -> Self {
        Self {
            data: page.data.into_iter().map(ApiKey::from).collect(),
            next_cursor: page.next_cursor.map(PageCursor),
        }
    }
}

impl From<api_keys::ApiKey> for ApiKey {
    fn from(key: api_keys::ApiKey) -> Self {
        Self {
            id: key.id,
            name: key.name,
            scopes: key.scopes.into_iter().filter_map(shown).collect(),
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
            revoked_at: key.revoked_at,
            created_at: key.created_at,
        }
    }
}

/// The scope as the API names it; the feed has no right to write.
fn shown(scope: Scope) -> Option<ApiKeyScope> {
    Some(match (scope.area, scope.right) {
        (Area::Bookings, Right::Read) => ApiKeyScope::BookingsRead,
        (Area::Bookings, Right::Write) => ApiKeyScope::BookingsWrite,
        (Area::Catalogue, Right::Read) => ApiKeyScope::CatalogueRead,
        (Area::Catalogue, Right::Write) => ApiKeyScope::CatalogueWrite,
        (Area::Customers, Right::Read) => ApiKeyScope::CustomersRead,
        (Area::Customers, Right::Write) => ApiKeyScope::CustomersWrite,
        (Area::Events, Right::Read) => ApiKeyScope::EventsRead,
        (Area::Webhooks, Right::Read) => ApiKeyScope::WebhooksRead,
        (Area::Webhooks, Right::Write) => ApiKeyScope::WebhooksWrite,
        (Area::Events, Right::Write) => return None,
    })
}

impl From<ApiKeyScope> for Scope {
    fn from(scope: ApiKeyScope) -> Self {
        let (area, right) = match scope {
            ApiKeyScope::BookingsRead => (Area::Bookings, Right::Read),
            ApiKeyScope::BookingsWrite => (Area::Bookings, Right::Write),
            ApiKeyScope::CatalogueRead => (Area::Catalogue, Right::Read),
            ApiKeyScope::CatalogueWrite => (Area::Catalogue, Right::Write),
            ApiKeyScope::CustomersRead => (Area::Customers, Right::Read),
            ApiKeyScope::CustomersWrite => (Area::Customers, Right::Write),
            ApiKeyScope::EventsRead => (Area::Events, Right::Read),
            ApiKeyScope::WebhooksRead => (Area::Webhooks, Right::Read),
            ApiKeyScope::WebhooksWrite => (Area::Webhooks, Right::Write),
        };
        Self { area, right }
    }
}
