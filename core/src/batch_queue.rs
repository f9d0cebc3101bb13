//! Group commit: concurrent writes wait in one queue and are committed in batches. A batch starts at once while fewer than
//! a set number run; requests that arrive meanwhile form the next one. After a batch of several requests the next one waits
//! a little for more of them.
//!
//! Every request names the keys (here: calendars) it writes. Batches that run at the same time share no key, and requests
//! that share a key are served in order of arrival, so none is overtaken forever.

use std::collections::{HashMap, HashSet, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;
use uuid::Uuid;

/// Requests that may wait; further ones are refused.
const MAX_WAITING: usize = 10_000;
/// Requests of one batch: beyond this a request hardly becomes cheaper, and the batch takes longer.
const MAX_BATCH: usize = 64;
/// Batches that may wait for locks of other processes at the same time. Each uses a connection meanwhile.
const MAX_LOCK_WAITS: usize = 4;

/// How a batch may wait for locks that other transactions hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LockMode {
    /// Not at all: requests that meet such a lock are returned as [`RequestResult::Locked`].
    Skip,
    /// For calendars.
    WaitForCalendars,
    /// For everything. Such a batch has one request.
    Wait,
}

/// The result of a request in a batch.
pub(crate) enum RequestResult<R, A> {
    Answer(A),
    /// Another transaction holds a lock it needs. It is run again, in a batch of this mode.
    Locked(R, LockMode),
}

/// Runs batches.
pub(crate) trait RunBatch: Clone + Send + Sync + 'static {
    type Request: Send + 'static;
    type Answer: Send + 'static;

    /// Serves the requests, which are in order of arrival; the results are in the same order.
    fn run(
        &self,
        requests: Vec<Self::Request>,
        mode: LockMode,
    ) -> impl Future<Output = Vec<RequestResult<Self::Request, Self::Answer>>> + Send;

    /// How long the queue collects requests after a batch of several has ended. The clients that it answered come back with
    /// their next requests, and a batch of 16 costs Postgres less than a third of what 16 batches of one do.
    fn gather(&self) -> Duration {
        Duration::ZERO
    }

    /// Starts the task of a batch.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(task);
    }
}

/// Why a request was not served.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotServed {
    /// The queue is full.
    Full,
    /// It waited too long for its batch to start.
    TimedOut,
    /// Its batch panicked.
    Panicked,
}

/// The waiting requests of one kind.
pub(crate) struct BatchQueue<R, A>(Mutex<State<R, A>>);

struct State<R, A> {
    waiting: VecDeque<Entry<R, A>>,
    /// How many waiting requests have a key.
    waiting_keys: HashMap<Uuid, usize>,
    /// The keys of running batches.
    busy: HashSet<Uuid>,
    running: usize,
    /// No batch starts before this instant, unless it would be full.
    gather_until: Option<Instant>,
    /// Whether a task waits for that instant.
    is_gathering: bool,
    lock_waits: usize,
    next_id: u64,
}

struct Entry<R, A> {
    id: u64,
    keys: Vec<Uuid>,
    mode: LockMode,
    request: R,
    answer: oneshot::Sender<A>,
}

impl<R, A> Default for BatchQueue<R, A> {
    fn default() -> Self {
        Self(Mutex::new(State {
            waiting: VecDeque::new(),
            waiting_keys: HashMap::new(),
            busy: HashSet::new(),
            running: 0,
            gather_until: None,
            is_gathering: false,
            lock_waits: 0,
            next_id: 0,
        }))
    }
}

