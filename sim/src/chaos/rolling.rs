//! A release: two apis and four workers are replaced one by one while customers are served.

use std::time::{Duration, Instant};

use super::customers::Load;
use super::deployment::{Deployment, Size};
use super::{Result, THOUGHT};

const APIS: usize = 2;
const WORKERS: usize = 4;
const CUSTOMERS: u64 = 6;
/// Requests that are answered before the first and after the last replacement.
const CALM: u64 = 40;

/// What a rolling restart cost.
#[derive(Debug, Clone, Copy)]
pub struct Rolled {
    /// How long it took.
    pub took: Duration,
    /// Requests that were made meanwhile.
    pub requests: u64,
    /// How many of them got no answer or were turned away.
    pub failed: u64,
    /// Mails that were owed.
    pub mails: usize,
    /// How many of them went out twice.
    pub doubled: usize,
}

/// Replaces everything so many times, with the programs and the durations that are shipped. Customers go to whichever
/// api says on `/readyz` that it is ready, and do not try again.
///
/// # Errors
/// When something does not start, or when a mail is lost or anything else differs.
pub async fn roll(times: u64, progress: impl Fn(u64, Rolled)) -> Result<Vec<Rolled>> {
    let size = Size { apis: APIS, workers: WORKERS, accelerated: false };
    let Some(mut deployment) = Deployment::open(size).await? else {
        return Err("there is no Postgres or no Redis".into());
    };
    let mut rounds = Vec::new();
    for round in 1..=times {
        let (began, before) = (Instant::now(), deployment.api_client.observed());
        let mails_before = deployment.check().await.map_err(|wrong| wrong.join("\n"))?;
        let load = Load::start(&deployment.api_client, CUSTOMERS, round, THOUGHT / 3);
        deployment.wait_for_answers(CALM).await;
        deployment.replace_apis().await?;
        deployment.replace_workers().await?;
        deployment.wait_for_answers(CALM).await;
        load.stop().await;
        let compared = deployment.check().await.map_err(|wrong| wrong.join("\n"))?;
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
