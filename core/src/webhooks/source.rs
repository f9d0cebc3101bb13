use std::collections::HashSet;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::changes::{self, Event, EventType, Position, Reference, Subject};
use crate::types::{ParseError, Zone};
use crate::{Error, Result};

/// What a delivery stores of its event.
pub(super) struct Source<'a> {
    /// The event's number.
    pub event_id: i64,
    /// The event's type.
    pub event_type: &'a str,
    /// The booking and its revision, of a booking's event.
    pub booking: Option<(Uuid, i32)>,
    /// When the delivery was made: the instant of a test event.
    pub created_at: DateTime<Utc>,
}

impl Source<'_> {
    /// The event's reference; `None` for a test event, which is not stored.
    pub(super) fn reference(&self) -> Result<Option<Reference>> {
        let stored = |error: ParseError| Error::internal("webhook_deliveries hold a bad type", error);
        if EventType::parse(self.event_type).map_err(stored)? == EventType::WebhookTest {
            return Ok(None);
        }
        Ok(Some(match self.booking {
            Some((id, rev)) => Reference::Booking { id, rev },
            None => Reference::Catalogue(self.event_id),
        }))
    }

    /// The event; `None` when it was removed.
    pub(super) async fn event(&self, conn: &mut PgConnection) -> Result<Option<Event>> {
        match self.reference()? {
            Some(reference) => {
                let mut found = changes::by_references(conn, &HashSet::from([reference])).await?;
                Ok(found.remove(&reference))
            }
            None => self.test_event(conn).await.map(Some),
        }
    }

    /// The event of a test delivery.
    pub(super) async fn test_event(&self, conn: &mut PgConnection) -> Result<Event> {
        let zone = sqlx::query_scalar!("SELECT zone FROM settings").fetch_optional(conn).await?;
        let zone = Zone::parse(zone.as_deref().unwrap_or("Etc/UTC"))
            .map_err(|error| Error::internal("settings hold a bad zone", error))?;
        Ok(Event {
            position: Position { xid: 0, id: self.event_id },
            event_type: EventType::WebhookTest,
            at: zone.at(self.created_at),
            subject: Subject::Test,
            actor: None,
        })
    }
}
