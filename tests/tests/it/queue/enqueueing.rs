//! Enqueueing and cancelling in the caller's transaction.

use chrono::TimeDelta;
use punctual_queue::testing::{assert_enqueued, assert_nothing_enqueued};
use punctual_queue::{Cancelled, Job, JobState, cancel, cancel_by_key, enqueue, enqueue_many, job_state};

use super::test_queue::{Order, Task, TestQueue, start_time};

fn job() -> Job {
    Job::new(&Task { order: Order::Done }).unwrap()
}

#[tokio::test]
async fn a_job_exists_exactly_if_the_callers_transaction_commits() {
    let test = TestQueue::new().await;
    let mut conn = test.conn().await;
    let mut tx = test.database.pool().begin().await.unwrap();
    enqueue(&mut tx, start_time(), job()).await.unwrap();
    tx.rollback().await.unwrap();
    assert_nothing_enqueued(&mut conn).await;

    let due = start_time() + TimeDelta::hours(3);
    let mut tx = test.database.pool().begin().await.unwrap();
    enqueue(&mut tx, start_time(), job().run_at(due).unique_key("a")).await.unwrap();
    tx.commit().await.unwrap();
    let stored = assert_enqueued(&mut conn, "task.v1").at(due).key("a").once().await;
    assert_eq!(stored.state, JobState::Scheduled);
    assert_eq!(stored.args, serde_json::json!({ "order": "Done" }));
}

#[tokio::test]
async fn a_hundred_callers_of_one_key_make_one_job_and_no_transaction_is_lost() {
    let test = TestQueue::new().await;
    let callers = (0..100).map(|_| {
        let pool = test.database.pool().clone();
        tokio::spawn(async move {
            let mut tx = pool.begin().await.unwrap();
            let enqueued = enqueue(&mut tx, start_time(), job().unique_key("the one")).await.unwrap();
            // The transaction is still usable after a duplicate.
            sqlx::query("SELECT 1").execute(&mut *tx).await.unwrap();
            tx.commit().await.unwrap();
            enqueued
        })
    });
    let answers: Vec<_> = futures::future::join_all(callers).await.into_iter().map(Result::unwrap).collect();
    let ids: std::collections::HashSet<_> = answers.iter().map(|answer| answer.id).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.inserted).count(), 1);
    assert_eq!(test.jobs().await.len(), 1);
}

#[tokio::test]
async fn ten_thousand_jobs_go_in_by_one_statement_and_each_answer_is_its_own() {
    let test = TestQueue::new().await;
    let mut conn = test.conn().await;
    let jobs = (0..10_000).map(|n| job().unique_key(format!("{}", n % 9_000))).collect();
    let answers = enqueue_many(&mut conn, start_time(), jobs).await.unwrap();
    assert_eq!(answers.len(), 10_000);
    assert_eq!(answers.iter().filter(|answer| answer.inserted).count(), 9_000);
    for (n, answer) in answers.iter().enumerate().skip(9_000) {
        assert_eq!(answer.id, answers[n - 9_000].id, "a duplicate has the id of the first");
    }
    let key: String = sqlx::query_scalar("SELECT unique_key FROM queue.jobs WHERE id = $1")
        .bind(answers[4321].id)
        .fetch_one(&mut *conn)
        .await
        .unwrap();
    assert_eq!(key, "4321");
}

#[tokio::test]
async fn two_bulk_callers_of_the_same_keys_in_opposite_order_do_not_deadlock() {
    let test = TestQueue::new().await;
    for round in 0..10 {
        let callers = [false, true].map(|backwards| {
            let pool = test.database.pool().clone();
            tokio::spawn(async move {
                let mut keys: Vec<i32> = (0..200).collect();
                if backwards {
                    keys.reverse();
                }
                let jobs = keys.iter().map(|key| job().unique_key(format!("{round} {key}"))).collect();
                let mut tx = pool.begin().await.unwrap();
                enqueue_many(&mut tx, start_time(), jobs).await.unwrap();
                tx.commit().await.unwrap();
            })
        });
        for caller in callers {
            caller.await.unwrap();
        }
    }
    assert_eq!(test.jobs().await.len(), 2_000);
}

#[tokio::test]
async fn a_cancelled_job_frees_its_key_and_a_rolled_back_cancellation_changes_nothing() {
    let test = TestQueue::new().await;
    let mut conn = test.conn().await;
    let first = test.enqueue_job(job().unique_key("reminder")).await;
    let other = test.enqueue_job(job().unique_key("neighbour")).await;

    let mut tx = test.database.pool().begin().await.unwrap();
    assert_eq!(cancel(&mut tx, start_time(), first.id).await.unwrap(), Cancelled::Now);
    tx.rollback().await.unwrap();
    assert_enqueued(&mut conn, "task.v1").key("reminder").once().await;

    let cancelled = cancel_by_key(&mut conn, start_time(), "task.v1", "reminder").await.unwrap();
    assert_eq!(cancelled, Cancelled::Now);
    assert_eq!(cancel(&mut conn, start_time(), first.id).await.unwrap(), Cancelled::NotLive);
    assert!(job_state(&mut conn, "task.v1", "reminder").await.unwrap().is_none());
    let again = test.enqueue_job(job().unique_key("reminder")).await;
    assert!(again.inserted && again.id != first.id);
    let neighbour = assert_enqueued(&mut conn, "task.v1").key("neighbour").once().await;
    assert_eq!(neighbour.id, other.id);
}
