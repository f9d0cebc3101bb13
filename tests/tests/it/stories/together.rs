//! Each part of the system while another is down.

use futures::future::join_all;
use punctual_testkit::smtp_sink::SmtpSink;
use punctual_testkit::{TestRedis, free_port};

use super::TestStack;

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_requests_for_one_slot_make_one_booking_and_one_mail() {
    let stack = TestStack::open(1, |programs| programs).await;
    let worker = stack.programs.worker().await;
    let start = stack.starts().await.remove(0);
    let keys: Vec<String> = (0..16).map(|number| format!("key-{number}")).collect();
    let answers = join_all(keys.iter().map(|key| stack.request_booking(key, &start))).await;
    let (booked, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|(status, _)| *status == 201);
    assert_eq!(booked.len(), 1);
    for (status, problem) in refused {
        assert_eq!((*status, problem["code"].as_str()), (409, Some("slot_taken")));
        assert_eq!(problem["alternatives"].as_array().unwrap().len(), 3);
    }
    stack.wait_for_confirmation(booked[0].1["id"].as_str().unwrap(), |mail| mail["state"] == "sent").await;
    assert!(worker.stop().await.success());
    assert_eq!(stack.sink.journal().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_sent_twice_at_once_makes_one_booking_one_mail_and_two_equal_answers() {
    let stack = TestStack::open(1, |programs| programs).await;
    let start = stack.starts().await.remove(0);
    let (one, other) =
        tokio::join!(stack.request_booking("the key", &start), stack.request_booking("the key", &start));
    assert_eq!(one.0, 201, "{}", one.1);
    assert_eq!(one, other);
    let worker = stack.programs.worker().await;
    stack.wait_for_confirmation(one.1["id"].as_str().unwrap(), |mail| mail["state"] == "sent").await;
    assert!(worker.stop().await.success());
    assert_eq!(stack.sink.journal().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_made_while_no_worker_runs_is_confirmed_once_one_does() {
    let stack = TestStack::open(1, |programs| programs).await;
    let start = stack.starts().await.remove(0);
    let booking = stack.book("a key", &start).await;
    let waiting = stack.wait_for_confirmation(&booking, |_| true).await;
    assert_ne!(waiting["state"], "sent");
    assert!(stack.sink.journal().is_empty());
    let _worker = stack.programs.worker().await;
    stack.wait_for_confirmation(&booking, |mail| mail["state"] == "sent").await;
    assert_eq!(stack.sink.journal()[0].recipient, "ada@example.org");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_goes_on_while_redis_is_stopped_and_after_it_is_back() {
    let Some(mut redis) = TestRedis::start().await else { return };
    let stack = TestStack::open(1, |programs| programs.redis(&redis)).await;
    let _worker = stack.programs.worker().await;
    let starts = stack.starts().await;
    for (number, start) in [&starts[0], &starts[2], &starts[4]].into_iter().enumerate() {
        match number {
            1 => redis.stop().await,
            2 => redis.start_again().await,
            _ => {}
        }
        let booking = stack.book(&format!("key-{number}"), start).await;
        stack.wait_for_confirmation(&booking, |mail| mail["state"] == "sent").await;
    }
    assert_eq!(stack.sink.journal().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_refuses_connections_costs_no_attempt_and_no_mail() {
    let port = free_port();
    let stack = TestStack::open(1, |programs| programs.smtp(&format!("smtp://127.0.0.1:{port}"))).await;
    let worker = stack.programs.worker().await;
    let start = stack.starts().await.remove(0);
    let booking = stack.book("a key", &start).await;
    let put_off = |mail: &serde_json::Value| mail["next_try_at"].is_string() && mail["reply"].is_string();
    let waiting = stack.wait_for_confirmation(&booking, put_off).await;
    assert_eq!(waiting["state"], "waiting", "{waiting}");
    assert!(worker.stop().await.success());
    let sink = SmtpSink::start().await;
    let _worker = stack.programs.clone().smtp(&sink.url()).worker().await;
    stack.wait_for_confirmation(&booking, |mail| mail["state"] == "sent").await;
    assert_eq!(sink.journal().len(), 1);
}
