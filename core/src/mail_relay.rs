//! Shared state about the mail server: which worker's circuit is open, an operator's request to test the mail server now,
//! and that a mail was accepted.
//!
//! Each worker opens its own circuit: another process may reach the mail server while it does not. A success is shared:
//! each worker then tries again at once.

use chrono::{DateTime, TimeDelta, Utc};
use punctual_queue::Payload;
use punctual_queue::ops::{self, WorkerStatus};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::notifications::SendNotification;
use crate::{Core, Error, Result};

/// Prefix of the reason for which a mail waits for the mail server.
pub const WAIT_REASON: &str = "waits for the mail server";
/// A process that has not confirmed its row for this long has ended.
const SEEN_WITHIN: TimeDelta = TimeDelta::minutes(1);

/// The open circuit of a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCircuit {
    /// The worker process.
    pub process_id: Uuid,
    /// Its name.
    pub process_name: String,
    /// Host and port of the mail server.
    pub relay: String,
    /// When the next mail may test the mail server.
    pub open_until: DateTime<Utc>,
    /// How many consecutive times it has opened.
    pub openings: i32,
    /// SMTP step and reply code of the last failure.
    pub failure: String,
    /// When it opened first.
    pub opened_at: DateTime<Utc>,
}

/// What other processes have written to the row of an open circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharedState {
    /// How many consecutive times the circuit had opened when its process wrote the row.
    pub openings: i32,
    /// A mail was accepted: close the circuit.
    pub is_closed: bool,
    /// Mails may test the mail server from this instant on.
    pub open_until: DateTime<Utc>,
}

/// The open circuits of live workers, the longest open first.
///
/// # Errors
/// The database's.
pub async fn open_circuits(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Vec<OpenCircuit>> {
    let circuits = sqlx::query_as!(
        OpenCircuit,
        "SELECT process_id, process_name, relay, open_until, openings, failure, opened_at
         FROM mail_relay_circuits WHERE closed_at IS NULL AND seen_at > $1 ORDER BY opened_at, process_id",
        now - SEEN_WITHIN,
    )
    .fetch_all(conn)
    .await?;
    Ok(circuits)
}

/// Whether another live worker sends mails and its circuit is closed.
///
/// # Errors
/// The database's.
pub async fn others_get_through(core: &Core, process_id: Uuid) -> Result<bool> {
    let mut conn = core.pool.acquire().await?;
    let workers = ops::workers(&mut conn).await?;
    let sends = |worker: &WorkerStatus| worker.queues.iter().any(|queue| queue == SendNotification::QUEUE);
    let circuits = open_circuits(&mut conn, core.now()).await?;
    // The row of a process that has just died is not that of a live worker.
    let is_live = |circuit: &OpenCircuit| workers.iter().any(|worker| worker.name == circuit.process_name);
    let others_open = circuits.iter().filter(|circuit| circuit.process_id != process_id && is_live(circuit));
    Ok(workers.iter().filter(|worker| sends(worker)).count().saturating_sub(1) > others_open.count())
}

/// Records that this process's circuit has opened, or opened again.
///
/// # Errors
/// The database's.
pub async fn opened(conn: &mut PgConnection, now: DateTime<Utc>, circuit: &OpenCircuit) -> Result<()> {
    let recorded = sqlx::query!(
        "INSERT INTO mail_relay_circuits AS c
             (process_id, process_name, relay, open_until, openings, failure, opened_at, seen_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
         ON CONFLICT (process_id) DO UPDATE
         SET open_until = excluded.open_until, openings = excluded.openings, failure = excluded.failure,
             opened_at = CASE WHEN c.closed_at IS NULL THEN c.opened_at ELSE excluded.opened_at END,
             closed_at = NULL, seen_at = excluded.seen_at",
        circuit.process_id,
        circuit.process_name,
        circuit.relay,
        circuit.open_until,
        circuit.openings,
        circuit.failure,
        now,
    )
    .execute(conn)
    .await?;
    if recorded.rows_affected() == 1 {
        Ok(())
    } else {
        Err(Error::internal("recording an open circuit", "no row was written"))
    }
}

/// Confirms that this process's circuit is still open, and returns what others have written. `None`: it has no row.
///
/// # Errors
/// The database's.
pub async fn confirm_open(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    process_id: Uuid,
) -> Result<Option<SharedState>> {
    let shared = sqlx::query_as!(
        SharedState,
        r#"UPDATE mail_relay_circuits SET seen_at = $2 WHERE process_id = $1
           RETURNING openings, closed_at IS NOT NULL AS "is_closed!", open_until"#,
        process_id,
        now,
    )
    .fetch_optional(conn)
    .await?;
    Ok(shared)
}

/// Records that this mail server accepted a mail: the circuits of all workers close, and all mails that wait for
/// it are due. Returns how many mails that is.
///
/// # Errors
/// The database's.
pub async fn succeeded(core: &Core, relay: &str) -> Result<u64> {
    let now = core.now();
    let mut tx = core.pool.begin().await?;
    sqlx::query!(
        "UPDATE mail_relay_circuits SET closed_at = $2 WHERE relay = $1 AND closed_at IS NULL",
        relay,
        now,
    )
    .execute(&mut *tx)
    .await?;
    let released = release(&mut tx, now).await?;
    tx.commit().await?;
    core.wake.wake(SendNotification::QUEUE);
    Ok(released)
}

/// Removes this process's row if it says that the circuit is closed, or `in_any_case`, and the rows of processes that ended
/// an hour ago.
///
/// # Errors
/// The database's.
pub async fn forget(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    process_id: Uuid,
    in_any_case: bool,
) -> Result<()> {
    sqlx::query!(
        "DELETE FROM mail_relay_circuits
         WHERE (process_id = $1 AND (closed_at IS NOT NULL OR $2)) OR seen_at < $3",
        process_id,
        in_any_case,
        now - TimeDelta::hours(1),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Lets the next mail of each worker test the mail server, and makes the mails due that wait for it. Returns the number
/// of open circuits and of mails. The caller wakes the queue after the commit.
pub(crate) async fn probe_now(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<(u64, u64)> {
    let circuits = sqlx::query!(
        "UPDATE mail_relay_circuits SET open_until = $1 WHERE closed_at IS NULL AND seen_at > $2",
        now,
        now - SEEN_WITHIN,
    )
    .execute(&mut *conn)
    .await?;
    Ok((circuits.rows_affected(), release(conn, now).await?))
}

/// Makes the mails due that wait for the mail server.
///
/// # Errors
/// The database's.
pub async fn release_waiting(core: &Core) -> Result<()> {
    if release(&mut *core.pool.acquire().await?, core.now()).await? > 0 {
        core.wake.wake(SendNotification::QUEUE);
    }
    Ok(())
}

async fn release(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<u64> {
    Ok(ops::release(conn, now, SendNotification::QUEUE, WAIT_REASON).await?)
}
