//! Questions to the database that share their statements: while one round is on its way, whoever comes waits for the
//! next, and all who wait are answered by one statement. What group commit does for writers, this does for readers.
//!
//! The statement of a round is sent after every one of its questions was put. So its answer holds what was committed,
//! and told to anybody, before the question.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

/// What is asked, and how a round of it is answered.
pub(crate) trait Ask: Send + Sync + 'static {
    /// One question.
    type Question: Send + 'static;
    /// Its answer.
    type Answer: Send + 'static;

    /// Answers questions, in their order, by statements sent from now on. An answer that is missing is taken as a
    /// failure by who asked.
    fn answer(&self, questions: Vec<Self::Question>) -> impl Future<Output = Vec<Self::Answer>> + Send;
}

/// The rounds of one kind of question. Cheap to clone.
pub(crate) struct Rounds<A: Ask>(Arc<Inner<A>>);

struct Inner<A: Ask> {
    ask: A,
    next: Mutex<Next<A>>,
}

struct Next<A: Ask> {
    /// Whether a round is on its way; it is followed by one for those who wait.
    running: bool,
    waiting: Vec<Waiting<A>>,
}

type Waiting<A> = (<A as Ask>::Question, oneshot::Sender<<A as Ask>::Answer>);

impl<A: Ask> Rounds<A> {
    pub(crate) fn new(ask: A) -> Self {
        Self(Arc::new(Inner { ask, next: Mutex::new(Next { running: false, waiting: Vec::new() }) }))
    }

    /// The answer of a round that begins after this call; `None` when it failed.
    pub(crate) async fn ask(&self, question: A::Question) -> Option<A::Answer> {
        let (sender, answer) = oneshot::channel();
        let start = {
            let mut next = self.0.next.lock().unwrap_or_else(PoisonError::into_inner);
            next.waiting.push((question, sender));
            !std::mem::replace(&mut next.running, true)
        };
        if start {
            // A task of its own: whoever asked first may be gone before the others are answered.
            tokio::spawn(Runner { inner: Arc::clone(&self.0), ended: false }.run());
        }
        answer.await.ok()
    }
}

impl<A: Ask> Clone for Rounds<A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// Runs rounds until nobody waits. If it panics before, those who wait are sent away and the next one starts anew.
struct Runner<A: Ask> {
    inner: Arc<Inner<A>>,
    ended: bool,
}

impl<A: Ask> Runner<A> {
    async fn run(mut self) {
        while let Some(round) = self.take() {
            let (questions, senders): (Vec<_>, Vec<_>) = round.into_iter().unzip();
            for (sender, answer) in senders.into_iter().zip(self.inner.ask.answer(questions).await) {
                // Whoever asked may be gone.
                let _ = sender.send(answer);
            }
        }
    }

    fn take(&mut self) -> Option<Vec<Waiting<A>>> {
        let mut next = self.inner.next.lock().unwrap_or_else(PoisonError::into_inner);
        if next.waiting.is_empty() {
            next.running = false;
            self.ended = true;
            return None;
        }
        Some(std::mem::take(&mut next.waiting))
    }
}

impl<A: Ask> Drop for Runner<A> {
    fn drop(&mut self) {
        // After an orderly end another runner may be at work.
        if !self.ended {
            let mut next = self.inner.next.lock().unwrap_or_else(PoisonError::into_inner);
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

    /// Answers with the number of the round, when it is let.
    struct Gate {
        rounds: AtomicUsize,
        open: Arc<Semaphore>,
    }

    impl Ask for Gate {
        type Question = usize;
        type Answer = (usize, usize);

        async fn answer(&self, questions: Vec<usize>) -> Vec<(usize, usize)> {
            let round = self.rounds.fetch_add(1, Ordering::Relaxed);
            self.open.acquire().await.unwrap().forget();
            assert!(!questions.contains(&13), "a bad question");
            questions.into_iter().map(|question| (question, round)).collect()
        }
    }

    fn gate() -> (Rounds<Gate>, Arc<Semaphore>) {
        let open = Arc::new(Semaphore::new(0));
        (Rounds::new(Gate { rounds: AtomicUsize::new(0), open: Arc::clone(&open) }), open)
    }

    #[tokio::test]
    async fn who_comes_during_a_round_waits_for_the_next_and_shares_it() {
        let (rounds, open) = gate();
        let first = tokio::spawn({
            let rounds = rounds.clone();
            async move { rounds.ask(0).await }
        });
        while rounds.0.ask.rounds.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        let mut rest: Vec<_> = (1..5).map(|question| rounds.ask(question).boxed()).collect();
        for asked in &mut rest {
            assert!(poll!(asked).is_pending());
        }
        open.add_permits(2);
        assert_eq!(first.await.unwrap(), Some((0, 0)));
        let answers: Vec<_> = join_all(rest).await.into_iter().flatten().collect();
        assert_eq!(answers, [(1, 1), (2, 1), (3, 1), (4, 1)]);
    }

    #[tokio::test]
    async fn who_gives_up_takes_nobody_along() {
        let (rounds, open) = gate();
        let mut first = rounds.ask(0).boxed();
        assert!(poll!(&mut first).is_pending());
        drop(first);
        let second = rounds.ask(1);
        open.add_permits(2);
        assert!(second.await.is_some());
    }

    #[tokio::test]
    async fn a_round_that_fails_is_the_last_of_nothing() {
        let (rounds, open) = gate();
        open.add_permits(9);
        assert_eq!(rounds.ask(13).await, None);
        assert!(rounds.ask(1).await.is_some());
    }
}
