//! Passwords: argon2id (RFC 9106) on threads of their own, one fewer than processors, with a short queue before them.
//! A login storm fills that queue and is told to come back; it takes neither the async threads nor the last processor
//! from other requests. A lower priority, where the platform has one, is for machines with a single processor: it
//! counts among the api's own threads, but not between the api and a database that the system groups apart from it.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    time::Duration,
};

use argon2::{
    Algorithm, Argon2, Block, Params, PasswordHasher, Version,
    password_hash::phc::{Output, PasswordHash},
};
use tokio::sync::oneshot;

use crate::http::problem::{Code, Problem};

/// OWASP's first choice for argon2id with 19 MiB.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A hash of nothing anybody knows: an unknown address costs the same time as a wrong password.
const DECOY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$cHVuY3R1YWwtZGVjb3ktMQ$7JbZ8Vj0kq1n0m3v8y2b5x9c4a6s1d3f5g7h9j2k4l8";

/// How a password compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// It is the one.
    Yes,
    /// It is not, or there is none.
    No,
}

enum Work {
    Hash { password: String, answer: oneshot::Sender<Option<String>> },
    Verify { password: String, hash: Option<String>, answer: oneshot::Sender<Verified> },
}

/// The threads that hash.
pub struct Passwords {
    queue: Mutex<Option<SyncSender<Work>>>,
    threads: usize,
    places: usize,
}

impl Passwords {
    /// `threads` threads (0: one fewer than processors, at least one), started with the first password, and `places`
    /// waiting places.
    #[must_use]
    pub fn new(threads: usize, places: usize) -> Self {
        let threads = match threads {
            0 => std::thread::available_parallelism()
                .map_or(1, |all| usize::from(all).saturating_sub(1).max(1)),
            threads => threads,
        };
        Self { queue: Mutex::new(None), threads, places }
    }

    /// The PHC string of a new password.
    ///
    /// # Errors
    /// `overloaded` when the queue is full.
    pub async fn hash(&self, password: String) -> Result<String, Problem> {
        let (answer, hash) = oneshot::channel();
        self.submit(Work::Hash { password, answer })?;
        hash.await.ok().flatten().ok_or_else(|| Problem::new(Code::InternalError).cause("hashing a password"))
    }

    /// Whether `hash` is of `password`. Without a hash it takes as long and the answer is no.
    ///
    /// # Errors
    /// `overloaded` when the queue is full.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<Verified, Problem> {
        let (answer, verified) = oneshot::channel();
        self.submit(Work::Verify { password, hash, answer })?;
        verified.await.map_err(|_| Problem::new(Code::InternalError).cause("verifying a password"))
    }

    fn submit(&self, work: Work) -> Result<(), Problem> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = match &mut *queue {
            Some(sender) => sender,
            empty => empty.insert(start(self.threads, self.places)?),
        };
        match sender.try_send(work) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => {
                metrics::counter!("password_queue_full_total").increment(1);
                Err(Problem::new(Code::Overloaded).retry_after(Duration::from_secs(1)))
            }
            Err(TrySendError::Disconnected(_)) => {
                *queue = None;
                Err(Problem::new(Code::InternalError).cause("the threads that hash passwords ended"))
            }
        }
    }
}

fn start(threads: usize, places: usize) -> Result<SyncSender<Work>, Problem> {
    let (sender, receiver) = sync_channel(places);
    let receiver = Arc::new(Mutex::new(receiver));
    for index in 0..threads {
        let receiver = Arc::clone(&receiver);
        std::thread::Builder::new()
            .name(format!("password-{index}"))
            .spawn(move || run(&receiver))
            .map_err(|error| Problem::new(Code::InternalError).cause(error))?;
    }
    Ok(sender)
}

