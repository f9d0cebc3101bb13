//! Whether what a list of slots was made from still stands.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgPool, Postgres, pool::PoolConnection};
use uuid::Uuid;

use crate::Result;
use crate::pool::again_if_cut;
use crate::rounds::Ask;

/// How long one check may take; past it the connection is closed and the lists concerned are made anew.
const DEADLINE: Duration = Duration::from_secs(2);

/// The revisions of all that a list was made from, read in the statement that came before the rest or with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// When the database server started. After a fail-over the revisions may count other changes than they did.
    pub(crate) server: DateTime<Utc>,
    /// `settings.calendar_rev`: settings, closures, services and who performs them.
    pub(crate) business: i64,
    /// `staff.calendar_rev` of everyone concerned, active or not.
    pub(crate) staff: Vec<(Uuid, i64)>,
}

/// Compares with the database on a connection of its own, so that no check waits behind bookings.
pub(super) struct Check {
    pool: PgPool,
}

impl Check {
    pub(super) fn new(pool: &PgPool) -> Self {
        let options = pool.options().clone().max_connections(1);
        Self { pool: options.connect_lazy_with((*pool.connect_options()).clone()) }
    }

    /// The server's start, the business's revision, and which of the staff have another revision than the one given;
    /// `None` where there is no such member of staff.
    async fn now(&self, staff_ids: &[Uuid], revs: &[i64]) -> Result<Now> {
        let mut connection = Discarded(Some(self.pool.acquire().await?));
        let rows = sqlx::query!(
            r#"SELECT pg_postmaster_start_time() AS "server!", settings.calendar_rev AS business, changed.id AS "id?",
                      changed.rev AS "rev?"
               FROM settings LEFT JOIN (
                   SELECT known.id, staff.calendar_rev AS rev
                   FROM unnest($1::uuid[], $2::bigint[]) AS known (id, rev) LEFT JOIN staff ON staff.id = known.id
                   WHERE staff.calendar_rev IS DISTINCT FROM known.rev
               ) AS changed ON true"#,
            staff_ids,
            revs,
        )
        .fetch_all(connection.get()?)
        .await?;
        connection.keep();
        let of_all = rows.first().map(|row| (row.server, row.business));
        let changed = rows.into_iter().filter_map(|row| Some((row.id?, row.rev))).collect();
        Ok(Now { of_all, changed })
    }
}

struct Now {
    /// None before the business is set up.
    of_all: Option<(DateTime<Utc>, i64)>,
    changed: HashMap<Uuid, Option<i64>>,
}

impl Ask for Check {
    type Question = Arc<Seen>;
    /// Whether all of it stands.
    type Answer = bool;

    async fn answer(&self, questions: Vec<Arc<Seen>>) -> Vec<bool> {
        let mut asked: HashMap<Uuid, i64> = HashMap::with_capacity(questions.len());
        for (id, rev) in questions.iter().flat_map(|seen| &seen.staff) {
            asked.entry(*id).or_insert(*rev);
        }
        let (ids, revs): (Vec<Uuid>, Vec<i64>) = asked.iter().unzip();
        let now = tokio::time::timeout(DEADLINE, again_if_cut(|| self.now(&ids, &revs))).await;
        let now = match now {
            Ok(Ok(now)) => now,
            // Who asked makes the list anew, and meets whatever is wrong there.
            Ok(Err(error)) => {
                tracing::debug!(%error, "revisions cannot be read");
                return vec![false; questions.len()];
            }
            Err(_) => return vec![false; questions.len()],
        };
        let stands = |id: &Uuid, rev: i64| match now.changed.get(id) {
            Some(current) => *current == Some(rev),
            None => asked.get(id) == Some(&rev),
        };
        questions
            .iter()
            .map(|seen| {
                now.of_all == Some((seen.server, seen.business))
                    && seen.staff.iter().all(|(id, rev)| stands(id, *rev))
            })
            .collect()
    }
}

/// A connection that is closed unless it is kept: after a deadline nobody knows what state it is in.
struct Discarded(Option<PoolConnection<Postgres>>);

impl Discarded {
    fn get(&mut self) -> Result<&mut sqlx::PgConnection> {
        self.0.as_deref_mut().ok_or_else(|| crate::Error::internal("revisions", "the connection is gone"))
    }

    fn keep(mut self) {
        self.0.take();
    }
}

impl Drop for Discarded {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(connection.detach());
        }
    }
}
