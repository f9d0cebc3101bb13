//! `graphile_worker`, with the set-up of its own throughput benchmark: 500 jobs at once from a local queue of 5,000,
//! completions written in batches of 5 ms.

use std::ops::Range;
use std::time::Duration;

use anyhow::Result;
use graphile_worker::{
    IntoTaskHandlerResult, JobSpec, LocalQueueConfig, TaskHandler, WorkerContext, WorkerOptions, WorkerUtils,
};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use super::{Contender, Due, POLL, WakeUp};
use crate::recorder::Recorder;

const SCHEMA: &str = "graphile_worker";
/// 100, or several local queues, are slower.
const CONCURRENCY: usize = 500;
const LOCAL_QUEUE: usize = 5_000;
const BATCH_DELAY: Duration = Duration::from_millis(5);
/// As in its own benchmark.
const CONNECTIONS: u32 = 100;

#[derive(Clone, Deserialize, Serialize)]
struct NoOp {
    number: u32,
}

impl TaskHandler for NoOp {
    const IDENTIFIER: &'static str = "no_op";

    async fn run(self, ctx: WorkerContext) -> impl IntoTaskHandlerResult {
        if let Some(recorder) = ctx.get_ext::<Recorder>() {
            recorder.run(self.number).await;
        }
        Ok::<(), String>(())
    }
}

pub struct GraphileWorker {
    pool: PgPool,
    utils: WorkerUtils,
}

impl Contender for GraphileWorker {
    async fn install(url: &str) -> Result<()> {
        let pool = PgPool::connect(url).await?;
        WorkerUtils::new(pool.clone(), SCHEMA).migrate().await?;
        pool.close().await;
        Ok(())
    }

    async fn open(url: &str, _: &str) -> Result<Self> {
        let pool = PgPool::connect(url).await?;
        Ok(Self { utils: WorkerUtils::new(pool.clone(), SCHEMA), pool })
    }

    async fn enqueue_one(&mut self, number: u32) -> Result<()> {
        self.utils.add_job(NoOp { number }, JobSpec::default()).await?;
        Ok(())
    }

    async fn enqueue_many(&mut self, numbers: Range<u32>, due: Due) -> Result<()> {
        let specs: Vec<JobSpec> =
            numbers.clone().map(|number| JobSpec { run_at: due.at(number), ..JobSpec::default() }).collect();
        let jobs: Vec<(NoOp, &JobSpec)> = numbers.map(|number| NoOp { number }).zip(&specs).collect();
        self.utils.add_jobs(&jobs).await?;
        Ok(())
    }

    /// It deletes finished jobs.
    async fn done(&self, enqueued: u64) -> Result<u64> {
        let left: i64 = sqlx::query_scalar("SELECT count(*) FROM graphile_worker._private_jobs")
            .fetch_one(&self.pool)
            .await?;
        Ok(enqueued.saturating_sub(left.try_into()?))
    }

    async fn work(url: &str, _: Option<&str>, wake_up: WakeUp, recorder: Recorder) -> Result<()> {
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect(url).await?;
        let options = WorkerOptions::default()
            .pg_pool(pool)
            .schema(SCHEMA)
            .concurrency(CONCURRENCY)
            .poll_interval(POLL)
            .use_notification_delivery(wake_up == WakeUp::Notified)
            .complete_job_batch_delay(BATCH_DELAY)
            .local_queue(LocalQueueConfig::default().with_size(LOCAL_QUEUE))
            .add_extension(recorder)
            .define_job::<NoOp>();
        let worker = Box::pin(options.init()).await?;
        Ok(Box::pin(worker.run()).await?)
    }
}
