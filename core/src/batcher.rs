//! Coalesces concurrent requests: while one batch runs, new requests wait, and all that wait are served by one batch
//! that follows. Group commit does this for writes; here it serves reads.
//!
//! The statement of a batch is sent after every request in it arrived, so it sees every write acknowledged before them.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// How the requests of a batch are served.
pub(crate) trait Batch: Send + Sync + 'static {
    /// One request.
    type Request: Send + 'static;
    /// Its answer.
    type Answer: Send + 'static;
    /// Most requests of one batch.
    const MAX: usize = usize::MAX;
    /// Whether requests are dropped whose callers were cancelled before their batch began.
    const DROPS_CANCELLED: bool = false;

    /// Starts the task that runs batches while requests wait.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(task);
    }

    /// Serves the requests; the answers are in the order of the requests. A caller whose answer is missing treats its
    /// request as failed.
    fn run(&self, requests: Vec<Self::Request>) -> impl Future<Output = Vec<Self::Answer>> + Send;
}

/// Collects requests into batches and runs one batch at a time. Cheap to clone.
pub(crate) struct Batcher<B: Batch>(Arc<Inner<B>>);

struct Inner<B: Batch> {
    batch: B,
    next: Mutex<Next<B>>,
}

struct Next<B: Batch> {
    /// Whether a batch runs. The waiting requests form the next one.
    running: bool,
    waiting: Vec<Waiting<B>>,
}

type Waiting<B> = (<B as Batch>::Request, oneshot::Sender<<B as Batch>::Answer>);

impl<B: Batch> Batcher<B> {
    pub(crate) fn new(batch: B) -> Self {
        Self(Arc::new(Inner { batch, next: Mutex::new(Next { running: false, waiting: Vec::new() }) }))
    }

    /// The answer from a batch that begins after this call; `None` when that batch failed.
    pub(crate) async fn submit(&self, request: B::Request) -> Option<B::Answer> {
        let (sender, answer) = oneshot::channel();
        let start = {
            let mut next = self.0.lock();
            next.waiting.push((request, sender));
            !std::mem::replace(&mut next.running, true)
        };
        if start {
            // A separate task: the caller may be cancelled before the other requests of its batch are served.
            self.0.batch.spawn(Runner { inner: Arc::clone(&self.0), finished: false }.run());
        }
        answer.await.ok()
    }
}

impl<B: Batch> Inner<B> {
    fn lock(&self) -> MutexGuard<'_, Next<B>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B: Batch> Clone for Batcher<B> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// Runs batches until no request waits. If a batch panics, waiting requests fail and the next request starts a new
/// runner.
struct Runner<B: Batch> {
    inner: Arc<Inner<B>>,
    finished: bool,
}

impl<B: Batch> Runner<B> {
    async fn run(mut self) {
        while let Some(batch) = self.take() {
            let (requests, senders): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
            for (sender, answer) in senders.into_iter().zip(self.inner.batch.run(requests).await) {
                // The caller may have been cancelled.
                let _ = sender.send(answer);
            }
        }
    }

    fn take(&mut self) -> Option<Vec<Waiting<B>>> {
        let mut next = self.inner.lock();
        if B::DROPS_CANCELLED {
            next.waiting.retain(|(_, sender)| !sender.is_closed());
        }
        if next.waiting.is_empty() {
            next.running = false;
            self.finished = true;
            return None;
        }
        let count = next.waiting.len().min(B::MAX);
        let rest = next.waiting.split_off(count);
        Some(std::mem::replace(&mut next.waiting, rest))
    }
}

impl<B: Batch> Drop for Runner<B> {
    fn drop(&mut self) {
        // After a regular end another runner may already be active.
        if !self.finished {
            let mut next = self.inner.lock();
            next.running = false;
            next.waiting.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::{FutureExt, future::join_all, poll};
    use tokio::sync::Semaphore;

    use super::*;

    /// Answers with the number of the batch, once a permit is available.
    struct Gate {
        batches: AtomicUsize,
        open: Arc<Semaphore>,
    }

    impl Batch for Gate {
        type Request = usize;
        type Answer = (usize, usize);

        async fn run(&self, requests: Vec<usize>) -> Vec<(usize, usize)> {
            let batch = self.batches.fetch_add(1, Ordering::Relaxed);
            self.open.acquire().await.unwrap().forget();
            assert!(!requests.contains(&13), "a bad request");
            requests.into_iter().map(|request| (request, batch)).collect()
        }
    }

    fn gate() -> (Batcher<Gate>, Arc<Semaphore>) {
        let open = Arc::new(Semaphore::new(0));
        (Batcher::new(Gate { batches: AtomicUsize::new(0), open: Arc::clone(&open) }), open)
    }

    #[tokio::test]
    async fn requests_that_arrive_during_a_batch_share_the_next_one() {
        let (batcher, open) = gate();
        let first = tokio::spawn({
            let batcher = batcher.clone();
            async move { batcher.submit(0).await }
        });
        while batcher.0.batch.batches.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        let mut rest: Vec<_> = (1..5).map(|request| batcher.submit(request).boxed()).collect();
        for submitted in &mut rest {
            assert!(poll!(submitted).is_pending());
        }
        open.add_permits(2);
        assert_eq!(first.await.unwrap(), Some((0, 0)));
        let answers: Vec<_> = join_all(rest).await.into_iter().flatten().collect();
        assert_eq!(answers, [(1, 1), (2, 1), (3, 1), (4, 1)]);
    }

    #[tokio::test]
    async fn a_cancelled_caller_does_not_fail_the_others() {
        let (batcher, open) = gate();
        let mut first = batcher.submit(0).boxed();
        assert!(poll!(&mut first).is_pending());
        drop(first);
        let second = batcher.submit(1);
        open.add_permits(2);
        assert!(second.await.is_some());
    }

    /// [`Gate`] with batches of two that leave out cancelled callers.
    struct Narrow(Gate);

    impl Batch for Narrow {
        type Request = usize;
        type Answer = (usize, usize);
        const MAX: usize = 2;
        const DROPS_CANCELLED: bool = true;

        async fn run(&self, requests: Vec<usize>) -> Vec<(usize, usize)> {
            self.0.run(requests).await
        }
    }

    #[tokio::test]
    async fn a_batch_has_its_most_requests_and_none_of_cancelled_callers() {
        let open = Arc::new(Semaphore::new(0));
        let batcher = Batcher::new(Narrow(Gate { batches: AtomicUsize::new(0), open: Arc::clone(&open) }));
        let mut first = batcher.submit(0).boxed();
        assert!(poll!(&mut first).is_pending());
        while batcher.0.batch.0.batches.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        let mut rest: Vec<_> = (1..5).map(|request| batcher.submit(request).boxed()).collect();
        for submitted in &mut rest {
            assert!(poll!(submitted).is_pending());
        }
        drop(rest.remove(0));
        open.add_permits(3);
        assert_eq!(first.await, Some((0, 0)));
        let answers: Vec<_> = join_all(rest).await.into_iter().flatten().collect();
        assert_eq!(answers, [(2, 1), (3, 1), (4, 2)]);
    }

    #[tokio::test]
    async fn a_batch_that_panics_does_not_stop_later_ones() {
        let (batcher, open) = gate();
        open.add_permits(9);
        assert_eq!(batcher.submit(13).await, None);
        assert!(batcher.submit(1).await.is_some());
    }
}
