use chrono::{DateTime, Utc};
use poem_openapi::{Enum, Object};
use punctual_core::{
    types::Page,
    webhooks::{self, Endpoint, EndpointSecrets},
};
use serde::Serialize;
use uuid::Uuid;

use super::EventType;
use crate::http::values::{HookUrl, PageCursor, ReasonText};

/// Whether events are delivered to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, Serialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum WebhookStatus {
    /// Events are delivered.
    Active,
    /// An administrator stopped it. It continues from its position in the feed when it is active again.
    Paused,
    /// It failed for five days without a success. It continues from its position in the feed when it is active again.
    Disabled,
    /// It answered 410.
    Gone,
}

/// A program that receives events.
#[derive(Debug, Object, Serialize)]
pub struct WebhookEndpoint {
    /// Its id.
    pub id: Uuid,
    /// Where events are posted.
    pub url: HookUrl,
    /// What it is for.
    pub description: ReasonText,
    /// Event types it receives; empty: all.
    #[oai(validator(max_items = 20))]
    pub types: Vec<EventType>,
    /// Whether it receives the name and contact of a booking's customer.
    pub include_customer: bool,
    /// Whether it receives events.
    pub status: WebhookStatus,
    /// First failure since the last success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<DateTime<Utc>>,
    /// The revision, for `If-Match`.
    #[oai(validator(minimum(value = "1")))]
    pub rev: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Last change.
    pub updated_at: DateTime<Utc>,
}

/// All webhook endpoints.
#[derive(Debug, Object, Serialize)]
pub struct WebhookEndpoints {
    /// The oldest first.
    #[oai(validator(max_items = 1000))]
    pub data: Vec<WebhookEndpoint>,
}

/// The secret that signs deliveries.
#[derive(Debug, Object, Serialize)]
pub struct WebhookSecret {
    /// `whsec_` and base64 of 32 bytes, as libraries of Standard Webhooks expect it. It is shown only in this answer.
    #[oai(validator(max_length = 64))]
    pub secret: String,
}

/// A new endpoint and its secret.
#[derive(Debug, Object, Serialize)]
pub struct WebhookWithSecret {
    /// The endpoint.
    pub endpoint: WebhookEndpoint,
    /// `whsec_` and base64 of 32 bytes, as libraries of Standard Webhooks expect it. It is shown only in this answer.
    #[oai(validator(max_length = 64))]
    pub secret: String,
}

/// The status of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, Serialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// Not yet answered with 2xx.
    Pending,
    /// Answered with 2xx.
    Delivered,
    /// Given up after the last attempt, or because the endpoint was stopped. Can be replayed.
    Failed,
}

/// One event for one endpoint.
#[derive(Debug, Object, Serialize)]
pub struct Delivery {
    /// Its id.
    pub id: Uuid,
    /// The event's id: `webhook-id` on every attempt and replay.
    #[oai(validator(max_length = 24))]
    pub event_id: String,
    /// The event's type.
    pub event_type: EventType,
    /// The booking of a booking's event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booking_id: Option<Uuid>,
    /// Its status.
    pub status: DeliveryStatus,
    /// How often it was posted.
    #[oai(validator(minimum(value = "0")))]
    pub attempts: i32,
    /// HTTP status of the last answer; absent if there was none.
    #[oai(validator(minimum(value = "100"), maximum(value = "999")))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_code: Option<i32>,
    /// Beginning of the last answer's body, at most 1 KB. Not stored if the body contained the customer.
    #[oai(validator(max_length = 1024))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Why the last attempt failed.
    #[oai(validator(max_length = 200))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Milliseconds of the last attempt that was answered.
    #[oai(validator(minimum(value = "0")))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<i32>,
    /// When the last attempt was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempted_at: Option<DateTime<Utc>>,
    /// When the event was taken from the feed.
    pub created_at: DateTime<Utc>,
    /// The posted body, without the customer; only when a single delivery is read.
    #[oai(validator(max_length = 20000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
}

/// A page of deliveries.
#[derive(Debug, Object, Serialize)]
pub struct DeliveryPage {
    /// The newest first.
    #[oai(validator(max_items = 100))]
    pub data: Vec<Delivery>,
    /// Pass it as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<PageCursor>,
}

impl From<webhooks::EndpointStatus> for WebhookStatus {
    fn from(status: webhooks::EndpointStatus) -> Self {
        match status {
            webhooks::EndpointStatus::Active => Self::Active,
            webhooks::EndpointStatus::Paused => Self::Paused,
            webhooks::EndpointStatus::Disabled => Self::Disabled,
            webhooks::EndpointStatus::Gone => Self::Gone,
        }
    }
}

impl From<Endpoint> for WebhookEndpoint {
    fn from(endpoint: Endpoint) -> Self {
        Self {
            id: endpoint.id,
            url: HookUrl(endpoint.url),
            description: ReasonText(endpoint.description),
            types: endpoint.types.into_iter().map(EventType::from).collect(),
            include_customer: endpoint.include_customer,
            status: endpoint.status.into(),
            failing_since: endpoint.failing_since,
            rev: endpoint.rev.0,
            created_at: endpoint.created_at,
            updated_at: endpoint.updated_at,
        }
    }
}

impl From<EndpointSecrets> for WebhookSecret {
    fn from(secrets: EndpointSecrets) -> Self {
        Self { secret: secrets.display() }
    }
}

impl From<webhooks::DeliveryStatus> for DeliveryStatus {
    fn from(status: webhooks::DeliveryStatus) -> Self {
        match status {
            webhooks::DeliveryStatus::Pending => Self::Pending,
            webhooks::DeliveryStatus::Delivered => Self::Delivered,
            webhooks::DeliveryStatus::Failed => Self::Failed,
        }
    }
}

impl From<DeliveryStatus> for webhooks::DeliveryStatus {
    fn from(status: DeliveryStatus) -> Self {
        match status {
            DeliveryStatus::Pending => Self::Pending,
            DeliveryStatus::Delivered => Self::Delivered,
            DeliveryStatus::Failed => Self::Failed,
        }
    }
}

impl From<webhooks::Delivery> for Delivery {
    fn from(delivery: webhooks::Delivery) -> Self {
        Self {
            id: delivery.id,
            event_id: delivery.public_id(),
            event_type: delivery.event_type.into(),
            booking_id: delivery.booking_id,
            status: delivery.status.into(),
            attempts: delivery.attempts,
            answer_code: delivery.answer_code,
            answer: delivery.answer,
            error: delivery.error,
            took_ms: delivery.took_ms,
            attempted_at: delivery.attempted_at,
            created_at: delivery.created_at,
            payload: None,
        }
    }
}

impl From<Page<webhooks::Delivery>> for DeliveryPage {
    fn from(page: Page<webhooks::Delivery>) -> Self {
        Self {
            data: page.data.into_iter().map(Delivery::from).collect(),
            next_cursor: page.next_cursor.map(PageCursor),
        }
    }
}