impl<R: Send + 'static, A: Send + 'static> BatchQueue<R, A> {
    /// Submits a request and waits for its answer, for at most `timeout` until its batch starts. At most
    /// `max_running` batches run at the same time, beside those that wait for locks. A request whose caller is cancelled is
    /// dropped if its batch has not started; else it is still served.
    ///
    /// # Errors
    /// See [`NotServed`].
    pub(crate) async fn submit<B: RunBatch<Request = R, Answer = A>>(
        self: &Arc<Self>,
        runner: &B,
        max_running: usize,
        timeout: Duration,
        keys: Vec<Uuid>,
        request: R,
    ) -> Result<A, NotServed> {
        let (sender, mut answer) = oneshot::channel();
        let id = {
            let mut state = self.lock();
            if state.waiting.len() >= MAX_WAITING {
                return Err(NotServed::Full);
            }
            state.next_id += 1;
            let id = state.next_id;
            // A request behind another one with its key is taken when that one has been served.
            let is_free =
                keys.iter().all(|key| !state.busy.contains(key) && !state.waiting_keys.contains_key(key));
            state.push_back(Entry { id, keys, mode: LockMode::Skip, request, answer: sender });
            if is_free {
                self.start_batches(&mut state, runner, max_running);
            }
            id
        };
        if let Ok(answer) = tokio::time::timeout(timeout, &mut answer).await {
            return answer.map_err(|_| NotServed::Panicked);
        }
        if self.lock().remove(id) {
            return Err(NotServed::TimedOut);
        }
        answer.await.map_err(|_| NotServed::Panicked)
    }

    fn start_batches<B: RunBatch<Request = R, Answer = A>>(
        self: &Arc<Self>,
        state: &mut State<R, A>,
        runner: &B,
        max_running: usize,
    ) {
        if let Some(until) = state.gathers_until() {
            if !std::mem::replace(&mut state.is_gathering, true) {
                let (queue, next) = (Arc::clone(self), runner.clone());
                runner.spawn(async move {
                    tokio::time::sleep_until(until).await;
                    let mut state = queue.lock();
                    state.is_gathering = false;
                    queue.start_batches(&mut state, &next, max_running);
                });
            }
        } else {
            while state.running < max_running
                && let Some(batch) = state.take(LockMode::Skip)
            {
                state.running += 1;
                self.spawn(runner, max_running, batch, LockMode::Skip);
            }
        }
        while state.lock_waits < MAX_LOCK_WAITS {
            let Some((batch, mode)) = [LockMode::WaitForCalendars, LockMode::Wait]
                .into_iter()
                .find_map(|mode| state.take(mode).map(|batch| (batch, mode)))
            else {
                break;
            };
            state.lock_waits += 1;
            self.spawn(runner, max_running, batch, mode);
        }
    }

    /// Runs the batch in a task of its own, so that no caller's cancellation ends it.
    fn spawn<B: RunBatch<Request = R, Answer = A>>(
        self: &Arc<Self>,
        runner: &B,
        max_running: usize,
        batch: Vec<Entry<R, A>>,
        mode: LockMode,
    ) {
        let keys = batch.iter().flat_map(|entry| entry.keys.iter().copied()).collect();
        let mut ended = BatchGuard {
            queue: Arc::clone(self),
            runner: runner.clone(),
            max_running,
            keys,
            size: batch.len(),
            mode,
            locked: Vec::new(),
        };
        runner.spawn(async move {
            let mut requests = Vec::with_capacity(batch.len());
            let mut callers = Vec::with_capacity(batch.len());
            for Entry { id, keys, request, answer, .. } in batch {
                requests.push(request);
                callers.push((id, keys, answer));
            }
            let served = ended.runner.run(requests, mode).await;
            for ((id, keys, answer), served) in callers.into_iter().zip(served) {
                match served {
                    // The caller may have been cancelled.
                    RequestResult::Answer(value) => drop(answer.send(value)),
                    RequestResult::Locked(request, mode) => {
                        ended.locked.push(Entry { id, keys, mode, request, answer });
                    }
                }
            }
        });
    }

    fn lock(&self) -> MutexGuard<'_, State<R, A>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R, A> State<R, A> {
    fn push_back(&mut self, entry: Entry<R, A>) {
        self.count_keys(&entry.keys);
        self.waiting.push_back(entry);
    }

