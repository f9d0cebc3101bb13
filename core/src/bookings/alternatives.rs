//! Alternatives to slots that are taken. Requests for the same slot share one search: when a sale opens, thousands ask for it
//! at once.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::RequestedSlot;
use crate::batcher::{Batch, Batcher};
use crate::transaction::{BEGIN_READ, Transaction};
use crate::{Alternative, BlockedBy, Core, Error, slots};

/// Searches of one batch that run at the same time. Each uses a connection.
const SEARCHES: usize = 3;

/// Adds alternatives to [`Error::SlotTaken`], under the promised terms of the booking `exclude` if it is a move. Runs after
/// the transaction, so that no lock is held meanwhile.
pub(super) async fn with_alternatives(
    core: &Core,
    error: Error,
    slot: &RequestedSlot,
    exclude: Option<Uuid>,
) -> Error {
    let Error::SlotTaken { blocked_by, .. } = error else { return error };
    let blocked_by = looked_up(core, blocked_by).await;
    let searches: Arc<Batcher<Search>> = core.state(|| Batcher::new(Search { pool: core.pool.clone() }));
    match searches.submit(SearchRequest { slot: slot.clone(), exclude, now: core.now() }).await.flatten() {
        Some(alternatives) => Error::SlotTaken { alternatives, blocked_by },
        None => Error::SlotTaken { alternatives: Vec::new(), blocked_by },
    }
}

/// With what the resource is and its name. Without them if they cannot be read.
pub(super) async fn looked_up(core: &Core, blocked_by: Option<BlockedBy>) -> Option<BlockedBy> {
    let blocked_by = blocked_by?;
    let named = sqlx::query!("SELECT name, kind FROM resources WHERE id = $1", blocked_by.resource_id);
    match named.fetch_optional(&core.pool).await {
        Ok(Some(named)) => {
            let name = (!blocked_by.any).then_some(named.name);
            let resource_id = blocked_by.resource_id.filter(|_| !blocked_by.any);
            Some(BlockedBy { resource_id, kind: Some(named.kind), name, ..blocked_by })
        }
        _ => Some(blocked_by),
    }
}

/// Adds alternatives to the error of a hold that can no longer be booked.
pub(super) async fn with_alternatives_to_hold(core: &Core, error: Error, hold_id: Uuid) -> Error {
    if !matches!(error, Error::SlotTaken { .. }) {
        return error;
    }
    let hold = sqlx::query!(
        r#"SELECT service_id, lower(during) AS "start!", seats FROM bookings WHERE id = $1"#,
        hold_id
    );
    match hold.fetch_optional(&core.pool).await {
        Ok(Some(hold)) => {
            let slot = RequestedSlot {
                service_id: hold.service_id,
                staff_id: None,
                start: hold.start,
                seats: hold.seats.unsigned_abs(),
            };
            with_alternatives(core, error, &slot, Some(hold_id)).await
        }
        _ => error,
    }
}

#[derive(Clone)]
struct Search {
    pool: PgPool,
}

struct SearchRequest {
    slot: RequestedSlot,
    exclude: Option<Uuid>,
    now: DateTime<Utc>,
}

impl Batch for Search {
    type Request = SearchRequest;
    /// None: the search failed.
    type Answer = Option<Vec<Alternative>>;

    async fn run(&self, requests: Vec<SearchRequest>) -> Vec<Self::Answer> {
        let mut distinct: Vec<SearchRequest> = Vec::new();
        let mut places = Vec::with_capacity(requests.len());
        for wanted in requests {
            let equal = |known: &SearchRequest| known.slot == wanted.slot && known.exclude == wanted.exclude;
            let place = distinct.iter().position(equal);
            places.push(place.unwrap_or(distinct.len()));
            if place.is_none() {
                distinct.push(wanted);
            }
        }
        let mut found: Vec<Self::Answer> = distinct.iter().map(|_| None).collect();
        let mut waiting = distinct.into_iter().enumerate();
        let mut searches: JoinSet<(usize, Self::Answer)> = JoinSet::new();
        loop {
            while searches.len() < SEARCHES
                && let Some((place, wanted)) = waiting.next()
            {
                let search = self.clone();
                searches.spawn(async move { (place, search.alternatives(&wanted).await) });
            }
            match searches.join_next().await {
                Some(Ok((place, answer))) => found[place] = answer,
                Some(Err(error)) => tracing::error!(%error, "a search for alternatives panicked"),
                None => break,
            }
        }
        places.into_iter().map(|place| found[place].clone()).collect()
    }
}

impl Search {
    async fn alternatives(&self, wanted: &SearchRequest) -> Option<Vec<Alternative>> {
        let SearchRequest { slot, exclude, now } = wanted;
        let search = async {
            let mut tx = Transaction::begin(&self.pool, BEGIN_READ).await?;
            let found = async {
                let db = tx.conn()?;
                let terms = match exclude {
                    Some(id) => slots::terms_of_booking(db, *id, slot.service_id, slot.staff_id).await?,
                    None => slots::terms(db, slot.service_id, slot.staff_id).await?,
                };
                slots::alternatives(db, *now, &terms, slot.start, slot.seats, *exclude).await
            }
            .await;
            tx.end_read().await;
            found
        };
        search
            .await
            .inspect_err(|error| tracing::warn!(%error, "no alternatives for a slot that is taken"))
            .ok()
    }
}
