//! A rolling restart: two apis and four workers are replaced one by one under load.

use std::time::{Duration, Instant};

use super::customers::Load;
use super::deployment::{Deployment, Size};
use super::{Result, THINK_TIME};

const APIS: usize = 2;
const WORKERS: usize = 4;
const CUSTOMERS: u64 = 6;
/// Requests answered before the first and after the last replacement.
const ANSWERS_AROUND: u64 = 40;

/// Result of a rolling restart.
#[derive(Debug, Clone, Copy)]
pub struct Rolled {
    /// How long it took.
    pub took: Duration,
    /// Requests that were made meanwhile.
    pub requests: u64,
    /// How many of them failed.
    pub failed: u64,
    /// Mails that had to be sent.
    pub mails: usize,
    /// How many of them were sent twice.
    pub doubled: usize,
}

/// Replaces everything this many times, with the shipped programs and durations. Customers use the apis that are ready
/// by `/readyz`, and do not retry.
///
/// # Errors
///
/// When something does not start, a mail is lost or anything else differs.
pub async fn roll(times: u64, progress: impl Fn(u64, Rolled)) -> Result<Vec<Rolled>> {
    let size = Size { apis: APIS, workers: WORKERS, accelerated: false };
    let Some(mut deployment) = Deployment::open(size).await? else {
        return Err("there is no Postgres or no Redis".into());
    };
    let mut rounds = Vec::new();
    for round in 1..=times {
        let (began, before) = (Instant::now(), deployment.api_client.observed());
        let (mails_before, _) = deployment.check().await.map_err(|wrong| wrong.join("\n"))?;
        let load = Load::start(&deployment.api_client, CUSTOMERS, round, THINK_TIME / 3);
        deployment.wait_for_answers(ANSWERS_AROUND).await;
        deployment.replace_apis().await?;
        deployment.replace_workers().await?;
        deployment.wait_for_answers(ANSWERS_AROUND).await;
        load.stop().await;
        let (compared, _) = deployment.check().await.map_err(|wrong| wrong.join("\n"))?;
        let after = deployment.api_client.observed();
        let rolled = Rolled {
            took: began.elapsed(),
            requests: after.requests - before.requests,
            failed: after.repeated - before.repeated,
            mails: compared.mails - mails_before.mails,
            doubled: compared.doubled - mails_before.doubled,
        };
        progress(round, rolled);
        rounds.push(rolled);
    }
    Ok(rounds)
}