    fn count_keys(&mut self, keys: &[Uuid]) {
        for key in keys {
            *self.waiting_keys.entry(*key).or_default() += 1;
        }
    }

    /// The instant that waiting requests wait for, to be joined by more.
    fn gathers_until(&self) -> Option<Instant> {
        if self.waiting.is_empty() || self.waiting.len() >= MAX_BATCH {
            return None;
        }
        self.gather_until.filter(|until| *until > Instant::now())
    }

    fn forget_keys(&mut self, keys: &[Uuid]) {
        for key in keys {
            if let Some(count) = self.waiting_keys.get_mut(key) {
                *count -= 1;
                if *count == 0 {
                    self.waiting_keys.remove(key);
                }
            }
        }
    }

    fn remove(&mut self, id: u64) -> bool {
        let Some(at) = self.waiting.iter().position(|entry| entry.id == id) else { return false };
        if let Some(entry) = self.waiting.remove(at) {
            self.forget_keys(&entry.keys);
        }
        true
    }

    /// Takes the next batch of this mode and marks its keys as busy. A batch that waits for calendars has only requests
    /// that share a key with its first one, so that it waits for few calendars.
    fn take(&mut self, mode: LockMode) -> Option<Vec<Entry<R, A>>> {
        if self.waiting.is_empty() {
            return None;
        }
        let limit = if mode == LockMode::Wait { 1 } else { MAX_BATCH };
        let mut blocked = self.busy.clone();
        let mut shared: Option<HashSet<Uuid>> = None;
        let (mut batch, mut left) = (Vec::new(), VecDeque::with_capacity(self.waiting.len()));
        let mut waiting = std::mem::take(&mut self.waiting);
        while let Some(entry) = waiting.pop_front() {
            if batch.len() == limit {
                left.push_back(entry);
                break;
            }
            if entry.answer.is_closed() {
                self.forget_keys(&entry.keys);
                continue;
            }
            let is_free = entry.mode == mode
                && !entry.keys.iter().any(|key| blocked.contains(key))
                && (mode != LockMode::WaitForCalendars
                    || shared
                        .as_ref()
                        .is_none_or(|shared| entry.keys.iter().any(|key| shared.contains(key))));
            if is_free {
                self.forget_keys(&entry.keys);
                shared.get_or_insert_default().extend(&entry.keys);
                batch.push(entry);
            } else {
                // Later requests with one of its keys stay behind it.
                blocked.extend(&entry.keys);
                left.push_back(entry);
            }
        }
        left.append(&mut waiting);
        self.waiting = left;
        if batch.is_empty() {
            return None;
        }
        self.busy.extend(batch.iter().flat_map(|entry| &entry.keys));
        Some(batch)
    }
}

/// Releases the keys of a batch when it ends, also by a panic, and starts the next batches.
struct BatchGuard<B: RunBatch> {
    queue: Arc<BatchQueue<B::Request, B::Answer>>,
    runner: B,
    max_running: usize,
    keys: HashSet<Uuid>,
    size: usize,
    mode: LockMode,
    /// Requests to run again; they keep their place in the order.
    locked: Vec<Entry<B::Request, B::Answer>>,
}

impl<B: RunBatch> Drop for BatchGuard<B> {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        for key in &self.keys {
            state.busy.remove(key);
        }
        if self.mode == LockMode::Skip {
            state.running -= 1;
            state.gather_until = (self.size > 1).then(|| Instant::now() + self.runner.gather());
        } else {
            state.lock_waits -= 1;
        }
        for entry in self.locked.drain(..).rev() {
            state.count_keys(&entry.keys);
            state.waiting.push_front(entry);
        }
        // Not while the runtime shuts down.
        if tokio::runtime::Handle::try_current().is_ok() {
            self.queue.start_batches(&mut state, &self.runner, self.max_running);
        }
    }
}

#[cfg(test)]
mod tests;
