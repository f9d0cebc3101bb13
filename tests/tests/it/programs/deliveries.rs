//! Webhooks that arrive.

use chrono::TimeDelta;
use punctual_core::types::ExpectedRev;
use punctual_core::webhooks::{self, DeliveryStatus};
use punctual_core::{bookings as use_cases, types::Actor};
use punctual_testkit::webhook_receiver::{Answering, WebhookReceiver};
use serde_json::json;

use super::test_hooks::{body, deliveries_that, endpoint, is_signed_by, keys, open, until_readable};
use crate::core::salon::tuesday;
use crate::mails::python::ask;

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_is_delivered_signed_and_without_a_person() {
    let Some(test) = open().await else { return };
    let receiver = WebhookReceiver::start().await;
    let (endpoint, secret) = endpoint(&test.salon, &receiver.url()).await;
    let booking = test.book(tuesday("10:00")).await;
    let posted = receiver.wait_for(1).await.remove(0);
    assert_eq!(posted.target, "POST /hook");
    assert_eq!(posted.header("content-type"), "application/json");
    assert!(is_signed_by(&posted, &secret));
    assert!(!is_signed_by(&posted, "whsec_AAAA"));
    assert_eq!(posted.header("webhook-timestamp"), test.now().timestamp().to_string());
    assert_eq!(
        body(&posted),
        json!({
            "type": "booking.created",
            "timestamp": "2027-05-01T10:00:00+02:00",
            "data": {
                "booking": {
                    "id": booking.id, "rev": 1, "status": "confirmed", "service_id": test.service,
                    "staff_id": test.salon.staff[0], "start": "2027-05-04T10:00:00+02:00",
                    "end": "2027-05-04T11:00:00+02:00"
                },
                "actor": { "kind": "customer", "id": test.customer.user_id() }
            }
        })
    );
    let delivered =
        |all: &[webhooks::Delivery]| all.iter().all(|one| one.status == DeliveryStatus::Delivered);
    let kept = deliveries_that(&test.salon, endpoint.id, |all| !all.is_empty() && delivered(all)).await;
    let one = kept.iter().find(|one| one.booking_id == Some(booking.id)).unwrap();
    assert_eq!((one.attempts, one.answer_code, one.error.as_deref()), (1, Some(204), None));
    assert_eq!(one.public_id(), posted.header("webhook-id"));
    let (_, payload) = webhooks::delivery(&test.salon.core.pool, endpoint.id, one.id).await.unwrap();
    assert_eq!(payload, Some(body(&posted)));
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_library_accepts_a_delivery() {
    const SCRIPT: &str = "import sys, json; from standardwebhooks import Webhook; import standardwebhooks.webhooks as w
secret, headers = sys.argv[1].split('\\n', 1)
headers = json.loads(headers)
# The test's clock is not this machine's: only the age of the request is left out.
Webhook._Webhook__verify_timestamp = lambda self, text: w.datetime.fromtimestamp(float(text), tz=w.timezone.utc)
print(Webhook(secret).verify(sys.stdin.read(), headers)['type'])";
    let Some(test) = open().await else { return };
    let receiver = WebhookReceiver::start().await;
    let (_, secret) = endpoint(&test.salon, &receiver.url()).await;
    test.book(tuesday("10:00")).await;
    let posted = receiver.wait_for(1).await.remove(0);
    test.close().await;
    let argument = format!("{secret}\n{}", json!(posted.headers));
    if let Some(said) = ask("standardwebhooks", SCRIPT, &argument, &posted.body) {
        assert_eq!(said, "booking.created");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_secret_and_the_one_before_both_sign_for_a_day() {
    let Some(test) = open().await else { return };
    let receiver = WebhookReceiver::start().await;
    let (endpoint, old) = endpoint(&test.salon, &receiver.url()).await;
    let (core, any) = (&test.salon.core, ExpectedRev::Any);
    let (_, secrets) = webhooks::rotate_secret(core, &keys(), endpoint.id, any).await.unwrap();
    let new = secrets.display();
    assert_ne!(old, new);
    test.book(tuesday("10:00")).await;
    let first = receiver.wait_for(1).await.remove(0);
    assert_eq!([&old, &new].map(|secret| is_signed_by(&first, secret)), [true, true]);
    test.pass(TimeDelta::hours(24));
    test.book(tuesday("11:00")).await;
    let second = receiver.wait_for(2).await.remove(1);
    assert_eq!([&old, &new].map(|secret| is_signed_by(&second, secret)), [false, true]);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_keeps_the_id_and_a_test_event_is_posted_on_request() {
    let Some(test) = open().await else { return };
    let receiver = WebhookReceiver::start().await;
    let (endpoint, secret) = endpoint(&test.salon, &receiver.url()).await;
    let booking = test.book(tuesday("10:00")).await;
    let first = receiver.wait_for(1).await.remove(0);
    let kept = deliveries_that(&test.salon, endpoint.id, |all| {
        all.iter().any(|one| one.booking_id == Some(booking.id) && one.status == DeliveryStatus::Delivered)
    })
    .await;
    let one = kept.iter().find(|one| one.booking_id == Some(booking.id)).unwrap();
    assert_eq!(webhooks::replay_one(&test.salon.core, endpoint.id, one.id).await.unwrap(), 1);
    let again = receiver.wait_for(2).await.remove(1);
    assert_eq!((again.header("webhook-id"), &again.body), (first.header("webhook-id"), &first.body));
    let made = webhooks::send_test(&test.salon.core, endpoint.id).await.unwrap();
    deliveries_that(&test.salon, endpoint.id, |all| {
        all.iter().any(|one| one.id == made.id && one.status == DeliveryStatus::Delivered)
    })
    .await;
    let posted = receiver.received();
    let tested = posted.iter().find(|one| body(one)["type"] == "webhook.test").unwrap();
    assert!(is_signed_by(tested, &secret));
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_endpoint_is_told_later_of_what_it_missed() {
    let Some(test) = open().await else { return };
    let receiver = WebhookReceiver::start().await;
    let (endpoint, _) = endpoint(&test.salon, &receiver.url()).await;
    let active = |on| webhooks::EndpointChanges { active: Some(on), ..webhooks::EndpointChanges::default() };
    let core = &test.salon.core;
    webhooks::update(core, endpoint.id, ExpectedRev::Any, active(false), true).await.unwrap();
    let booking = test.book(tuesday("10:00")).await;
    use_cases::cancel(core, &test.customer, booking.id, ExpectedRev::Any).await.unwrap();
    test.wait_for_sent(&booking, "cancellation", 1).await;
    assert_eq!(receiver.received().len(), 0);
    webhooks::update(core, endpoint.id, ExpectedRev::Any, active(true), true).await.unwrap();
    let posted = receiver.wait_for(2).await;
    let mut revs: Vec<_> = posted.iter().map(|one| body(one)["data"]["booking"]["rev"].as_i64()).collect();
    revs.sort_unstable();
    assert_eq!(revs, [Some(1), Some(2)], "their order is not promised, rev decides");
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_endpoint_delays_no_other_and_no_mail() {
    let Some(test) = open().await else { return };
    let (silent, good) = (WebhookReceiver::start().await, WebhookReceiver::start().await);
    silent.script(vec![Answering::Never; 50]);
    let (unanswered, _) = endpoint(&test.salon, &silent.url()).await;
    endpoint(&test.salon, &good.url()).await;
    let mut booked = Vec::new();
    for start in ["09:00", "10:00", "11:00", "12:00", "13:00"] {
        booked.push(test.book(tuesday(start)).await);
    }
    until_readable(&test.salon.core.pool).await;
    good.wait_for(booked.len()).await;
    for booking in &booked {
        test.wait_for_sent(booking, "confirmation", 1).await;
    }
    let all = deliveries_that(&test.salon, unanswered.id, |_| true).await;
    assert!(all.iter().all(|one| one.attempts == 0), "no request to it has timed out yet: {all:?}");
    drop(test);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_customer_is_delivered_only_where_it_was_asked_for() {
    let Some(test) = open().await else { return };
    let receiver = WebhookReceiver::start().await;
    let (endpoint, _) = endpoint(&test.salon, &receiver.url()).await;
    let changes =
        webhooks::EndpointChanges { include_customer: Some(true), ..webhooks::EndpointChanges::default() };
    webhooks::update(&test.salon.core, endpoint.id, ExpectedRev::Any, changes, true).await.unwrap();
    test.book(tuesday("10:00")).await;
    let posted = receiver.wait_for(1).await.remove(0);
    let Actor::Account { user_id, .. } = test.customer else { panic!("an account") };
    let customer = &body(&posted)["data"]["customer"];
    assert_eq!(customer["email"], format!("{}@example.org", user_id.simple()));
    assert_eq!(customer["name"], "Carla Customer");
    test.close().await;
}
