//! Replies that refuse the mail, or show a failure of the relay.

use chrono::TimeDelta;
use punctual_core::notifications::{self, NotificationState};
use punctual_queue::JobState::{Completed, Discarded, Retryable};
use punctual_testkit::smtp_sink::{Act, Verb};

use super::test_worker::{TestWorker, ended, sent, waiting};
use crate::core::salon::tuesday;

#[tokio::test(flavor = "multi_thread")]
async fn a_450_at_rcpt_defers_the_mail_and_costs_an_attempt() {
    let setup = TestWorker::open().await;
    setup.sink.script(Verb::Rcpt, [Act::Reply("450 4.2.0 <carla@example.org>: greylisted")]);
    let booking = setup.book(tuesday("10:00")).await;
    let reply = "rcpt: 450 4.2.0 <address> greylisted";
    setup.wait_for_ledger(&booking, &[waiting("confirmation", 1, reply)]).await;
    let jobs = setup.wait_for_jobs(&[Retryable]).await;
    assert_eq!((jobs[0].attempt, jobs[0].snoozes), (1, 0));
    assert_eq!(jobs[0].errors[0]["error"], "the mail server deferred it: 450 4.2.0 at rcpt");

    let mut conn = setup.salon.core.pool.acquire().await.unwrap();
    let shown = notifications::list(&mut conn, booking.id).await.unwrap().remove(0);
    assert_eq!((shown.state, shown.tries), (NotificationState::Waiting, 1));
    assert_eq!((shown.reply.as_deref(), shown.next_try_at), (Some(reply), Some(jobs[0].run_at)));
    drop(conn);

    setup.pass(TimeDelta::seconds(20));
    setup.wait_for_ledger(&booking, &[super::test_worker::Row { tries: 2, ..sent("confirmation") }]).await;
    setup.wait_for_jobs(&[Completed]).await;
    let sink = setup.close().await;
    assert_eq!((sink.journal().len(), sink.seen(Verb::Banner)), (1, 1), "the connection was kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_550_at_rcpt_fails_the_mail_and_no_other() {
    let setup = TestWorker::open().await;
    setup.sink.script(Verb::Rcpt, [Act::Reply("550 5.1.1 <carla@example.org>... no such user")]);
    let booking = setup.book(tuesday("10:00")).await;
    let reply = Some("rcpt: 550 5.1.1 <address> no such user");
    setup.wait_for_ledger(&booking, &[ended("confirmation", "failed", 1, reply)]).await;
    let jobs = setup.wait_for_jobs(&[Discarded]).await;
    assert_eq!(jobs[0].note.as_deref(), Some("550 5.1.1 at rcpt"));
    let other = setup.book(tuesday("12:00")).await;
    setup.wait_for_ledger(&other, &[sent("confirmation")]).await;
    let sink = setup.close().await;
    assert_eq!((sink.journal().len(), sink.seen(Verb::Banner), sink.seen(Verb::Rset)), (1, 1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_552_to_the_message_fails_it_and_leaves_no_dot() {
    let setup = TestWorker::open().await;
    setup.sink.script(Verb::Dot, [Act::Reply("552 5.3.4 too big")]);
    let booking = setup.book(tuesday("10:00")).await;
    let reply = Some("dot: 552 5.3.4 too big");
    setup.wait_for_ledger(&booking, &[ended("confirmation", "failed", 1, reply)]).await;
    setup.wait_for_jobs(&[Discarded]).await;
    assert_eq!(setup.close().await.journal().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_451_to_the_message_defers_it_without_a_doubt() {
    let setup = TestWorker::open().await;
    setup.sink.script(Verb::Dot, [Act::Reply("451 4.3.0 disk full")]);
    let booking = setup.book(tuesday("10:00")).await;
    setup.wait_for_ledger(&booking, &[waiting("confirmation", 1, "dot: 451 4.3.0 disk full")]).await;
    setup.wait_for_jobs(&[Retryable]).await;
    setup.pass(TimeDelta::seconds(20));
    setup.wait_for_ledger(&booking, &[super::test_worker::Row { tries: 2, ..sent("confirmation") }]).await;
    assert_eq!(setup.close().await.journal().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_554_to_data_fails_the_mail_and_keeps_the_connection() {
    let setup = TestWorker::open().await;
    setup.sink.script(Verb::Data, [Act::Reply("554 5.7.1 not today")]);
    let booking = setup.book(tuesday("10:00")).await;
    let reply = Some("data: 554 5.7.1 not today");
    setup.wait_for_ledger(&booking, &[ended("confirmation", "failed", 1, reply)]).await;
    let other = setup.book(tuesday("12:00")).await;
    setup.wait_for_ledger(&other, &[sent("confirmation")]).await;
    let sink = setup.close().await;
    assert_eq!((sink.journal().len(), sink.seen(Verb::Banner)), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_whose_job_is_of_a_version_that_nobody_takes_has_failed_after_a_day() {
    let mut setup = TestWorker::without_worker().await;
    let booking = setup.book(tuesday("10:00")).await;
    let renamed = sqlx::query("UPDATE queue.jobs SET kind = 'mail.send.v0'").execute(&setup.salon.core.pool);
    assert_eq!(renamed.await.unwrap().rows_affected(), 1);
    setup.pass(TimeDelta::hours(25));
    setup.hire_worker().await;
    setup.wait_for_ledger(&booking, &[ended("confirmation", "failed", 0, None)]).await;
    let states: Vec<String> =
        sqlx::query_scalar("SELECT state::text FROM queue.jobs WHERE kind = 'mail.send.v0'")
            .fetch_all(&setup.salon.core.pool)
            .await
            .unwrap();
    assert_eq!(states, ["discarded"]);
    assert_eq!(setup.close().await.journal().len(), 0);
}
