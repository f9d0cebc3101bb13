//! Deliveries that several workers write at once.

use punctual_core::webhooks::{self, DeliveryStatus};
use punctual_testkit::wait_for;
use punctual_testkit::webhook_receiver::WebhookReceiver;

use super::test_hooks::{LOCAL, deliveries_that, endpoint, without_worker};

/// A worker died after its post was recorded, so its job runs again and finds the delivery ended. A replay meets that run:
/// it must not rely on a job that is about to end.
#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_meets_the_rerun_of_a_delivered_job_is_posted() {
    let Some(mut test) = without_worker().await else { return };
    let receiver = WebhookReceiver::start().await;
    let (endpoint, _) = endpoint(&test.salon, &receiver.url()).await;
    let core = test.salon.core.clone();
    let delivery = webhooks::send_test(&core, endpoint.id).await.unwrap().id;
    let delivered = "UPDATE webhook_deliveries SET status = 'delivered' WHERE id = $1";
    sqlx::query(delivered).bind(delivery).execute(&core.pool).await.unwrap();

    // The job is claimed, and stops before it reads the delivery.
    let mut endpoints = core.pool.begin().await.unwrap();
    let lock = "LOCK TABLE webhook_endpoints IN ACCESS EXCLUSIVE MODE";
    sqlx::query(lock).execute(&mut *endpoints).await.unwrap();
    test.hire_worker_with(&[LOCAL]).await;
    let job = wait_for("the job to run", async || {
        let running = "SELECT id FROM queue.jobs WHERE unique_key = $1 AND state = 'running'";
        let found: Option<i64> =
            sqlx::query_scalar(running).bind(delivery.to_string()).fetch_optional(&core.pool).await.unwrap();
        found.ok_or("it does not")
    })
    .await;
    // It reads that the delivery has ended, and cannot end itself yet.
    let mut jobs = core.pool.begin().await.unwrap();
    sqlx::query("SELECT FROM queue.jobs WHERE id = $1 FOR UPDATE")
        .bind(job)
        .execute(&mut *jobs)
        .await
        .unwrap();
    endpoints.commit().await.unwrap();
    wait_for("the end of the job to wait", async || {
        let waits = "SELECT count(*) FROM pg_stat_activity
                     WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%jobs%'";
        let count: i64 = sqlx::query_scalar(waits).fetch_one(&core.pool).await.unwrap();
        if count > 0 { Ok(()) } else { Err(count) }
    })
    .await;
    let replay = tokio::spawn({
        let core = core.clone();
        async move { webhooks::replay_one(&core, endpoint.id, delivery).await }
    });
    // It either is done, or waits for the delivery; both before the job ends.
    wait_for("the replay to come as far as it can", async || {
        let waits = "SELECT count(*) FROM pg_stat_activity
                     WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%webhook_deliveries%'";
        let count: i64 = sqlx::query_scalar(waits).fetch_one(&core.pool).await.unwrap();
        if count > 0 || replay.is_finished() { Ok(()) } else { Err(count) }
    })
    .await;
    jobs.commit().await.unwrap();
    assert_eq!(replay.await.unwrap().unwrap(), 1);
    receiver.wait_for(1).await;
    deliveries_that(&test.salon, endpoint.id, |all| {
        all.iter().all(|one| one.status == DeliveryStatus::Delivered && one.attempts == 1)
    })
    .await;
    test.close().await;
}
