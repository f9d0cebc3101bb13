//! Webhooks that do not arrive.

use std::net::Ipv4Addr;

use chrono::TimeDelta;
use punctual_core::webhooks::{self, AttemptResult, DeliveryStatus, EndpointStatus};
use punctual_queue::JobState;
use punctual_queue::testing::jobs;
use punctual_testkit::wait_for;
use punctual_testkit::webhook_receiver::{Answering, WebhookReceiver};
use tokio::net::TcpSocket;

use super::test_hooks::{LOCAL, deliveries_that, endpoint, open, without_worker};
use crate::core::salon::tuesday;
use crate::mails::test_worker::{TestWorker, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_was_down_is_told_once_it_is_back() {
    let Some(test) = open().await else { return };
    let receiver = WebhookReceiver::start().await;
    let (endpoint, _) = endpoint(&test.salon, &receiver.url()).await;
    receiver.script([Answering::Status(503, "Retry-After: 120\r\n")]);
    test.book(tuesday("10:00")).await;
    receiver.wait_for(1).await;
    let waiting =
        deliveries_that(&test.salon, endpoint.id, |all| all.iter().any(|one| one.attempts == 1)).await;
    let one = waiting.iter().find(|one| one.booking_id.is_some()).unwrap();
    assert_eq!((one.status, one.answer_code), (DeliveryStatus::Pending, Some(503)));
    assert_eq!(one.error.as_deref(), Some("it answered 503"));
    // Longer than the first pause of 5 s: as long as it asked for.
    let put_off = wait_for("the delivery to be put off", async || {
        let jobs = jobs(&mut test.salon.core.pool.acquire().await.unwrap(), Some("webhook.deliver.v1")).await;
        let job = jobs.into_iter().find(|job| job.state == JobState::Retryable);
        job.ok_or("none")
    })
    .await;
    assert_eq!(put_off.run_at, test.now() + TimeDelta::seconds(120));
    test.pass(TimeDelta::seconds(60));
    deliveries_that(&test.salon, endpoint.id, |all| all.iter().all(|one| one.attempts <= 1)).await;
    assert_eq!(receiver.wait_for(1).await.len(), 1);
    test.pass(TimeDelta::seconds(61));
    let both = receiver.wait_for(2).await;
    assert_eq!(both[0].header("webhook-id"), both[1].header("webhook-id"));
    assert_ne!(both[0].header("webhook-timestamp"), both[1].header("webhook-timestamp"));
    deliveries_that(&test.salon, endpoint.id, |all| {
        all.iter().any(|one| one.attempts == 2 && one.status == DeliveryStatus::Delivered)
    })
    .await;
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_gone_is_told_nothing_more_and_the_administrator_is_told_by_mail() {
    let Some(test) = open().await else { return };
    let receiver = WebhookReceiver::start().await;
    let (endpoint, _) = endpoint(&test.salon, &receiver.url()).await;
    receiver.script([Answering::Status(410, "")]);
    test.book(tuesday("10:00")).await;
    let ended = deliveries_that(&test.salon, endpoint.id, |all| {
        all.iter().any(|one| one.status == DeliveryStatus::Failed)
    })
    .await;
    assert_eq!(ended[0].answer_code, Some(410));
    let endpoint = webhooks::get(&test.salon.core.pool, endpoint.id).await.unwrap();
    assert_eq!(endpoint.status, EndpointStatus::Gone);
    let mail = wait_for("the mail to the administrator", async || {
        let found = test.sink.journal().into_iter().find(|mail| mail.recipient == "admin@example.org");
        found.ok_or("none")
    })
    .await;
    let told = text(&mail);
    assert!(told.contains(endpoint.url.authority()) && told.contains("It answered 410"), "{told}");
    let booking = test.book(tuesday("11:00")).await;
    test.wait_for_sent(&booking, "confirmation", 1).await;
    assert_eq!(receiver.wait_for(1).await.len(), 1);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_a_failure_and_leads_nowhere() {
    let Some(test) = open().await else { return };
    let (receiver, elsewhere) = (WebhookReceiver::start().await, WebhookReceiver::start().await);
    let (endpoint, _) = endpoint(&test.salon, &receiver.url()).await;
    let location: &str = format!("Location: {}\r\n", elsewhere.url()).leak();
    receiver.script([Answering::Status(307, location)]);
    test.book(tuesday("10:00")).await;
    let tried =
        deliveries_that(&test.salon, endpoint.id, |all| all.iter().any(|one| one.attempts == 1)).await;
    assert_eq!((tried[0].status, tried[0].answer_code), (DeliveryStatus::Pending, Some(307)));
    assert_eq!(elsewhere.received().len(), 0);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_address_is_refused_unless_the_operator_lists_it() {
    let Some(mut test) = without_worker().await else { return };
    let receiver = WebhookReceiver::start().await;
    let (plain, _) = endpoint(&test.salon, &receiver.url()).await;
    let (secure, _) = endpoint(&test.salon, &receiver.url().replace("http:", "https:")).await;
    test.hire_worker_with(&[]).await;
    test.book(tuesday("10:00")).await;
    for endpoint in [plain.id, secure.id] {
        let tried =
            deliveries_that(&test.salon, endpoint, |all| all.iter().any(|one| one.attempts == 1)).await;
        let error = tried[0].error.clone().unwrap();
        assert_eq!(error, "refused: the host leads to an address that is not public");
    }
    assert_eq!(receiver.received().len(), 0);
    test.close().await;
}

#[tokio::test]
async fn five_failing_days_disable_an_endpoint_and_a_success_between_them_does_not() {
    let test = TestWorker::without_worker().await;
    let (endpoint, _) = endpoint(&test.salon, "https://hooks.example.org/").await;
    let (core, pool) = (&test.salon.core, &test.salon.core.pool);
    let began = test.now();
    let attempt = async |hours, error: Option<&str>| {
        let delivery = webhooks::send_test(core, endpoint.id).await.unwrap().id;
        let result = AttemptResult {
            at: began + TimeDelta::hours(hours),
            code: None,
            answer: None,
            error: error.map(str::to_owned),
            took_ms: 5,
        };
        let mut conn = pool.acquire().await.unwrap();
        if error.is_some() {
            return webhooks::record_failure(&mut conn, delivery, &result).await.unwrap();
        }
        webhooks::record_successes(&mut conn, &[(delivery, result)]).await.unwrap();
        None
    };
    assert_eq!(attempt(0, Some("no")).await, None);
    assert_eq!(attempt(100, None).await, None);
    assert_eq!(attempt(101, Some("no")).await, None);
    assert_eq!(attempt(101 + 5 * 24, Some("no")).await, None);
    let mails = async || {
        let count = "SELECT count(*) FROM notifications WHERE kind = 'webhook_ended' AND endpoint_id = $1";
        sqlx::query_scalar::<_, i64>(count).bind(endpoint.id).fetch_one(pool).await.unwrap()
    };
    assert_eq!(mails().await, 0);
    assert_eq!(attempt(102 + 5 * 24, Some("no")).await, Some(EndpointStatus::Disabled));
    assert_eq!(mails().await, 1, "one for the only administrator");
    let endpoint = webhooks::get(pool, endpoint.id).await.unwrap();
    assert_eq!(endpoint.status, EndpointStatus::Disabled);
    assert_eq!(endpoint.failing_since, Some(began + TimeDelta::hours(101)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_dead_endpoints_delay_no_good_one_and_no_mail() {
    const DEAD: usize = 100;
    let Some(mut test) = without_worker().await else { return };
    let good = WebhookReceiver::start().await;
    let mut dead = Vec::new();
    for _ in 0..DEAD {
        let receiver = WebhookReceiver::start().await;
        receiver.script(vec![Answering::Never; 10]);
        endpoint(&test.salon, &receiver.url()).await;
        dead.push(receiver);
    }
    endpoint(&test.salon, &good.url()).await;
    test.hire_worker_with(&[LOCAL]).await;
    for (number, start) in ["09:00", "10:00", "11:00", "12:00"].into_iter().enumerate() {
        let booking = test.book(tuesday(start)).await;
        test.wait_for_sent(&booking, "confirmation", 1).await;
        good.wait_for(number + 1).await;
    }
    // An endpoint without answers gets few requests at a time, so most of its deliveries have not begun.
    let asked: Vec<usize> = dead.iter().map(|receiver| receiver.received().len()).collect();
    let tried = asked.iter().filter(|asked| **asked > 0).count();
    assert!(tried > DEAD / 2, "{tried} of the dead ones were tried");
    assert!(asked.iter().all(|asked| *asked <= 4), "{asked:?}");
    drop(test);
}

/// A tenth of the endpoints refuses connections; the others receive every event once, at the first attempt.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_endpoints_the_good_ones_miss_nothing_while_ten_are_dead() {
    const ENDPOINTS: usize = 100;
    let Some(mut test) = without_worker().await else { return };
    // Bound and not listening: it refuses connections, and no receiver gets its port.
    let refusing = TcpSocket::new_v4().unwrap();
    refusing.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let nobody = refusing.local_addr().unwrap();
    let (mut good, mut dead) = (Vec::new(), Vec::new());
    for number in 0..ENDPOINTS {
        if number % 10 == 0 {
            dead.push(endpoint(&test.salon, &format!("http://{nobody}/{number}")).await.0.id);
        } else {
            let receiver = WebhookReceiver::start().await;
            good.push((endpoint(&test.salon, &receiver.url()).await.0.id, receiver));
        }
    }
    test.hire_worker_with(&[LOCAL]).await;
    let starts = ["09:00", "10:00", "11:00", "12:00", "13:00"];
    for (number, start) in starts.iter().enumerate() {
        test.book(tuesday(start)).await;
        for (_, receiver) in &good {
            receiver.wait_for(number + 1).await;
        }
    }
    for (endpoint, receiver) in good {
        let mut ids: Vec<_> =
            receiver.received().iter().map(|one| one.header("webhook-id").to_owned()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), starts.len(), "no event came twice");
        let all = deliveries_that(&test.salon, endpoint, |all| {
            all.iter().all(|one| one.status == DeliveryStatus::Delivered)
        });
        assert!(all.await.iter().all(|one| one.attempts == 1));
    }
    for endpoint in dead {
        let all = deliveries_that(&test.salon, endpoint, |all| all.len() == starts.len()).await;
        assert!(all.iter().all(|one| one.status == DeliveryStatus::Pending));
    }
    test.close().await;
}