fn run(receiver: &Mutex<Receiver<Work>>) {
    lower_priority();
    // Kept while more work waits: new memory costs a page fault for every four of its KiB.
    let mut memory = Vec::new();
    loop {
        // Who cannot look has a colleague who waits already.
        let waiting = receiver.try_lock().ok().and_then(|receiver| receiver.try_recv().ok());
        let work = waiting.map_or_else(
            || {
                memory = Vec::new();
                receiver.lock().unwrap_or_else(PoisonError::into_inner).recv()
            },
            Ok,
        );
        let Ok(work) = work else { return };
        match work {
            // Whoever asked may be gone: then the answer goes nowhere.
            Work::Hash { answer, .. } if answer.is_closed() => {}
            Work::Verify { answer, .. } if answer.is_closed() => {}
            Work::Hash { password, answer } => drop(answer.send(hash(&password))),
            Work::Verify { password, hash, answer } => {
                let _ = answer.send(verify(&password, hash.as_deref(), &mut memory));
            }
        }
    }
}

fn argon2() -> Option<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &str) -> Option<String> {
    argon2()?.hash_password(password.as_bytes()).ok().map(|hash| hash.to_string())
}

fn verify(password: &str, hash: Option<&str>, memory: &mut Vec<Block>) -> Verified {
    let compared = is_of(password, hash.unwrap_or(DECOY), memory) == Some(true);
    if hash.is_some() && compared { Verified::Yes } else { Verified::No }
}

/// Whether the PHC string is of the password; `None` when it is none.
fn is_of(password: &str, hash: &str, memory: &mut Vec<Block>) -> Option<bool> {
    let hash = PasswordHash::new(hash).ok()?;
    let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
    let version = Version::try_from(hash.version?).ok()?;
    let params = Params::try_from(&hash).ok()?;
    let (salt, expected) = hash.salt.as_ref().zip(hash.hash.as_ref())?;
    memory.resize(params.block_count(), Block::new());
    let mut output = vec![0; expected.len()];
    Argon2::new(algorithm, version, params)
        .hash_password_into_with_memory(password.as_bytes(), salt, &mut output, memory)
        .ok()?;
    // In constant time.
    Some(Output::new(&output).ok()? == *expected)
}

#[cfg(target_os = "linux")]
fn lower_priority() {
    // On Linux a thread's id stands for the thread alone. Failing changes nothing but fairness.
    let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), 10);
}

#[cfg(not(target_os = "linux"))]
fn lower_priority() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_verified_and_another_is_not() {
        let passwords = Passwords::new(1, 4);
        let hash = passwords.hash("correct horse".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let verify = async |password: &str, hash: Option<&String>| {
            passwords.verify(password.to_owned(), hash.cloned()).await.unwrap()
        };
        assert_eq!(verify("correct horse", Some(&hash)).await, Verified::Yes);
        assert_eq!(verify("correct house", Some(&hash)).await, Verified::No);
        assert_eq!(verify("correct horse", None).await, Verified::No);
        assert_eq!(verify("correct horse", Some(&"nonsense".to_owned())).await, Verified::No);
    }

    #[test]
    fn the_decoy_costs_what_a_real_hash_costs() {
        let decoy = PasswordHash::new(DECOY).unwrap();
        let real = hash("correct horse").unwrap();
        let real = PasswordHash::new(&real).unwrap();
        assert_eq!((&decoy.algorithm, &decoy.params), (&real.algorithm, &real.params));
        assert_eq!(decoy.hash.map(|hash| hash.len()), real.hash.map(|hash| hash.len()));
    }

    #[tokio::test]
    async fn a_full_queue_says_when_to_come_back() {
        let passwords = Passwords::new(1, 1);
        let all = (0..8).map(|_| passwords.hash("correct horse".to_owned()));
        let results = futures::future::join_all(all).await;
        let refused: Vec<_> = results.into_iter().filter_map(Result::err).collect();
        assert!(!refused.is_empty() && refused.len() < 8, "{}", refused.len());
        assert!(
            refused
                .iter()
                .all(|problem| problem.code == Code::Overloaded && problem.facts.retry_after.is_some())
        );
    }
}
