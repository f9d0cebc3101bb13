//! Our own queue.

use std::ops::Range;

use anyhow::Result;
use punctual_queue::{
    Clock as _, Data, Job, Kind, Outcome, Payload, Queue, Runtime, ServerClock, Shutdown, Wake,
};
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection as _, PgConnection, PgPool};

use super::{CONNECTIONS, Contender, Due, WakeUp};
use crate::recorder::Recorder;

/// Jobs in flight, which bounds the batches of claims and results.
const CONCURRENCY: u32 = 512;

#[derive(Deserialize, Serialize)]
struct NoOp {
    number: u32,
}

impl Payload for NoOp {
    const KIND: &'static str = "no-op.v1";
    const QUEUE: &'static str = "bench";
}

async fn no_op(job: NoOp, recorder: Data<Recorder>) -> Result<Outcome, std::convert::Infallible> {
    recorder.run(job.number).await;
    Ok(Outcome::Done)
}

pub struct Punctual {
    pool: PgPool,
    conn: PgConnection,
    clock: std::sync::Arc<ServerClock>,
    wake: Wake,
}

impl Contender for Punctual {
    async fn install(url: &str) -> Result<()> {
        let mut conn = PgConnection::connect(url).await?;
        punctual_queue::migrate(&mut conn).await?;
        Ok(conn.close().await?)
    }

    async fn open(url: &str, redis: &str) -> Result<Self> {
        let pool = PgPool::connect(url).await?;
        let clock = ServerClock::start(&pool).await?;
        let conn = PgConnection::connect(url).await?;
        Ok(Self { pool, conn, clock, wake: Wake::connect(Some(redis))? })
    }

    async fn enqueue_one(&mut self, number: u32) -> Result<()> {
        let mut tx = self.conn.begin().await?;
        punctual_queue::enqueue(&mut tx, self.clock.now(), Job::new(&NoOp { number })?).await?;
        tx.commit().await?;
        self.wake.wake(NoOp::QUEUE);
        Ok(())
    }

    async fn enqueue_many(&mut self, numbers: Range<u32>, due: Due) -> Result<()> {
        let jobs = numbers.map(|number| {
            let job = Job::new(&NoOp { number })?;
            Ok(if let Some(at) = due.at(number) { job.run_at(at) } else { job })
        });
        let jobs = jobs.collect::<Result<Vec<_>>>()?;
        let mut tx = self.conn.begin().await?;
        punctual_queue::enqueue_many(&mut tx, self.clock.now(), jobs).await?;
        tx.commit().await?;
        self.wake.wake(NoOp::QUEUE);
        Ok(())
    }

    async fn done(&self, _: u64) -> Result<u64> {
        let done: i64 = sqlx::query_scalar("SELECT count(*) FROM queue.jobs WHERE state = 'completed'")
            .fetch_one(&self.pool)
            .await?;
        Ok(done.try_into()?)
    }

    async fn work(url: &str, redis: Option<&str>, _: WakeUp, recorder: Recorder) -> Result<()> {
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect(url).await?;
        let clock = ServerClock::start(&pool).await?;
        let runtime = Runtime::builder(pool, clock)
            .redis(redis, "")
            .concurrency(CONCURRENCY)
            .queue(Queue::new(NoOp::QUEUE).concurrency(CONCURRENCY))
            .kind(Kind::new::<NoOp, _, _>(no_op))
            .data(recorder)
            .build()?;
        Ok(runtime.run(Shutdown::new()).await?)
    }
}
