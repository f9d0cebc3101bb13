//! The document's `x-webhooks`: each event as it is posted, with its schema and an example rendered like deliveries.

use chrono::{DateTime, FixedOffset};
use punctual_core::{
    bookings::BookingStatus,
    changes::{BookingState, Event, EventActor, EventType, Place, Position, Subject},
    types::ActorKind,
    webhooks::payload,
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// One entry for each type of event.
#[must_use]
pub fn webhook_catalogue() -> Value {
    EventType::ALL.iter().map(|event_type| (event_type.as_str().to_owned(), entry(*event_type))).collect()
}

fn entry(event_type: EventType) -> Value {
    let header = |name: &str, description: &str| json!({ "name": name, "in": "header", "required": true, "description": description, "schema": { "type": "string" } });
    json!({ "post": {
        "summary": event_type.as_str(),
        "description": event_type.meaning(),
        "tags": ["Events"],
        "parameters": [
            header("webhook-id", "The event's id: the same on every attempt and replay, and in the feed."),
            header("webhook-timestamp", "Unix time of the attempt."),
            header("webhook-signature", "`v1,` and base64 of HMAC-SHA256 of `id.timestamp.body`; for 24 hours after a \
                                         rotation two, separated by a space."),
        ],
        "requestBody": {
            "required": true,
            "content": { "application/json": { "schema": schema(event_type), "example": payload(&sample(event_type), None) } }
        },
        "responses": {
            "2XX": { "description": "Delivered." },
            "410": { "description": "Nothing more is posted to the endpoint." },
            "default": { "description": "The event is posted again later." }
        }
    }})
}

fn schema(event_type: EventType) -> Value {
    let data = data_of(event_type);
    let required: Vec<&str> = data.iter().map(|(name, _)| *name).collect();
    let mut properties: Map<String, Value> =
        data.iter().map(|(name, schema)| ((*name).to_owned(), reference(schema))).collect();
    if required.contains(&"booking") {
        properties.insert("customer".to_owned(), customer());
    }
    let mut data = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        data["required"] = json!(required);
    }
    json!({
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": { "type": "string", "enum": [event_type.as_str()] },
            "timestamp": { "type": "string", "format": "date-time", "description": "When, in the business's time zone." },
            "data": data
        }
    })
}

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

/// What `data` always has, with its schemas.
fn data_of(event_type: EventType) -> Vec<(&'static str, &'static str)> {
    match event_type.as_str().split('.').next() {
        Some("booking") if event_type == EventType::BookingRescheduled => {
            vec![("booking", "EventBooking"), ("previous", "EventPlace"), ("actor", "EventActor")]
        }
        Some("booking") => vec![("booking", "EventBooking"), ("actor", "EventActor")],
        Some("customer") => vec![("customer", "EventSubject")],
        Some("service") => vec![("service", "EventSubject")],
        Some("staff") => vec![("staff", "EventSubject")],
        _ => Vec::new(),
    }
}

fn customer() -> Value {
    json!({
        "type": "object",
        "description": "For endpoints with `include_customer`: who booked, as they stand when the event is posted.",
        "required": ["id", "name"],
        "properties": {
            "id": { "type": "string", "format": "uuid" },
            "name": { "type": "string" },
            "email": { "type": "string", "nullable": true },
            "phone": { "type": "string", "nullable": true }
        }
    })
}

/// An event of the type.
fn sample(event_type: EventType) -> Event {
    let id = |number: u128| Uuid::from_u128(0x0196_a1f0_7c1e_7000_8000_0000_0000_0000 + number);
    let at = |text: &str| -> DateTime<FixedOffset> { text.parse().unwrap_or_default() };
    let status = match event_type {
        EventType::BookingDeclined => BookingStatus::Declined,
        EventType::BookingCancelled => BookingStatus::Cancelled,
        EventType::BookingExpired => BookingStatus::Expired,
        EventType::BookingCompleted => BookingStatus::Completed,
        EventType::BookingNoShow => BookingStatus::NoShow,
        _ => BookingStatus::Confirmed,
    };
    let is_move = event_type == EventType::BookingRescheduled;
    let start = if is_move { "2027-05-04T11:00:00+02:00" } else { "2027-05-04T10:00:00+02:00" };
    let end = if is_move { "2027-05-04T12:00:00+02:00" } else { "2027-05-04T11:00:00+02:00" };
    let booking = BookingState {
        id: id(0),
        rev: if event_type == EventType::BookingCreated { 1 } else { 2 },
        status,
        service_id: id(1),
        staff_id: id(2),
        start: at(start),
        end: at(end),
        series_id: None,
    };
    let previous = is_move.then(|| Place { start: at("2027-05-04T10:00:00+02:00"), staff_id: id(2) });
    let by = |kind, id| Some(EventActor { kind, id });
    let (subject, actor) = match event_type.as_str().split('.').next() {
        Some("booking") => {
            let actor = match event_type {
                EventType::BookingExpired => by(ActorKind::System, None),
                EventType::BookingCreated | EventType::BookingRescheduled | EventType::BookingCancelled => {
                    by(ActorKind::Customer, Some(id(3)))
                }
                _ => by(ActorKind::Staff, Some(id(4))),
            };
            (Subject::Booking { booking, previous }, actor)
        }
        Some("customer") => (Subject::Customer(id(5)), None),
        Some("service") => (Subject::Service(id(1)), None),
        Some("staff") => (Subject::Staff(id(2)), None),
        Some("business") => (Subject::Business, None),
        _ => (Subject::Test, None),
    };
    let position = Position { xid: 7421, id: 1289 };
    Event { position, event_type, at: at("2027-05-03T08:00:00+02:00"), subject, actor }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_has_what_its_schema_requires_and_nothing_that_it_does_not_know() {
        let catalogue = webhook_catalogue();
        assert_eq!(catalogue.as_object().unwrap().len(), EventType::ALL.len());
        for (name, entry) in catalogue.as_object().unwrap() {
            let content = &entry["post"]["requestBody"]["content"]["application/json"];
            let (schema, example) = (&content["schema"]["properties"], &content["example"]);
            assert_eq!(example["type"], name.as_str());
            assert_eq!(schema["type"]["enum"][0], name.as_str());
            let known = schema["data"]["properties"].as_object().unwrap();
            let data = example["data"].as_object().unwrap();
            assert!(data.keys().all(|key| known.contains_key(key)), "{name}");
            for required in schema["data"]["required"].as_array().into_iter().flatten() {
                assert!(data.contains_key(required.as_str().unwrap()), "{name} {required}");
            }
            assert!(entry["post"]["description"].as_str().unwrap().ends_with('.'), "{name}");
        }
    }

    #[test]
    fn the_sample_that_the_examples_verify_is_of_the_catalogue() {
        let sample: Value =
            serde_json::from_str(include_str!("../../../openapi/webhooks/delivery.json")).unwrap();
        let body: Value = serde_json::from_str(sample["body"].as_str().unwrap()).unwrap();
        let entry = webhook_catalogue();
        let content = &entry["booking.rescheduled"]["post"]["requestBody"]["content"]["application/json"];
        assert_eq!(content["example"], body);
    }
}
