//! awa, on its queue storage engine, with the set-up of its own throughput benchmark: many workers, claims of up to 512
//! jobs, no deadline per job (which selects its compact receipts), producers that COPY.

use std::ops::Range;
use std::time::Duration;

use anyhow::Result;
use awa::{
    Client, InsertOpts, InsertParams, JobArgs, JobResult, QueueConfig, QueueStorage, QueueStorageConfig,
};
use serde::{Deserialize, Serialize};
use sqlx_of_awa::PgPool;
use sqlx_of_awa::postgres::PgPoolOptions;

use super::{CONNECTIONS, Contender, Due, WakeUp};
use crate::recorder::Recorder;

const QUEUE: &str = "bench";
/// From this number on it settles through four connections; 256 or 1,024 are slower.
const WORKERS: u32 = 512;
/// One or four are slower.
const CLAIMERS: u16 = 2;

#[derive(Deserialize, JobArgs, Serialize)]
struct NoOp {
    number: u32,
}

fn client(pool: PgPool, recorder: Option<Recorder>) -> Result<Client> {
    let config = QueueConfig {
        max_workers: WORKERS,
        claimers: CLAIMERS,
        deadline_duration: Duration::ZERO,
        ..QueueConfig::default()
    };
    let client = Client::builder(pool).queue(QUEUE, config).register::<NoOp, _, _>(move |job, _| {
        let recorder = recorder.clone();
        async move {
            if let Some(recorder) = recorder {
                recorder.run(job.number).await;
            }
            Ok(JobResult::Completed)
        }
    });
    Ok(client.build()?)
}

pub struct Awa {
    pool: PgPool,
    storage: QueueStorage,
}

impl Contender for Awa {
    /// It always uses LISTEN.
    const CAN_POLL: bool = false;

    async fn install(url: &str) -> Result<()> {
        let pool = PgPool::connect(url).await?;
        awa::migrations::run(&pool).await?;
        // The first worker of an empty database chooses the engine; jobs enqueued earlier would stay in the old one.
        let first = client(pool.clone(), None)?;
        first.start().await?;
        first.shutdown(Duration::from_secs(10)).await;
        pool.close().await;
        Ok(())
    }

    async fn open(url: &str, _: &str) -> Result<Self> {
        let pool = PgPool::connect(url).await?;
        Ok(Self { pool, storage: QueueStorage::new(QueueStorageConfig::default())? })
    }

    async fn enqueue_one(&mut self, number: u32) -> Result<()> {
        let options = InsertOpts { queue: QUEUE.to_owned(), ..InsertOpts::default() };
        awa::insert_with(&self.pool, &NoOp { number }, options).await?;
        Ok(())
    }

    async fn enqueue_many(&mut self, numbers: Range<u32>, due: Due) -> Result<()> {
        let jobs = numbers.map(|number| {
            let options =
                InsertOpts { queue: QUEUE.to_owned(), run_at: due.at(number), ..InsertOpts::default() };
            awa::insert::params_with(&NoOp { number }, options)
        });
        let jobs = jobs.collect::<Result<Vec<InsertParams>, _>>()?;
        self.storage.enqueue_params_copy(&self.pool, &jobs).await?;
        Ok(())
    }

    async fn done(&self, _: u64) -> Result<u64> {
        Ok(self.storage.queue_counts(&self.pool, QUEUE).await?.terminal.try_into()?)
    }

    async fn work(url: &str, _: Option<&str>, _: WakeUp, recorder: Recorder) -> Result<()> {
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect(url).await?;
        let client = client(pool, Some(recorder))?;
        client.start().await?;
        std::future::pending().await
    }
}
