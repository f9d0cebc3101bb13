//! A mutex for each key, within this process: first come, first served, with a limit on how many wait.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Mutexes by key. A key without a holder or waiter takes no memory.
pub struct KeyedMutex<K: Eq + Hash> {
    limit: usize,
    entries: Arc<Mutex<HashMap<K, Entry>>>,
}

struct Entry {
    semaphore: Arc<Semaphore>,
    /// Tasks that hold the mutex or wait for it.
    users: usize,
}

/// Why a mutex was not acquired.
#[derive(Debug, PartialEq, Eq)]
pub enum LockError {
    /// The limit of waiting tasks is reached.
    Full,
    /// The wait timed out.
    TimedOut,
}

/// Holds the mutex of one key until it is dropped.
pub struct KeyedMutexGuard<K: Eq + Hash + Clone> {
    key: K,
    entries: Arc<Mutex<HashMap<K, Entry>>>,
    permit: Option<OwnedSemaphorePermit>,
}

impl<K: Eq + Hash + Clone> KeyedMutex<K> {
    /// Mutexes that at most `limit` tasks each hold or wait for.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, entries: Arc::default() }
    }

    /// Acquires the mutex of `key`, waiting for at most `timeout`.
    ///
    /// # Errors
    /// See [`LockError`].
    pub async fn lock(&self, key: K, timeout: Duration) -> Result<KeyedMutexGuard<K>, LockError> {
        let (semaphore, mut guard) = {
            let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            let entry = entries
                .entry(key.clone())
                .or_insert_with(|| Entry { semaphore: Arc::new(Semaphore::new(1)), users: 0 });
            if entry.users >= self.limit {
                return Err(LockError::Full);
            }
            entry.users += 1;
            let guard = KeyedMutexGuard { key, entries: self.entries.clone(), permit: None };
            (entry.semaphore.clone(), guard)
        };
        // From here on the guard's drop leaves the entry, also when this future is dropped.
        match tokio::time::timeout(timeout, semaphore.acquire_owned()).await {
            Ok(Ok(permit)) => {
                guard.permit = Some(permit);
                Ok(guard)
            }
            Ok(Err(_)) | Err(_) => Err(LockError::TimedOut),
        }
    }
}

impl<K: Eq + Hash + Clone> Drop for KeyedMutexGuard<K> {
    fn drop(&mut self) {
        self.permit.take();
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.get_mut(&self.key) {
            entry.users -= 1;
            if entry.users == 0 {
                entries.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT_TIMEOUT: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn one_task_holds_a_key_and_the_next_gets_it_when_it_is_released() {
        let mutex = KeyedMutex::new(2);
        let first = mutex.lock("a", WAIT_TIMEOUT).await.ok();
        assert!(first.is_some());
        assert!(mutex.lock("b", WAIT_TIMEOUT).await.is_ok(), "another key does not wait");
        let next = mutex.lock("a", WAIT_TIMEOUT);
        tokio::pin!(next);
        assert!(futures::poll!(&mut next).is_pending());
        assert_eq!(mutex.lock("a", WAIT_TIMEOUT).await.err(), Some(LockError::Full));
        drop(first);
        assert!(next.await.is_ok());
    }

    #[tokio::test]
    async fn a_wait_that_times_out_leaves_no_entry() {
        let mutex = KeyedMutex::new(2);
        let first = mutex.lock("a", WAIT_TIMEOUT).await.ok();
        assert_eq!(mutex.lock("a", Duration::ZERO).await.err(), Some(LockError::TimedOut));
        drop(first);
        assert!(mutex.entries.lock().unwrap().is_empty());
    }
}
