//! Enqueue rate of one producer on one connection, without a worker.

use std::time::Instant;

use anyhow::Result;

use super::{BATCH, Site};
use crate::contenders::{Contender, Due};

/// Jobs per second: one by one, each with its own commit; and in batches.
pub async fn measure<C: Contender>(site: &Site<'_>) -> Result<(f64, f64)> {
    let (database, mut producer) = site.fresh::<C>().await?;
    site.server.settle(&database.name).await?;
    let begun = Instant::now();
    for number in 0..site.sizes.single {
        producer.enqueue_one(number).await?;
    }
    let one = f64::from(site.sizes.single) / begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    all(&mut producer, site.sizes.many, Due::Now).await?;
    let many = f64::from(site.sizes.many) / begun.elapsed().as_secs_f64();
    site.say(&format!("enqueues {one:.0} jobs/s one by one, {many:.0} jobs/s in batches"));
    drop(producer);
    site.server.drop(&database.name).await?;
    Ok((one, many))
}

/// Enqueues this many jobs in batches.
pub async fn all<C: Contender>(producer: &mut C, jobs: u32, due: Due) -> Result<()> {
    for first in (0..jobs).step_by(BATCH as usize) {
        producer.enqueue_many(first..jobs.min(first + BATCH), due).await?;
    }
    Ok(())
}
