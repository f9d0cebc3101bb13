//! Workers as real processes that are killed in the middle of a send. Leases are the real ones: a killed worker's job is
//! taken over within 17 seconds.

use punctual_queue::JobState::Completed;
use punctual_testkit::Programs;
use punctual_testkit::smtp_sink::{Act, Verb};

use super::test_worker::{Row, TestWorker, sent};

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
