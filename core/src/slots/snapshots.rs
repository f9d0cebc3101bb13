//! A cache of slot lists that never returns a stale one.
//!
//! A cached list is used if a check of its revisions, sent after the request arrived, finds all of them unchanged, or if
//! the list was built after the request arrived. `docs/decisions/0015-slot-lists-from-memory.md` explains why that is exact
//! for any number of processes.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use hashlink::LinkedHashMap;

use super::list::{ListWithRevisions, LoadedList, SlotList, SlotQuery, list_with_revisions, load_lists};
use super::revisions::{Check, Revisions};
use crate::batcher::{Batch, Batcher};
use crate::keyed_mutex::KeyedMutex;
use crate::pool::again_if_cut;
use crate::transaction::{BEGIN_READ, Transaction};
use crate::{Core, Error, Result};

/// A list is rebuilt after this time even if no revision changed, so that a manual repair by SQL becomes visible.
const MAX_AGE: TimeDelta = TimeDelta::seconds(60);
/// Timeout of loading the calendars of lists. After it the connection is closed.
pub(super) const BUILD_TIMEOUT: Duration = Duration::from_secs(5);
/// Requests that may wait for one list to be built.
const WAITERS: usize = 10_000;
/// How long they wait for it.
const WAIT_TIMEOUT: Duration = Duration::from_secs(5);
/// `Retry-After` of the refusal.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Bytes of a cached list beside its page.
const OVERHEAD: usize = 512;

/// What is built from a list, once for all requests that share it.
pub trait Page: Sized + Send + Sync + 'static {
    /// Builds it.
    ///
    /// # Errors
    /// Those of serialising the list.
    fn of(list: SlotList) -> Result<Self>;

    /// Approximate size in memory, in bytes.
    fn bytes(&self) -> usize;
}

/// The cache of one process.
pub struct Snapshots<P> {
    cache: Mutex<Cache<P>>,
    checks: Batcher<Check>,
    builders: KeyedMutex<SlotQuery>,
    builds: Batcher<Builds>,
}

struct Cached<P> {
    page: Arc<P>,
    revisions: Arc<Revisions>,
    /// An instant before the first statement was sent.
    begun: Instant,
    /// From the instant it was built for until time alone may change it.
    valid: std::ops::Range<DateTime<Utc>>,
}

impl<P: Page> Snapshots<P> {
    /// Caches lists of at most `bytes` in total and evicts the least recently used. Revision checks use one connection
    /// beside those of the pool.
    #[must_use]
    pub fn new(core: &Core, bytes: usize) -> Self {
        Self {
            cache: Mutex::new(Cache { lists: LinkedHashMap::new(), bytes: 0, max_bytes: bytes }),
            checks: Batcher::new(Check::new(&core.pool)),
            builders: KeyedMutex::new(WAITERS),
            builds: Batcher::new(Builds(core.clone())),
        }
    }

    /// The page of the slots that can be booked now. Like [`super::list`] it reflects every write that any process
    /// acknowledged before this call.
    ///
    /// # Errors
    /// As [`super::list`]; [`Error::Overloaded`].
    pub async fn read(&self, core: &Core, query: &SlotQuery) -> Result<Arc<P>> {
        let asked = Instant::now();
        if let Some(cached) = self.find(query)
            && (cached.begun >= asked
                || self.checks.submit(Arc::clone(&cached.revisions)).await == Some(true))
            && cached.valid.contains(&core.now())
        {
            return Ok(Arc::clone(&cached.page));
        }
        // Boxed: a request that only waits for a check does not reserve the size of this future.
        Box::pin(self.build(core, query, asked)).await
    }

    /// Whether a check sent after this call finds these revisions current.
    pub(crate) async fn are_current(&self, revisions: &Arc<Revisions>) -> bool {
        self.checks.submit(Arc::clone(revisions)).await == Some(true)
    }

    /// One request builds the list; others that arrived before the build began share it.
    async fn build(&self, core: &Core, query: &SlotQuery, asked: Instant) -> Result<Arc<P>> {
        let guard = self.builders.lock(query.clone(), WAIT_TIMEOUT).await;
        let _guard = guard.map_err(|_| Error::Overloaded { retry_after: RETRY_AFTER })?;
        if let Some(cached) = self.find(query)
            && cached.begun >= asked
            && cached.valid.contains(&core.now())
        {
            return Ok(Arc::clone(&cached.page));
        }
        let shared = match query.exclude_booking {
            None => self.builds.submit(query.clone()).await,
            Some(_) => None,
        };
        let Built { list, begun, now } = match shared {
            Some(loaded) => {
                let Loaded { list, begun, now } = loaded?;
                Built { list: list.list(query), begun, now }
            }
            // Its batch failed, or it shares nothing with others.
            None => Built::alone(core, query).await?,
        };
        let ListWithRevisions { list, revisions, until } = list;
        let page = Arc::new(P::of(list)?);
        let valid = now..until.min(now + MAX_AGE);
        let cached = Cached { page: Arc::clone(&page), revisions: Arc::new(revisions), begun, valid };
        self.lock_cache().insert(query.clone(), Arc::new(cached));
        Ok(page)
    }

