//! Fair queues by key within this process: one at a time, in order of arrival, so many at most.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Queues by key. A key nobody holds or waits for takes no memory.
pub struct Turns<K: Eq + Hash> {
    limit: usize,
    places: Arc<Mutex<HashMap<K, Place>>>,
}

struct Place {
    turn: Arc<Semaphore>,
    /// Those who wait or have their turn.
    inside: usize,
}

/// Why there is no turn.
#[derive(Debug, PartialEq, Eq)]
pub enum NoTurn {
    /// Too many wait already.
    Full,
    /// It did not come in time.
    TimedOut,
}

/// A turn; dropping it lets the next one in.
pub struct Turn<K: Eq + Hash + Clone> {
    key: K,
    places: Arc<Mutex<HashMap<K, Place>>>,
    permit: Option<OwnedSemaphorePermit>,
}

impl<K: Eq + Hash + Clone> Turns<K> {
    /// Queues in which `limit` at most wait or have their turn.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, places: Arc::default() }
    }

    /// Waits for the turn, `patience` at most.
    pub async fn take(&self, key: K, patience: Duration) -> Result<Turn<K>, NoTurn> {
        let (semaphore, mut turn) = {
            let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
            let place = places
                .entry(key.clone())
                .or_insert_with(|| Place { turn: Arc::new(Semaphore::new(1)), inside: 0 });
            if place.inside >= self.limit {
                return Err(NoTurn::Full);
            }
            place.inside += 1;
            (place.turn.clone(), Turn { key, places: self.places.clone(), permit: None })
        };
        // From here on `turn` gives the place back, also when this future is dropped.
        match tokio::time::timeout(patience, semaphore.acquire_owned()).await {
            Ok(Ok(permit)) => {
                turn.permit = Some(permit);
                Ok(turn)
            }
            Ok(Err(_)) | Err(_) => Err(NoTurn::TimedOut),
        }
    }
}

impl<K: Eq + Hash + Clone> Drop for Turn<K> {
    fn drop(&mut self) {
        self.permit.take();
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = places.get_mut(&self.key) {
            place.inside -= 1;
            if place.inside == 0 {
                places.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn one_has_the_turn_and_the_next_comes_when_it_ends() {
        let turns = Turns::new(2);
        let first = turns.take("a", PATIENCE).await.ok();
        assert!(first.is_some());
        assert!(turns.take("b", PATIENCE).await.is_ok(), "another key does not wait");
        let next = turns.take("a", PATIENCE);
        tokio::pin!(next);
        assert!(futures::poll!(&mut next).is_pending());
        assert_eq!(turns.take("a", PATIENCE).await.err(), Some(NoTurn::Full));
        drop(first);
        assert!(next.await.is_ok());
    }

    #[tokio::test]
    async fn who_gives_up_leaves_no_trace() {
        let turns = Turns::new(2);
        let first = turns.take("a", PATIENCE).await.ok();
        assert_eq!(turns.take("a", Duration::ZERO).await.err(), Some(NoTurn::TimedOut));
        drop(first);
        assert!(turns.places.lock().unwrap().is_empty());
    }
}
