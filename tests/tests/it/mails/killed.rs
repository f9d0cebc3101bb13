//! Workers as real processes that are killed in the middle of a send. Leases are the real ones: a killed worker's job is
//! taken over within 17 seconds.

use std::time::Duration;

use chrono::TimeDelta;
use punctual_core::notifications::SendNotification;
use punctual_queue::JobState::{Completed, Retryable};
use punctual_queue::Payload as _;
use punctual_queue::testing::{ManualWorker, rescue_retrying_poison};
use punctual_testkit::smtp_sink::{Act, Verb};
use punctual_testkit::{Process, Programs, wait_for};

use super::test_worker::{Row, TestWorker, sent};
use crate::core::salon::tuesday;

/// Books at the real time of day: the processes have no other clock.
async fn killed_at(verb: Verb, copies: usize, expected: Row) {
    let setup = TestWorker::without_worker().await;
    let booking = setup.book_soon().await;
    setup.sink.script(verb, [Act::Stall]);
    let programs = Programs::on(setup.salon.database()).smtp(&setup.sink.url());
    let worker = programs.worker().await;
    setup.sink.wait_for(verb, 1).await;
    worker.kill();
    let next = programs.worker().await;
    let taken = setup.sink.wait_for_mails(copies).await;
    setup.wait_for_ledger(&booking, &[expected]).await;
    setup.wait_for_jobs(&[Completed]).await;
    assert!(taken.iter().all(|copy| copy.message_id == taken[0].message_id));
    assert_eq!(setup.sink.journal().len(), copies);
    assert!(next.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_before_the_message_leaves_one_copy() {
    killed_at(Verb::Rcpt, 1, Row { tries: 2, ..sent("confirmation") }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_after_the_dot_leaves_two_copies_with_one_id() {
    killed_at(Verb::Dot, 2, Row { tries: 2, doubts: 1, ..sent("confirmation") }).await;
}

/// Its worker dies before the message three times in a row, as in a host that runs out of memory.
#[tokio::test(flavor = "multi_thread")]
async fn three_deaths_of_a_worker_before_the_message_delay_a_mail_and_do_not_lose_it() {
    let mut test = TestWorker::without_worker().await;
    let booking = test.book(tuesday("10:00")).await;
    let kinds = [SendNotification::KIND.to_owned()];
    for death in 1..=3 {
        let now = test.salon.core.now();
        let mut conn = test.salon.core.pool.acquire().await.unwrap();
        let victim = ManualWorker::open(&mut conn, now).await;
        let claimed = match death {
            1 => victim.claim(&mut conn, SendNotification::QUEUE, &kinds, 1, now).await.pop(),
            _ => victim.claim_rescued(&mut conn, SendNotification::QUEUE, &kinds, now).await,
        };
        assert!(claimed.is_some(), "claimed before death {death}");
        victim.expire_session(&mut conn, Duration::from_mins(1)).await;
        assert_eq!(rescue_retrying_poison(&mut conn, now, Duration::from_secs(1), &kinds).await, 1);
    }
    test.hire_worker().await;
    test.wait_for_jobs(&[Retryable]).await;
    assert_eq!(test.sink.journal().len(), 0, "it waits 15 s before it is tried again");
    test.pass(TimeDelta::seconds(15));
    test.wait_for_ledger(&booking, &[sent("confirmation")]).await;
    assert_eq!(test.close().await.journal().len(), 1);
}

/// How many mails of this outcome a worker has counted as ended.
async fn ended(worker: &Process, outcome: &str) -> u64 {
    let text = reqwest::get(format!("{}/metrics", worker.url())).await.unwrap().text().await.unwrap();
    let label = format!("outcome=\"{outcome}\"");
    let counts = text.lines().filter(|line| line.starts_with("mails_ended_total{") && line.contains(&label));
    counts.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_whose_workers_died_twice_after_the_dot_is_counted_logged_and_sent_again_by_a_person() {
    let post = TestWorker::without_worker().await;
    let booking = post.book_soon().await;
    post.sink.script(Verb::Dot, [Act::Stall, Act::Stall]);
    let programs = Programs::on(post.salon.database()).smtp(&post.sink.url());
    for times in 1..=2 {
        let worker = programs.worker().await;
        post.sink.wait_for(Verb::Dot, times).await;
        worker.kill();
    }
    let worker = programs.worker().await;
    let in_doubt = Row {
        doubts: 2,
        tries: 2,
        dot: false,
        accepted: false,
        reply: None,
        outcome: Some("in_doubt".to_owned()),
        ..sent("confirmation")
    };
    post.wait_for_ledger(&booking, &[in_doubt]).await;
    let id = post.jobs().await[0].unique_key.clone().unwrap();
    worker.wait_for_log("in_doubt").await;
    let log = worker.log();
    assert!(log.lines().any(|line| line.contains("in_doubt") && line.contains(&id)), "{log}");
    wait_for("its end is counted", async || ended(&worker, "in_doubt").await == 1).await;
    assert_eq!(post.sink.journal().len(), 2);

    let run = |arguments: &[&str]| {
        let output = programs.run("worker", arguments, "");
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    assert!(run(&["mails"]).contains(&id), "{}", run(&["mails"]));
    let said = run(&["mails", "resend", &id]);
    assert!(said.contains("resend: queue mails"), "{said}");
    let copies = post.sink.wait_for_mails(3).await;
    assert!(copies.iter().all(|copy| copy.message_id == copies[0].message_id));
    assert!(!run(&["mails"]).contains(&id));
    assert!(worker.stop().await.success());
}
