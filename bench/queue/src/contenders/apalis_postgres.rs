//! apalis-postgres: `lock_tasks(false)` saves an update per job and a `batch_size` of many jobs saves fetches; both are
//! what its own tests and examples set.

use std::ops::Range;

use anyhow::Result;
use apalis::prelude::*;
use apalis_postgres::{Config, PgTask, PostgresStorage};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use super::{CONNECTIONS, Contender, Due, POLL, WakeUp};
use crate::recorder::Recorder;

const QUEUE: &str = "bench";
/// Smaller batches are slower: 300 jobs a quarter, 1,000 half as fast.
const BATCH: usize = 5_000;

#[derive(Deserialize, Serialize)]
struct NoOp {
    number: u32,
}

async fn no_op(job: NoOp, recorder: Data<Recorder>) -> Result<(), BoxDynError> {
    recorder.run(job.number).await;
    Ok(())
}

fn config() -> Config {
    Config::default().queue(QUEUE).batch_size(BATCH).lock_tasks(false)
}

pub struct ApalisPostgres {
    pool: PgPool,
    storage: PostgresStorage<NoOp>,
}

impl Contender for ApalisPostgres {
    async fn install(url: &str) -> Result<()> {
        let pool = PgPool::connect(url).await?;
        PostgresStorage::setup(&pool).await?;
        pool.close().await;
        Ok(())
    }

    async fn open(url: &str, _: &str) -> Result<Self> {
        let pool = PgPool::connect(url).await?;
        Ok(Self { storage: PostgresStorage::new(&pool).with_config(config()), pool })
    }

    async fn enqueue_one(&mut self, number: u32) -> Result<()> {
        Ok(self.storage.push(NoOp { number }).await?)
    }

    async fn enqueue_many(&mut self, numbers: Range<u32>, due: Due) -> Result<()> {
        let tasks = numbers.map(|number| {
            let mut task = TaskBuilder::new(serde_json::to_vec(&NoOp { number })?);
            if let Some(at) = due.at(number) {
                task = task.run_at_timestamp(at.timestamp().try_into()?);
            }
            Ok(task.build())
        });
        let tasks = tasks.collect::<Result<Vec<PgTask>>>()?;
        let mut tx = self.pool.begin().await?;
        apalis_postgres::queries::push_tasks(&mut *tx, QUEUE, tasks).await?;
        Ok(tx.commit().await?)
    }

    async fn done(&self, _: u64) -> Result<u64> {
        let done: i64 = sqlx::query_scalar("SELECT count(*) FROM apalis.jobs WHERE status = 'Done'")
            .fetch_one(&self.pool)
            .await?;
        Ok(done.try_into()?)
    }

    async fn work(url: &str, _: Option<&str>, wake_up: WakeUp, recorder: Recorder) -> Result<()> {
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect(url).await?;
        let storage = PostgresStorage::<NoOp>::new(&pool).with_config(config());
        let worker = WorkerBuilder::new("bench");
        match wake_up {
            WakeUp::Notified => {
                let backend = storage.with_pubsub().poll_with_interval(POLL);
                worker.backend(backend).data(recorder).build(no_op).run().await?;
            }
            WakeUp::Polling => {
                let backend = storage.poll_with_interval(POLL);
                worker.backend(backend).data(recorder).build(no_op).run().await?;
            }
        }
        Ok(())
    }
}
