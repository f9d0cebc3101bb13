//! Keeps the session alive, on a connection of its own.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::dedicated_conn::{CallError, DedicatedConn};
use super::metrics;
use super::shared::RuntimeShared;
use crate::ids::new_id;
use crate::store::session;

/// Between records of the kinds that this worker handles. A kind counts as abandoned after a day without one.
const KINDS_INTERVAL: Duration = Duration::from_mins(10);
/// Between retries while Postgres does not answer.
const RETRY: Duration = Duration::from_millis(500);

/// Opens the first session; waits for Postgres as long as it takes.
pub(crate) async fn open_first_session(shared: &RuntimeShared, db: &mut DedicatedConn) {
    let mut reported = false;
    while let Err(error) = open_session(shared, db).await {
        metrics::database_error("session");
        if !reported {
            tracing::warn!(error = %error, "waiting for Postgres");
            reported = true;
        }
        tokio::time::sleep(RETRY).await;
    }
}

/// Sends heartbeats until it is dropped.
pub(crate) async fn run(shared: Arc<RuntimeShared>, mut db: DedicatedConn) {
    let mut kinds_at = Instant::now() + KINDS_INTERVAL;
    loop {
        let pause = match send(&shared, &mut db).await {
            Ok(()) => shared.timing.beat,
            Err(error) => {
                metrics::database_error("heartbeat");
                tracing::warn!(error = %error, age = ?shared.heartbeat.age(), "a heartbeat failed");
                RETRY.min(shared.timing.beat)
            }
        };
        if Instant::now() >= kinds_at {
            kinds_at = Instant::now() + KINDS_INTERVAL;
            let kinds = &shared.kind_names;
            // After a failure the next record comes well within the day.
            let _ = db
                .call(shared.timing.beat_deadline, async |conn| session::see_kinds(conn, kinds).await)
                .await;
        }
        tokio::time::sleep(pause).await;
    }
}

async fn send(shared: &RuntimeShared, db: &mut DedicatedConn) -> Result<(), CallError> {
    let (sent, id, deadline) = (Instant::now(), shared.session(), shared.timing.beat_deadline);
    if db.call(deadline, async |conn| session::beat(conn, id).await).await? {
        shared.heartbeat.record(id, sent);
    } else {
        tracing::warn!(session = %id, "the session was ended by the leader: opening a new one");
        open_session(shared, db).await?;
        shared.session_changed.notify_one();
    }
    let (queues, ttl) = (&shared.queue_names, shared.timing.ttl);
    let serving = db.call(deadline, async |conn| session::serving(conn, queues, ttl).await).await?;
    *shared.serving.lock().unwrap_or_else(PoisonError::into_inner) = serving.into_iter().collect();
    Ok(())
}

async fn open_session(shared: &RuntimeShared, db: &mut DedicatedConn) -> Result<Uuid, CallError> {
    let (sent, id) = (Instant::now(), new_id(shared.now()));
    db.call(shared.timing.beat_deadline, async |conn| {
        let RuntimeShared { name, version, queue_names, kind_names, .. } = shared;
        session::open(conn, id, name, version.as_deref(), queue_names, kind_names).await?;
        session::see_kinds(conn, &shared.kind_names).await
    })
    .await?;
    shared.heartbeat.record(id, sent);
    Ok(id)
}
