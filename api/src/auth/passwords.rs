//! Passwords: argon2id (RFC 9106) on threads of their own, one fewer than processors, with a short queue before them.
//! A login storm fills that queue and gets 503; it takes neither the async threads nor the last processor from other
//! requests. The threads' lower priority helps on a single processor: it works among the api's own threads, not between the
//! api and a database that the system schedules in another group.

use std::{
    collections::HashMap,
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

use crate::{
    http::problem::{Code, Problem},
    throttle::{HashPermit, Subject},
};

/// OWASP's first choice for argon2id with 19 MiB.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A decoy hash, so that an unknown address takes the same time as a wrong password.
const DECOY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$cHVuY3R1YWwtZGVjb3ktMQ$7JbZ8Vj0kq1n0m3v8y2b5x9c4a6s1d3f5g7h9j2k4l8";

/// The result of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// The password matches.
    Yes,
    /// It does not match, or there is none.
    No,
}

enum HashTask {
    Hash { password: String, answer: oneshot::Sender<Option<String>>, share: Share },
    Verify { password: String, hash: Option<String>, answer: oneshot::Sender<Verified>, share: Share },
}

/// Number of waiting or running passwords by account and by client, so that neither can fill the queue alone.
#[derive(Default)]
struct Shares(Mutex<HashMap<Subject, usize>>);

impl Shares {
    /// Takes a place of the account, then one of the client, if each has fewer than `most`.
    fn take(self: &Arc<Self>, permit: HashPermit, most: [usize; 2]) -> Option<Share> {
        let mut share = Share { shares: Arc::clone(self), subjects: Vec::new() };
        for (subject, most) in permit.shares().into_iter().flatten().zip(most) {
            let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let count = taken.entry(subject).or_default();
            if *count >= most {
                return None;
            }
            *count += 1;
            drop(taken);
            share.subjects.push(subject);
        }
        Some(share)
    }
}

/// A password's places, released when it is done.
struct Share {
    shares: Arc<Shares>,
    subjects: Vec<Subject>,
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut taken = self.shares.0.lock().unwrap_or_else(PoisonError::into_inner);
        for subject in &self.subjects {
            if let Some(count) = taken.get_mut(subject) {
                *count -= 1;
                if *count == 0 {
                    taken.remove(subject);
                }
            }
        }
    }
}

/// The threads that hash.
pub struct Passwords {
    queue: Mutex<Option<SyncSender<HashTask>>>,
    threads: usize,
    places: usize,
    shares: Arc<Shares>,
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
        Self { queue: Mutex::new(None), threads, places, shares: Arc::default() }
    }

    /// The PHC string of a new password.
    ///
    /// # Errors
    /// `overloaded` when the queue is full, `too_many_requests` when the account's or the client's share of it is full.
    pub async fn hash(&self, password: String, permit: HashPermit) -> Result<String, Problem> {
        let (answer, hash) = oneshot::channel();
        let share = self.share(permit)?;
        self.submit(HashTask::Hash { password, answer, share })?;
        hash.await.ok().flatten().ok_or_else(|| Problem::new(Code::InternalError).cause("hashing a password"))
    }

    /// Whether `hash` is of `password`. Without a hash it takes the same time and returns no match.
    ///
    /// # Errors
    /// `overloaded` when the queue is full, `too_many_requests` when the account's or the client's share of it is full.
    pub async fn verify(
        &self,
        password: String,
        hash: Option<String>,
        permit: HashPermit,
    ) -> Result<Verified, Problem> {
        let (answer, verified) = oneshot::channel();
        let share = self.share(permit)?;
        self.submit(HashTask::Verify { password, hash, answer, share })?;
        verified.await.map_err(|_| Problem::new(Code::InternalError).cause("verifying a password"))
    }

    /// An eighth of the queue for one account, three quarters for one client, which may be many behind one address.
    /// Beyond that the client gets 429 instead of 503.
    fn share(&self, permit: HashPermit) -> Result<Share, Problem> {
        let most = [(self.places / 8).max(2), (self.places * 3 / 4).max(2)];
        self.shares
            .take(permit, most)
            .ok_or_else(|| Problem::new(Code::TooManyRequests).retry_after(Duration::from_secs(1)))
    }

    fn submit(&self, work: HashTask) -> Result<(), Problem> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = match &mut *queue {
            Some(sender) => sender,
            empty => empty.insert(start(self.threads, self.places)?),
        };
        match sender.try_send(work) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => Err(full()),
            Err(TrySendError::Disconnected(_)) => {
                *queue = None;
                Err(Problem::new(Code::InternalError).cause("the threads that hash passwords ended"))
            }
        }
    }
}

fn full() -> Problem {
    metrics::counter!("password_queue_full_total").increment(1);
    Problem::new(Code::Overloaded).retry_after(Duration::from_secs(1))
}

fn start(threads: usize, places: usize) -> Result<SyncSender<HashTask>, Problem> {
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

fn run(receiver: &Mutex<Receiver<HashTask>>) {
    lower_priority();
    // Kept while more work waits: new memory costs a page fault for every 4 KiB.
    let mut memory = Vec::new();
    loop {
        // If the lock is taken, another thread already waits.
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
            // The caller may have been cancelled.
            HashTask::Hash { answer, .. } if answer.is_closed() => {}
            HashTask::Verify { answer, .. } if answer.is_closed() => {}
            HashTask::Hash { password, answer, share } => {
                let hash = hash(&password);
                drop(share);
                let _ = answer.send(hash);
            }
            HashTask::Verify { password, hash, answer, share } => {
                let verified = verify(&password, hash.as_deref(), &mut memory);
                drop(share);
                let _ = answer.send(verified);
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
    // On Linux the priority of a thread id applies to that thread only. A failure only affects fairness.
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
        let hash = passwords.hash("correct horse".to_owned(), HashPermit::of_operator()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let verify = async |password: &str, hash: Option<&String>| {
            passwords.verify(password.to_owned(), hash.cloned(), HashPermit::of_operator()).await.unwrap()
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
        let all = (0..8).map(|_| passwords.hash("correct horse".to_owned(), HashPermit::of_operator()));
        let results = futures::future::join_all(all).await;
        let refused: Vec<_> = results.into_iter().filter_map(Result::err).collect();
        assert!(!refused.is_empty() && refused.len() < 8, "{}", refused.len());
        assert!(
            refused
                .iter()
                .all(|problem| problem.code == Code::Overloaded && problem.facts.retry_after.is_some())
        );
    }

    #[tokio::test]
    async fn failing_logins_of_one_account_leave_places_to_others() {
        let passwords = Passwords::new(1, 32);
        let login = |account: u8, client: u8| {
            let permit = HashPermit::of_subjects([Subject::of([account; 16]), Subject::of([client; 16])]);
            passwords.verify("wrong horse".to_owned(), None, permit)
        };
        let attack = futures::future::join_all((0..64).map(|client| login(1, 100 + client)));
        let (attack, other) = futures::join!(attack, login(2, 9));
        let hashed = attack.iter().filter(|result| result.is_ok()).count();
        assert_eq!(hashed, 4, "an eighth of the places");
        assert_eq!(other.unwrap(), Verified::No, "somebody else is not turned away");
        assert_eq!(login(1, 8).await.unwrap(), Verified::No, "the places are given back");
        let one_client = futures::future::join_all((0..64).map(|account| login(account, 7))).await;
        assert_eq!(one_client.iter().filter(|result| result.is_ok()).count(), 24);
    }
}
