//! Alternatives to slots that are taken. Requests for the same slot share one search: when a sale opens, thousands ask for it
//! at once.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use super::WantedSlot;
use crate::batcher::{Batch, Batcher};
use crate::{Alternative, Core, Error, Result, slots};

/// Adds alternatives to [`Error::SlotTaken`]. Runs after the transaction, so that no lock is held meanwhile. `exclude` is a
/// booking to be moved.
pub(super) async fn with_alternatives(
    core: &Core,
    error: Error,
    slot: &WantedSlot,
    exclude: Option<Uuid>,
) -> Error {
    if !matches!(error, Error::SlotTaken { .. }) {
        return error;
    }
    let searches: Arc<Batcher<Search>> = core.state(|| Batcher::new(Search { pool: core.pool.clone() }));
    match searches.submit(Wanted { slot: slot.clone(), exclude, now: core.now() }).await.flatten() {
        Some(alternatives) => Error::SlotTaken { alternatives },
        None => error,
    }
}

struct Search {
    pool: PgPool,
}

struct Wanted {
    slot: WantedSlot,
    exclude: Option<Uuid>,
    now: DateTime<Utc>,
}

impl Batch for Search {
    type Request = Wanted;
    /// None: the search failed.
    type Answer = Option<Vec<Alternative>>;

    async fn run(&self, requests: Vec<Wanted>) -> Vec<Self::Answer> {
        let mut found: Vec<(&Wanted, Self::Answer)> = Vec::new();
        let mut answers = Vec::with_capacity(requests.len());
        for wanted in &requests {
            let known = found
                .iter()
                .find(|(known, _)| known.slot == wanted.slot && known.exclude == wanted.exclude)
                .map(|(_, answer)| answer.clone());
            let answer = if let Some(answer) = known {
                answer
            } else {
                let answer = self.search(wanted).await;
                found.push((wanted, answer.clone()));
                answer
            };
            answers.push(answer);
        }
        answers
    }
}

impl Search {
    async fn search(&self, wanted: &Wanted) -> Option<Vec<Alternative>> {
        let search: Result<_> = async {
            let mut db = self.pool.acquire().await?;
            let terms = slots::terms(&mut db, wanted.slot.service_id, wanted.slot.staff_id).await?;
            slots::alternatives(&mut db, wanted.now, &terms, wanted.slot.start, wanted.exclude).await
        }
        .await;
        search.inspect_err(|error| tracing::warn!(%error, "no alternatives for a slot that is taken")).ok()
    }
}
