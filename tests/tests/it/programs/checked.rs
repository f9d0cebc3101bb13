//! The checker of chaos runs finds events that programs missed, received twice or received with wrong content.

use punctual_sim::checker::{Counted, EndpointObservations, Pushed, WebhookObservations, compare_webhooks};
use serde_json::Value;

use super::test_hooks::until_readable;
use crate::api::salon::Salon;

fn pushed(event: &Value) -> Pushed {
    let mut body = event.clone();
    body.as_object_mut().unwrap().remove("id");
    Pushed { id: event["id"].as_str().unwrap().to_owned(), body: body.to_string() }
}

#[tokio::test]
async fn an_event_that_was_lost_changed_or_made_up_is_named() {
    let salon = Salon::open(1).await;
    let (api, pool) = (&salon.api, salon.api.database.pool());
    let ada = api.somebody("customer").await;
    assert_eq!(api.create("/v1/bookings", Some(&ada), &salon.wish("10:00")).await.status, 201);
    until_readable(pool).await;
    let page = api.get("/v1/events?limit=100", Some(&salon.admin)).await;
    let fed = page.body["data"].as_array().unwrap().clone();
    let last = fed.len() - 1;
    let told = WebhookObservations {
        endpoints: vec![EndpointObservations {
            event_type: None,
            pushed: fed.iter().chain([&fed[0]]).map(pushed).collect(),
        }],
        fed: fed.clone(),
        trapped: 0,
    };
    let healthy = compare_webhooks(pool, &told).await.unwrap();
    assert_eq!(healthy, (Counted { pushed: fed.len() + 1, copies: 1 }, Vec::new()));

    let damaged = async |damage: &dyn Fn(&mut WebhookObservations)| {
        let mut told = told.clone();
        damage(&mut told);
        let (_, violations) = compare_webhooks(pool, &told).await.unwrap();
        violations.into_iter().map(|broken| broken.rule).collect::<Vec<_>>()
    };
    assert_eq!(
        damaged(&|told| drop(told.endpoints[0].pushed.remove(last))).await,
        ["a good endpoint was not told of an event"]
    );
    assert_eq!(
        damaged(&|told| told.endpoints[0].pushed.last_mut().unwrap().body.push(' ')).await,
        ["copies of a webhook differ"]
    );
    assert_eq!(
        damaged(&|told| told.endpoints[0].pushed[last].body = "{}".to_owned()).await,
        ["a webhook tells other than the feed"]
    );
    let others = damaged(&|told| told.endpoints[0].event_type = Some("booking.created")).await;
    assert!(others.iter().all(|rule| *rule == "a webhook tells other than the feed"), "{others:?}");
    assert!(!others.is_empty(), "this endpoint was told of the customer too");
    assert_eq!(damaged(&|told| told.trapped = 1).await, ["a redirect was followed"]);
    let missing = damaged(&|told| drop(told.fed.remove(last))).await;
    assert!(missing.contains(&"a change of a booking is not in the feed"), "{missing:?}");
    let twice = damaged(&|told| told.fed.push(told.fed[0].clone())).await;
    assert_eq!(twice, ["the feed tells of an event twice"]);
    let made_up = damaged(&|told| told.fed[last]["data"]["booking"]["rev"] = 7.into()).await;
    assert!(made_up.contains(&"the feed tells of a change that did not happen"), "{made_up:?}");
}
