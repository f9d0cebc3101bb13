//! Lists of slots kept in memory, and handed out only while they are what the database would answer.
//!
//! A kept list is used if a check of its revisions, sent after the question came, finds all of them unchanged, or if the
//! list itself was made after the question came; `docs/decisions/0015-slot-lists-from-memory.md` says why that is exact
//! for any number of processes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use hashlink::LinkedHashMap;
use sqlx::PgPool;

use super::list::{Looked, SlotList, SlotQuery, look};
use super::revisions::{Check, Seen};
use crate::pool::again_if_cut;
use crate::rounds::Rounds;
use crate::turns::Turns;
use crate::{Core, Error, Result};

/// A list is made anew after this time even if no revision moved: who repairs a calendar by hand with SQL, and forgets
/// its revision, sees the repair then.
const LONGEST: TimeDelta = TimeDelta::seconds(60);
/// How many may wait for one list that is being made.
const WAITERS: usize = 10_000;
/// How long they wait.
const PATIENCE: Duration = Duration::from_secs(5);
/// When those sent away are to come back.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// What a kept list takes beside its page.
const OVERHEAD: usize = 512;

/// What is made of a list, once for all who ask for it.
pub trait Page: Sized + Send + Sync + 'static {
    /// Makes it.
    ///
    /// # Errors
    /// Those of writing it down.
    fn of(list: SlotList) -> Result<Self>;

    /// Bytes of memory it takes, about.
    fn bytes(&self) -> usize;
}

/// The lists that one process keeps.
pub struct Snapshots<P> {
    kept: Mutex<Shelf<P>>,
    checks: Rounds<Check>,
    makers: Turns<SlotQuery>,
}

struct Kept<P> {
    page: Arc<P>,
    seen: Arc<Seen>,
    /// Before its first statement was sent.
    begun: Instant,
    /// As of when it is, and from when on time may have changed it.
    good: std::ops::Range<DateTime<Utc>>,
}

impl<P: Page> Snapshots<P> {
    /// Keeps lists of at most `bytes` in all; those that nobody asked for longest go first. The checks take one
    /// connection beside those of the pool.
    #[must_use]
    pub fn new(pool: &PgPool, bytes: usize) -> Self {
        Self {
            kept: Mutex::new(Shelf { lists: LinkedHashMap::new(), bytes: 0, most: bytes }),
            checks: Rounds::new(Check::new(pool)),
            makers: Turns::new(WAITERS),
        }
    }

    /// The page of the slots that can be booked now. Like [`super::list`] it shows every write that was acknowledged,
    /// by whatever process, before it was called.
    ///
    /// # Errors
    /// As [`super::list`]; [`Error::Overloaded`].
    pub async fn read(&self, core: &Core, query: &SlotQuery) -> Result<Arc<P>> {
        let asked = Instant::now();
        if let Some(kept) = self.find(query)
            && (kept.begun >= asked || self.checks.ask(Arc::clone(&kept.seen)).await == Some(true))
            && kept.good.contains(&core.now())
        {
            return Ok(Arc::clone(&kept.page));
        }
        // Apart, so that who only waits for a check holds no room for all of this.
        Box::pin(self.make(core, query, asked)).await
    }

    /// One makes it, and the others take theirs if it was begun after they asked.
    async fn make(&self, core: &Core, query: &SlotQuery, asked: Instant) -> Result<Arc<P>> {
        let turn = self.makers.take(query.clone(), PATIENCE).await;
        let _turn = turn.map_err(|_| Error::Overloaded { retry_after: RETRY_AFTER })?;
        if let Some(kept) = self.find(query)
            && kept.begun >= asked
            && kept.good.contains(&core.now())
        {
            return Ok(Arc::clone(&kept.page));
        }
        let begun = Instant::now();
        let now = core.now();
        let Looked { list, seen, until } =
            again_if_cut(|| async { look(&mut *core.pool.acquire().await?, now, query).await }).await?;
        let page = Arc::new(P::of(list)?);
        let good = now..until.min(now + LONGEST);
        let kept = Kept { page: Arc::clone(&page), seen: Arc::new(seen), begun, good };
        self.shelf().put(query.clone(), Arc::new(kept));
        Ok(page)
    }

    fn find(&self, query: &SlotQuery) -> Option<Arc<Kept<P>>> {
        self.shelf().lists.to_back(query).map(|kept| Arc::clone(kept))
    }

    fn shelf(&self) -> std::sync::MutexGuard<'_, Shelf<P>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lists in the order in which they were last asked for.
struct Shelf<P> {
    lists: LinkedHashMap<SlotQuery, Arc<Kept<P>>>,
    bytes: usize,
    most: usize,
}

impl<P: Page> Shelf<P> {
    fn put(&mut self, query: SlotQuery, kept: Arc<Kept<P>>) {
        self.bytes += weight(&kept);
        if let Some(old) = self.lists.insert(query, kept) {
            self.bytes -= weight(&old);
        }
        while self.bytes > self.most
            && let Some((_, oldest)) = self.lists.pop_front()
        {
            self.bytes -= weight(&oldest);
        }
    }
}

fn weight<P: Page>(kept: &Kept<P>) -> usize {
    OVERHEAD + kept.page.bytes() + kept.seen.staff.len() * size_of::<(uuid::Uuid, i64)>()
}