    /// The page of this query has grown: counts its size as it is now and evicts others for it.
    pub fn reweigh(&self, query: &SlotQuery) {
        let mut cache = self.lock_cache();
        if let Some(entry) = cache.lists.remove(query) {
            cache.bytes -= entry.weight;
            cache.insert(query.clone(), entry.cached);
        }
    }

    fn find(&self, query: &SlotQuery) -> Option<Arc<Cached<P>>> {
        self.lock_cache().lists.to_back(query).map(|entry| Arc::clone(&entry.cached))
    }

    fn lock_cache(&self) -> std::sync::MutexGuard<'_, Cache<P>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A list that was built.
struct Built {
    list: ListWithRevisions,
    /// An instant before the first statement was sent.
    begun: Instant,
    /// The instant it was built for.
    now: DateTime<Utc>,
}

impl Built {
    async fn alone(core: &Core, query: &SlotQuery) -> Result<Self> {
        let (begun, now) = (Instant::now(), core.now());
        let list = again_if_cut(|| async {
            let mut tx = Transaction::begin(&core.pool, BEGIN_READ).await?;
            let list = list_with_revisions(tx.conn()?, now, query).await;
            tx.end_read().await;
            list
        })
        .await?;
        Ok(Self { list, begun, now })
    }
}

/// Loads the calendars of concurrent requests together: a booking makes all lists of its calendar outdated at once.
struct Builds(Core);

/// What a list is built from.
struct Loaded {
    list: LoadedList,
    /// As of [`Built`].
    begun: Instant,
    now: DateTime<Utc>,
}

impl Batch for Builds {
    type Request = SlotQuery;
    type Answer = Result<Loaded>;
    /// So that the first lists of many do not wait for the last.
    const MAX: usize = 32;
    const DROPS_CANCELLED: bool = true;

    /// With the writes: beside a thousand readers each of its five round trips to Postgres would wait for all of them.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.writer.spawn(task);
    }

    async fn run(&self, queries: Vec<SlotQuery>) -> Vec<Result<Loaded>> {
        let Self(core) = self;
        let (begun, now) = (Instant::now(), core.now());
        let loading = again_if_cut(|| async {
            let mut tx = Transaction::begin(core.writer.list_pool(), BEGIN_READ).await?;
            let lists = load_lists(tx.conn()?, now, &queries).await;
            // Only the next batch waits for the COMMIT: it needs the connection.
            core.writer.spawn(tokio::time::timeout(BUILD_TIMEOUT, tx.end_read()));
            lists
        });
        let timed_out = |_| Err(Error::Unavailable(sqlx::Error::Io(io::ErrorKind::TimedOut.into())));
        match tokio::time::timeout(BUILD_TIMEOUT, loading).await.unwrap_or_else(timed_out) {
            Ok(lists) => lists.into_iter().map(|list| Ok(Loaded { list: list?, begun, now })).collect(),
            Err(error @ Error::Unavailable(_)) => {
                queries.iter().map(|_| Err(error.for_one_of_several("slot lists"))).collect()
            }
            Err(error) => {
                tracing::debug!(%error, lists = queries.len(), "each slot list is built by itself");
                Vec::new()
            }
        }
    }
}

/// Lists in the order of their last use.
struct Cache<P> {
    lists: LinkedHashMap<SlotQuery, Entry<P>>,
    bytes: usize,
    max_bytes: usize,
}

struct Entry<P> {
    cached: Arc<Cached<P>>,
    /// What it was counted as, in bytes.
    weight: usize,
}

impl<P: Page> Cache<P> {
    fn insert(&mut self, query: SlotQuery, cached: Arc<Cached<P>>) {
        let weight = weight(&cached);
        self.bytes += weight;
        if let Some(old) = self.lists.insert(query, Entry { cached, weight }) {
            self.bytes -= old.weight;
        }
        while self.bytes > self.max_bytes
            && let Some((_, oldest)) = self.lists.pop_front()
        {
            self.bytes -= oldest.weight;
        }
    }
}

fn weight<P: Page>(cached: &Cached<P>) -> usize {
    OVERHEAD
        + cached.page.bytes()
        + (cached.revisions.staff.len() + cached.revisions.resources.len()) * size_of::<(uuid::Uuid, i64)>()
}
