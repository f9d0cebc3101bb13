//! A worker that stops for so long that others own its jobs.

use punctual_testkit::{Process, Signal, WAIT_TIMEOUT, try_wait_for};

use super::Result;
use super::deployment::Deployment;

/// The last word of a worker's session name.
pub(super) fn session_pid(worker: &Process) -> String {
    worker.pid().to_string()
}

/// Stops a worker until others own its jobs.
pub(super) async fn freeze(deployment: &mut Deployment, at: usize) -> Result<()> {
    let worker = &deployment.workers[at];
    worker.signal(Signal::STOP);
    let pid = session_pid(worker);
    let sessions = "SELECT count(*) FILTER (WHERE ended_at IS NULL), count(*) FROM queue.sessions
                    WHERE split_part(name, ' ', 3) = $1";
    let ended = try_wait_for(WAIT_TIMEOUT, async || {
        let counted: sqlx::Result<(i64, i64)> =
            sqlx::query_as(sessions).bind(&pid).fetch_one(deployment.pool()).await;
        match counted {
            Ok((0, all)) => Ok(all),
            counted => Err(counted),
        }
    });
    let ended = ended.await;
    deployment.workers[at].signal(Signal::CONT);
    let sessions = ended.map_err(|seen| format!("the session of a frozen worker did not end: {seen}"))?;
    if sessions == 0 {
        return Err("a worker that was frozen never had a session".into());
    }
    Ok(())
}
