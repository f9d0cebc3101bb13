//! The order of batches, their keys and their locks.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::join_all;
use tokio::sync::Semaphore;

use super::*;

const TIMEOUT: Duration = Duration::from_mins(1);

/// Answers with the size of the batch, once a permit is available.
#[derive(Clone)]
struct Gate {
    started: Arc<AtomicUsize>,
    open: Arc<Semaphore>,
    /// The request that meets a lock unless its batch may wait.
    locked: usize,
    gather: Duration,
}

impl RunBatch for Gate {
    type Request = usize;
    type Answer = usize;

    fn gather(&self) -> Duration {
        self.gather
    }

    async fn run(&self, requests: Vec<usize>, mode: LockMode) -> Vec<RequestResult<usize, usize>> {
        self.started.fetch_add(1, Ordering::SeqCst);
        self.open.acquire().await.unwrap().forget();
        assert!(!requests.contains(&13), "a bad request");
        let size = requests.len();
        let serve = |request| match mode {
            LockMode::Skip if request == self.locked => {
                RequestResult::Locked(request, LockMode::WaitForCalendars)
            }
            _ => RequestResult::Answer(size),
        };
        requests.into_iter().map(serve).collect()
    }
}

struct World {
    queue: Arc<BatchQueue<usize, usize>>,
    gate: Gate,
}

impl World {
    fn new(locked: usize) -> Self {
        let gate = Gate {
            started: Arc::default(),
            open: Arc::new(Semaphore::new(0)),
            locked,
            gather: Duration::ZERO,
        };
        Self { queue: Arc::default(), gate }
    }

    fn submit(&self, key: u128, request: usize) -> tokio::task::JoinHandle<Result<usize, NotServed>> {
        let (queue, gate) = (Arc::clone(&self.queue), self.gate.clone());
        tokio::spawn(
            async move { queue.submit(&gate, 2, TIMEOUT, vec![Uuid::from_u128(key)], request).await },
        )
    }

    async fn until_started(&self, batches: usize) {
        while self.gate.started.load(Ordering::SeqCst) < batches {
            tokio::task::yield_now().await;
        }
    }

    async fn until_waiting(&self, requests: usize) {
        while self.queue.lock().waiting.len() < requests {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_lone_request_starts_at_once_and_those_that_arrive_meanwhile_share_the_next_batch() {
    let world = World::new(0);
    let first = world.submit(1, 1);
    world.until_started(1).await;
    let rest: Vec<_> = (2..6).map(|request| world.submit(1, request)).collect();
    world.until_waiting(4).await;
    world.gate.open.add_permits(2);
    assert_eq!(first.await.unwrap(), Ok(1));
    for answer in join_all(rest).await {
        assert_eq!(answer.unwrap(), Ok(4));
    }
}

#[tokio::test]
async fn after_a_batch_of_one_the_next_one_waits_for_nobody() {
    let mut world = World::new(0);
    world.gate.gather = TIMEOUT * 60;
    world.gate.open.add_permits(3);
    for _ in 0..3 {
        assert_eq!(world.submit(1, 1).await.unwrap(), Ok(1));
    }
}

#[tokio::test]
async fn after_a_batch_of_several_the_next_one_waits_for_more() {
    let mut world = World::new(0);
    world.gate.gather = Duration::from_millis(50);
    let first = world.submit(1, 1);
    world.until_started(1).await;
    let several = [world.submit(1, 2), world.submit(1, 3)];
    world.until_waiting(2).await;
    world.gate.open.add_permits(9);
    assert_eq!(first.await.unwrap(), Ok(1));
    for answer in join_all(several).await {
        assert_eq!(answer.unwrap(), Ok(2));
    }
    // Started at once, each would be a batch of its own.
    for answer in join_all([world.submit(1, 4), world.submit(2, 5)]).await {
        assert_eq!(answer.unwrap(), Ok(2));
    }
}

#[tokio::test]
async fn two_batches_run_at_a_time_and_never_with_the_same_key() {
    let world = World::new(0);
    let running = [world.submit(1, 1), world.submit(2, 2)];
    world.until_started(2).await;
    let same = world.submit(1, 3);
    let other = world.submit(3, 4);
    world.until_waiting(2).await;
    world.gate.open.add_permits(1);
    world.until_started(3).await;
    world.gate.open.add_permits(9);
    for answer in join_all(running.into_iter().chain([same, other])).await {
        assert!(answer.unwrap().is_ok());
    }
    let state = world.queue.lock();
    assert!(state.busy.is_empty() && state.waiting_keys.is_empty() && state.running == 0);
}

#[tokio::test]
async fn a_locked_request_is_run_again_apart_and_holds_up_no_stranger() {
    let world = World::new(7);
    let locked = world.submit(7, 7);
    world.until_started(1).await;
    world.gate.open.add_permits(1);
    // The batch that waits for the lock.
    world.until_started(2).await;
    let strangers = [world.submit(1, 1), world.submit(2, 2)];
    world.until_started(4).await;
    assert_eq!(world.queue.lock().lock_waits, 1);
    world.gate.open.add_permits(3);
    for answer in join_all(strangers).await {
        assert_eq!(answer.unwrap(), Ok(1));
    }
    assert_eq!(locked.await.unwrap(), Ok(1));
}

#[tokio::test]
async fn a_batch_that_panics_does_not_stop_later_ones() {
    let world = World::new(0);
    world.gate.open.add_permits(9);
    assert_eq!(world.submit(1, 13).await.unwrap(), Err(NotServed::Panicked));
    assert_eq!(world.submit(1, 1).await.unwrap(), Ok(1));
}

#[tokio::test]
async fn a_request_that_waits_too_long_is_refused_and_forgotten() {
    let world = World::new(0);
    let running = world.submit(1, 1);
    world.until_started(1).await;
    let keys = vec![Uuid::from_u128(1)];
    let late = world.queue.submit(&world.gate, 2, Duration::ZERO, keys, 2).await;
    assert_eq!(late, Err(NotServed::TimedOut));
    assert!(world.queue.lock().waiting.is_empty());
    world.gate.open.add_permits(1);
    assert_eq!(running.await.unwrap(), Ok(1));
}
