//! Keeps the session alive, on a connection of its own.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::crew::Crew;
use super::link::{Link, LinkError, within};
use super::metrics;
use crate::ids::new_id;
use crate::store::session;

/// Between notes of which kinds this worker takes; they count as abandoned after a day.
const KINDS: Duration = Duration::from_mins(10);
/// Between tries while Postgres does not answer.
const RETRY: Duration = Duration::from_millis(500);

/// Opens the first session, waiting for Postgres as long as it takes.
pub(crate) async fn open_first(crew: &Crew, link: &mut Link) {
    let mut told = false;
    while let Err(error) = open(crew, link).await {
        metrics::database_error("session");
        if !told {
            tracing::warn!(error = %error, "waiting for Postgres");
            told = true;
        }
        tokio::time::sleep(RETRY).await;
    }
}

/// Beats until it is dropped.
pub(crate) async fn beat(crew: Arc<Crew>, mut link: Link) {
    let mut kinds_at = Instant::now() + KINDS;
    loop {
        let pause = match once(&crew, &mut link).await {
            Ok(()) => crew.timing.beat,
            Err(error) => {
                metrics::database_error("heartbeat");
                tracing::warn!(error = %error, age = ?crew.pulse.age(), "a heartbeat failed");
                RETRY.min(crew.timing.beat)
            }
        };
        if Instant::now() >= kinds_at {
            kinds_at = Instant::now() + KINDS;
            let noted = within(crew.timing.beat_deadline, async {
                session::see_kinds(link.open().await?, &crew.kind_names).await
            });
            // A failure is made up for ten minutes later; a day has many of them.
            let noted = noted.await;
            let _ = link.check(noted);
        }
        tokio::time::sleep(pause).await;
    }
}

async fn once(crew: &Crew, link: &mut Link) -> Result<(), LinkError> {
    let (sent, id) = (Instant::now(), crew.session());
    let beaten =
        within(crew.timing.beat_deadline, async { session::beat(link.open().await?, id).await }).await;
    if link.check(beaten)? {
        crew.pulse.beat(id, sent);
    } else {
        tracing::warn!(session = %id, "the session was ended by the leader: opening a new one");
        open(crew, link).await?;
        crew.session_changed.notify_one();
    }
    let serving = within(crew.timing.beat_deadline, async {
        session::serving(link.open().await?, &crew.queue_names, crew.timing.ttl).await
    });
    let serving = serving.await;
    let serving = link.check(serving)?;
    *crew.serving.lock().unwrap_or_else(PoisonError::into_inner) = serving.into_iter().collect();
    Ok(())
}

async fn open(crew: &Crew, link: &mut Link) -> Result<Uuid, LinkError> {
    let (sent, id) = (Instant::now(), new_id(crew.now()));
    let opened = within(crew.timing.beat_deadline, async {
        let conn = link.open().await?;
        session::open(conn, id, &crew.name, &crew.queue_names, &crew.kind_names).await?;
        session::see_kinds(conn, &crew.kind_names).await
    });
    let opened = opened.await;
    link.check(opened)?;
    crew.pulse.beat(id, sent);
    Ok(id)
}
