//! Compares the history with the events that programs received: from the feed, and by webhooks.

use std::collections::{BTreeMap, BTreeSet};

use punctual_testkit::webhook_receiver::Received;
use serde_json::Value;
use sqlx::PgPool;

use super::Violation;

/// One request that an endpoint received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// Its `webhook-id`.
    pub id: String,
    /// Its body.
    pub body: String,
}

impl From<&Received> for Pushed {
    fn from(request: &Received) -> Self {
        Self {
            id: request.header("webhook-id").to_owned(),
            body: String::from_utf8_lossy(&request.body).into_owned(),
        }
    }
}

/// What a good endpoint received.
#[derive(Debug, Clone, Default)]
pub struct EndpointObservations {
    /// The type of event that it is told of; none: all.
    pub event_type: Option<&'static str>,
    /// The requests.
    pub pushed: Vec<Pushed>,
}

/// The events that programs received since their endpoints were made.
#[derive(Debug, Clone, Default)]
pub struct WebhookObservations {
    /// The good endpoints.
    pub endpoints: Vec<EndpointObservations>,
    /// The events of the feed.
    pub fed: Vec<Value>,
    /// Requests at the target of a redirect.
    pub trapped: usize,
}

/// How many requests were compared, and how many of them were copies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// All.
    pub pushed: usize,
    /// Those that repeat the id of an earlier one.
    pub copies: usize,
}

/// What a booking's event says: its id, and booking, revision and type.
type Change = (String, String, i64, String);

/// Compares the history with the feed, and the feed with what each good endpoint received. Bookings must have been made
/// after the endpoints.
///
/// # Errors
/// Those of the database.
pub async fn compare_webhooks(
    pool: &PgPool,
    told: &WebhookObservations,
) -> Result<(Counted, Vec<Violation>), sqlx::Error> {
    let mut violations = Vec::new();
    let mut broken = |rule, what: String| violations.push(Violation { rule, what });
    let history: BTreeSet<Change> = sqlx::query_as(HISTORY).fetch_all(pool).await?.into_iter().collect();
    let fed: BTreeSet<Change> = told.fed.iter().filter_map(change).collect();
    for missing in history.difference(&fed) {
        broken("a change of a booking is not in the feed", format!("{missing:?}"));
    }
    for extra in fed.difference(&history) {
        broken("the feed tells of a change that did not happen", format!("{extra:?}"));
    }
    let mut events: BTreeMap<&str, Value> = BTreeMap::new();
    for event in &told.fed {
        let mut body = event.clone();
        body.as_object_mut().map(|fields| fields.remove("id"));
        if events.insert(event["id"].as_str().unwrap_or_default(), body).is_some() {
            broken("the feed tells of an event twice", event["id"].to_string());
        }
    }
    let mut counted = Counted::default();
    for (number, EndpointObservations { event_type, pushed }) in told.endpoints.iter().enumerate() {
        let wanted = |event: &Value| event_type.is_none_or(|wanted| event["type"] == wanted);
        counted.pushed += pushed.len();
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        for Pushed { id, body } in pushed {
            match seen.insert(id, body) {
                Some(first) if first == body => counted.copies += 1,
                Some(_) => broken("copies of a webhook differ", format!("{id} at endpoint {number}")),
                None => {
                    let same = events.get(id.as_str()).is_some_and(|event| {
                        let same = serde_json::from_str::<Value>(body).is_ok_and(|body| body == *event);
                        same && wanted(event)
                    });
                    if !same {
                        let what = format!("{id} at endpoint {number}: {body}");
                        broken("a webhook tells other than the feed", what);
                    }
                }
            }
        }
        let events = events.iter().filter(|(_, event)| wanted(event));
        for (lost, _) in events.filter(|(id, _)| !seen.contains_key(*id)) {
            broken("a good endpoint was not told of an event", format!("{lost} at endpoint {number}"));
        }
    }
    if told.trapped > 0 {
        broken("a redirect was followed", format!("{} requests", told.trapped));
    }
    Ok((counted, violations))
}

/// A booking's event; `None` for others.
fn change(event: &Value) -> Option<Change> {
    let booking = event["data"].get("booking")?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Some((text(&event["id"])?, text(&booking["id"])?, booking["rev"].as_i64()?, text(&event["type"])?))
}

/// The history without holds, which are no events.
const HISTORY: &str = "
    SELECT 'evt_' || id, booking_id::text, rev::bigint,
           'booking.' || CASE change WHEN 'booked' THEN 'created' ELSE change END
    FROM booking_events
    WHERE status <> 'held' AND NOT (change = 'expired' AND EXISTS (
        SELECT FROM booking_events AS b WHERE b.booking_id = booking_events.booking_id AND b.rev = booking_events.rev - 1
          AND b.status = 'held'))";
