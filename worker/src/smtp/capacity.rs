//! How many connections the relay allows. Learnt by additive increase and multiplicative decrease, as TCP does: a relay
//! that allows fewer than the worker wants refuses some of them with 421 while the others work.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

/// After a refusal, one more connection is tried each time this has passed.
const GROW_INTERVAL: Duration = Duration::from_secs(30);

/// How many mails keep a connection busy: while one is at the relay, the next is prepared, or the end of the last is recorded.
const MAILS_PER_CONNECTION: usize = 2;

/// The limit and the mails under way. Clones share them.
#[derive(Clone)]
pub(super) struct Capacity {
    state: Arc<Mutex<State>>,
    freed: Arc<Notify>,
    /// How many mails to have under way.
    mails: Arc<watch::Sender<u32>>,
}

struct State {
    /// Mails that may use a connection at a time.
    limit: usize,
    /// As configured.
    most: usize,
    used: usize,
    /// The relay has refused a connection while others worked. Until then the limit doubles.
    refused: bool,
    changed_at: Instant,
    /// No more mails than this, whatever the connections carry.
    bound: Option<u32>,
}

/// The right to use one connection; released when dropped.
#[must_use]
pub(super) struct Slot(Capacity);

impl Capacity {
    /// At most `most` connections; starts with one.
    pub fn new(most: usize) -> Self {
        let most = most.max(1);
        let state =
            State { limit: 1, most, used: 0, refused: false, changed_at: Instant::now(), bound: None };
        let mails = Arc::new(watch::Sender::new(state.mails()));
        Self { state: Arc::new(Mutex::new(state)), freed: Arc::new(Notify::new()), mails }
    }

    /// Waits until a connection may be used.
    pub async fn acquire(&self) -> Slot {
        loop {
            let freed = self.freed.notified();
            tokio::pin!(freed);
            freed.as_mut().enable();
            if self.try_acquire() {
                return Slot(self.clone());
            }
            // The limit also grows with time.
            let _ = tokio::time::timeout(GROW_INTERVAL, freed).await;
        }
    }

    fn try_acquire(&self) -> bool {
        let mut state = self.lock();
        let grows = state.refused && state.used >= state.limit && state.changed_at.elapsed() >= GROW_INTERVAL;
        if grows && state.limit < state.most {
            let limit = state.limit + 1;
            self.set_limit(&mut state, limit);
            state.changed_at = Instant::now();
        }
        let free = state.used < state.limit;
        if free {
            state.used += 1;
        }
        free
    }

    /// The relay took a recipient over a connection; this many are open now.
    pub fn works(&self, open: usize) {
        let mut state = self.lock();
        let wanted = if state.refused { open } else { open * 2 };
        if wanted > state.limit {
            let limit = wanted.min(state.most);
            self.set_limit(&mut state, limit);
            drop(state);
            self.freed.notify_waiters();
        }
    }

    /// The relay refused a connection while this many others were open: for a while no more than these are used.
    pub fn refused(&self, open: usize) {
        let mut state = self.lock();
        let limit = open.clamp(1, state.most);
        self.set_limit(&mut state, limit);
        state.refused = true;
        state.changed_at = Instant::now();
    }

    /// The relay refused the only connection: it takes no mail at all, which says nothing about its limit. Once it does,
    /// connections double again.
    pub fn unavailable(&self) {
        let mut state = self.lock();
        self.set_limit(&mut state, 1);
        state.refused = false;
    }

    /// How many mails to have under way, as it changes.
    pub fn mails(&self) -> watch::Receiver<u32> {
        self.mails.subscribe()
    }

    fn set_limit(&self, state: &mut State, limit: usize) {
        state.limit = limit;
        self.mails.send_replace(state.mails());
    }

    /// Bounds how many mails to have under way, whatever the connections carry. Returns the previous bound.
    pub fn bound(&self, mails: Option<u32>) -> Option<u32> {
        let mut state = self.lock();
        let previous = std::mem::replace(&mut state.bound, mails);
        if previous != mails {
            self.mails.send_replace(state.mails());
        }
        previous
    }

    /// The bound in force.
    pub fn bounded_to(&self) -> Option<u32> {
        self.lock().bound
    }

    /// The limit in force.
    pub fn limit(&self) -> usize {
        self.lock().limit
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// How many mails to have under way.
    fn mails(&self) -> u32 {
        let carried = u32::try_from(self.limit.saturating_mul(MAILS_PER_CONNECTION)).unwrap_or(u32::MAX);
        self.bound.map_or(carried, |bound| bound.min(carried))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.lock().used -= 1;
        self.0.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes as many slots as there are.
    fn take_all(capacity: &Capacity) -> Vec<Slot> {
        std::iter::from_fn(|| capacity.try_acquire().then(|| Slot(capacity.clone()))).collect()
    }

    fn pass(capacity: &Capacity, time: Duration) {
        let mut state = capacity.lock();
        state.changed_at = state.changed_at.checked_sub(time).unwrap();
    }

    #[tokio::test]
    async fn the_limit_doubles_until_the_relay_refuses_and_then_grows_one_by_one() {
        let capacity = Capacity::new(16);
        let first = take_all(&capacity);
        assert_eq!(first.len(), 1, "one connection shows that the relay is there");
        capacity.works(1);
        capacity.works(2);
        assert_eq!(capacity.limit(), 4);
        capacity.refused(2);
        capacity.works(3);
        assert_eq!(capacity.limit(), 3, "one more got in meanwhile");
        drop(first);
        let slots = take_all(&capacity);
        assert_eq!(slots.len(), 3);
        pass(&capacity, GROW_INTERVAL);
        assert!(capacity.try_acquire() && !capacity.try_acquire(), "one more in each interval");
        assert_eq!(capacity.limit(), 4);
    }

    #[tokio::test]
    async fn a_relay_that_was_down_is_not_taken_for_a_small_one() {
        let capacity = Capacity::new(16);
        for open in [1, 2, 4, 8] {
            capacity.works(open);
        }
        // It goes down: the connections that are still open become fewer.
        for open in [12, 5, 1] {
            capacity.refused(open);
        }
        capacity.unavailable();
        assert_eq!(capacity.limit(), 1);
        let mails = capacity.mails();
        for open in [1, 2, 4, 8] {
            capacity.works(open);
        }
        assert_eq!((capacity.limit(), *mails.borrow()), (16, 32));
    }

    #[tokio::test]
    async fn the_limit_is_never_above_the_configured_one_or_below_one() {
        let capacity = Capacity::new(2);
        capacity.works(5);
        assert_eq!(capacity.limit(), 2);
        capacity.refused(0);
        assert_eq!(capacity.limit(), 1);
    }

    #[tokio::test]
    async fn a_bound_holds_for_mails_and_leaves_the_limit_of_connections() {
        let capacity = Capacity::new(16);
        let mails = capacity.mails();
        assert_eq!(capacity.bound(Some(0)), None);
        capacity.works(2);
        assert_eq!((capacity.bounded_to(), *mails.borrow()), (Some(0), 0));
        assert_eq!(capacity.bound(Some(1)), Some(0));
        assert_eq!(*mails.borrow(), 1);
        assert_eq!(capacity.bound(None), Some(1));
        assert_eq!((capacity.limit(), *mails.borrow()), (4, 8));
    }

    #[tokio::test]
    async fn a_freed_slot_goes_to_a_mail_that_waits() {
        let capacity = Capacity::new(16);
        let slot = capacity.acquire().await;
        let waiting = tokio::spawn({
            let capacity = capacity.clone();
            async move { drop(capacity.acquire().await) }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(slot);
        waiting.await.unwrap();
    }
}
