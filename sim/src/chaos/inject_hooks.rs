//! Faults at the delivery of webhooks.

use std::time::Duration;

use futures::future::join_all;
use punctual_testkit::webhook_receiver::{Answering, WebhookReceiver};
use punctual_testkit::{Process, Signal, lasting, try_wait_for};
use rand::Rng as _;
use rand::rngs::SmallRng;
use sqlx::Connection as _;

use super::crowd::Crowd;
use super::deployment::Deployment;
use super::faults::FAULT_DURATION;
use super::freeze::freeze;
use super::{Fault, HookStep, Result};

/// How long the load may take to make an event that is posted.
const POST_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a worker may take to read an answer that was sent.
const READ_TIMEOUT: Duration = Duration::from_millis(300);
/// Requests that a receiver that is down refuses at most: it is asked by one probe at a time.
const MAX_REFUSED: usize = 6;

/// Injects a fault of webhooks.
pub(super) async fn inject(fault: Fault, deployment: &mut Deployment, rng: &mut SmallRng) -> Result<()> {
    let workers = deployment.workers.len();
    match fault {
        Fault::FanOutKilled => {
            fan_out_killed(deployment).await?;
            deployment.start_workers(workers).await;
        }
        Fault::HookKilledAt(step) => {
            held_at(deployment, step).await?;
            deployment.kill_workers();
            deployment.to_postgres.clear();
            deployment.start_workers(workers).await;
        }
        Fault::CrowdKilled => {
            crowd_killed(deployment).await?;
            deployment.start_workers(workers).await;
        }
        Fault::HookTerminated => terminated(deployment, workers).await?,
        Fault::HookFrozen => {
            held_at(deployment, HookStep::Unanswered).await?;
            freeze(deployment, rng.random_range(0..workers)).await?;
        }
        _ => down(deployment, rng).await,
    }
    Ok(())
}

/// The receiver at which faults happen.
fn receiver(deployment: &Deployment) -> Result<WebhookReceiver> {
    let webhooks = deployment.webhooks.as_ref().ok_or("there are no webhooks")?;
    Ok(webhooks.good[0].clone())
}

/// Waits until a worker's request waits at this step.
async fn held_at(deployment: &Deployment, step: HookStep) -> Result<()> {
    let receiver = receiver(deployment)?;
    let before = receiver.stalled();
    receiver.script([match step {
        HookStep::Unread => Answering::Unread,
        HookStep::Unanswered => Answering::Never,
        HookStep::HalfAnswered => Answering::Partly,
        HookStep::Unrecorded => Answering::Held,
    }]);
    let stalled = try_wait_for(POST_TIMEOUT, async || receiver.stalled() > before).await;
    stalled.map_err(|_| format!("no webhook came within {POST_TIMEOUT:?}"))?;
    if step == HookStep::Unrecorded {
        deployment.to_postgres.stall();
        receiver.release();
        lasting(READ_TIMEOUT).await;
    }
    Ok(())
}

/// Kills all workers while one of them inserts deliveries.
async fn fan_out_killed(deployment: &mut Deployment) -> Result<()> {
    let mut conn = deployment.pool().acquire().await?;
    let mut tx = conn.begin().await?;
    sqlx::query("LOCK TABLE webhook_deliveries IN SHARE MODE").execute(&mut *tx).await?;
    let waits = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
                 AND wait_event_type = 'Lock' AND query LIKE 'INSERT INTO webhook_deliveries%')";
    let waiting = try_wait_for(POST_TIMEOUT, async || {
        let seen: sqlx::Result<bool> =
            sqlx::query_scalar(waits).fetch_one(deployment.postgres.database().pool()).await;
        match seen {
            Ok(true) => Ok(()),
            seen => Err(seen),
        }
    });
    let waiting = waiting.await;
    deployment.kill_workers();
    tx.rollback().await?;
    waiting.map_err(|seen| format!("no worker made deliveries: {seen}").into())
}

/// Makes an event of which 990 endpoints are told, and kills all workers when a third of them received it.
async fn crowd_killed(deployment: &mut Deployment) -> Result<()> {
    let Deployment { webhooks, api_client, postgres, .. } = &mut *deployment;
    let crowd = webhooks.as_mut().ok_or("there are no webhooks")?.crowd(api_client).await?;
    let before = crowd.good.count();
    Crowd::change(postgres.database().pool()).await?;
    let third = before + crowd.ids.len() / 3;
    let told = try_wait_for(POST_TIMEOUT, async || {
        let count = crowd.good.count();
        if count >= third { Ok(()) } else { Err(count) }
    });
    let told = told.await;
    deployment.kill_workers();
    told.map_err(|count| format!("{count} of {third} webhooks came within {POST_TIMEOUT:?}").into())
}

/// Stops all workers with SIGTERM while a receiver has not answered one of them, and starts others.
async fn terminated(deployment: &mut Deployment, workers: usize) -> Result<()> {
    let receiver = receiver(deployment)?;
    let before = receiver.stalled();
    receiver.script([Answering::Held]);
    let stalled = try_wait_for(POST_TIMEOUT, async || receiver.stalled() > before).await;
    stalled.map_err(|_| format!("no webhook came within {POST_TIMEOUT:?}"))?;
    let leaving: Vec<_> = deployment.workers.drain(..).collect();
    for worker in &leaving {
        worker.signal(Signal::TERM);
    }
    deployment.start_workers(workers).await;
    receiver.release();
    for status in join_all(leaving.into_iter().map(Process::ended)).await {
        if !status.success() {
            return Err(format!("a worker ended with {status} after SIGTERM").into());
        }
    }
    Ok(())
}

/// A good receiver refuses for a while.
async fn down(deployment: &Deployment, rng: &mut SmallRng) {
    let Ok(receiver) = receiver(deployment) else { return };
    let refusals = [Answering::Status(503, ""), Answering::Raw(b""), Answering::Status(500, "")];
    receiver.script((0..MAX_REFUSED).map(|_| refusals[rng.random_range(0..refusals.len())].clone()));
    lasting(FAULT_DURATION).await;
}
