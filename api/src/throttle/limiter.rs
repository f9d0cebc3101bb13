use std::{
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use hmac::{Hmac, KeyInit, Mac};
use punctual_core::{
    config::{Key, RequestLimit, RequestLimits},
    keyed_mutex::{KeyedMutex, KeyedMutexGuard},
    types::EmailAddress,
};
use sha2::Sha256;
use uuid::Uuid;

use super::{
    logs::Logs,
    policy::{Counts, KeyedBy, Policy},
    shared::Shared,
    subject::{LimitDecision, Subject, Token},
};

/// Prefix of hashed subjects: separates them from any other use of the same key.
const CONTEXT: &[u8] = b"punctual limit v1\0";

/// How long a request waits for another one of the same e-mail address.
const WAIT_TIMEOUT: Duration = Duration::from_secs(5);

/// Requests of one e-mail address that may wait for each other.
const WAITERS: usize = 64;

/// All limits of one process.
pub struct Throttle {
    limits: RequestLimits,
    key: Key,
    logs: Mutex<Logs>,
    shared: Option<Shared>,
    mutex: KeyedMutex<Subject>,
}

impl Throttle {
    /// With a key that all processes share, and Redis if there is one.
    ///
    /// # Errors
    /// When the URL cannot be read.
    pub fn new(
        limits: RequestLimits,
        key: Key,
        redis: Option<&str>,
        redis_prefix: &str,
    ) -> Result<Self, redis::RedisError> {
        let shared = redis.map(|url| Shared::new(url, redis_prefix)).transpose()?;
        Ok(Self { limits, key, logs: Mutex::default(), shared, mutex: KeyedMutex::new(WAITERS) })
    }

    /// A keyed hash of the client's address.
    #[must_use]
    pub fn name_of(&self, address: Option<IpAddr>) -> String {
        use std::fmt::Write as _;
        let Subject(bytes) = self.subject("name", &[&address_text(address)]);
        bytes.iter().fold(String::with_capacity(32), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// Counts one request. Returns its token and whether it was allowed; nothing if there is no limit.
    pub(super) async fn take(
        &self,
        policy: Policy,
        principal: Principal<'_>,
        address: Option<IpAddr>,
    ) -> Option<Token> {
        let limit = policy.limit(&self.limits)?;
        let email = match principal {
            Principal::Email(email) if policy.counts() == Counts::Failures => Some(account(email)),
            Principal::Email(email) => Some(mailbox(email)),
            Principal::Client | Principal::Account(_) => None,
        };
        let user = match principal {
            Principal::Account(user_id) => user_id.to_string(),
            Principal::Client | Principal::Email(_) => String::new(),
        };
        let address = address_text(address);
        let parts: &[&str] = match (policy.by(), &email) {
            (KeyedBy::Address | KeyedBy::Guest, _) => &[&address],
            (KeyedBy::Email, Some(email)) => &[email],
            (KeyedBy::EmailAndAddress, Some(email)) => &[email, &address],
            (KeyedBy::Account | KeyedBy::Key, _) if !user.is_empty() => &[&user],
            (KeyedBy::Email | KeyedBy::EmailAndAddress | KeyedBy::Account | KeyedBy::Key, _) => return None,
        };
        let subject = self.subject(policy.name(), parts);
        let mut token = Token { policy, limit, subject, decision: self.log(subject, limit), shared: false };
        if let Some(redis) = &self.shared
            && token.decision.granted
            && let Some(decision) = redis.take(policy.name(), subject, limit).await
        {
            token.shared = decision.granted;
            if !decision.granted {
                self.unlog(subject);
            }
            token.decision = decision;
        }
        if !token.decision.granted {
            metrics::counter!("http_requests_limited_total", "limit" => policy.name()).increment(1);
        }
        Some(token)
    }

    /// Uncounts a request that was counted.
    pub(super) async fn give_back(&self, token: &Token) {
        self.unlog(token.subject);
        if let Some(redis) = self.shared.as_ref().filter(|_| token.shared) {
            redis.give_back(token.policy.name(), token.subject).await;
        }
    }

    /// One request at a time, so that its result decides whether the next is allowed.
    pub(super) async fn lock(&self, principal: Principal<'_>) -> Option<KeyedMutexGuard<Subject>> {
        let subject = match principal {
            Principal::Email(email) => self.subject("lock", &[&mailbox(email)]),
            Principal::Account(user_id) => self.subject("lock-account", &[&user_id.to_string()]),
            Principal::Client => return None,
        };
        self.mutex.lock(subject, WAIT_TIMEOUT).await.ok()
    }

    /// The subjects whose shares of the hashing queue a password of this account and address takes.
    pub(super) fn shares(&self, email: &EmailAddress, address: Option<IpAddr>) -> [Subject; 2] {
        let address = address_text(address);
        [self.subject("hash-account", &[&account(email)]), self.subject("hash-address", &[&address])]
    }

    fn log(&self, subject: Subject, limit: RequestLimit) -> LimitDecision {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now(), subject, limit)
    }

    fn unlog(&self, subject: Subject) {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner).give_back(subject);
    }

    fn subject(&self, name: &str, parts: &[&str]) -> Subject {
        // A key of any length will do for HMAC.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key.bytes) else { return Subject([0; 16]) };
        mac.update(CONTEXT);
        for part in std::iter::once(&name).chain(parts) {
            mac.update(part.as_bytes());
            mac.update(b"\0");
        }
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&mac.finalize().into_bytes()[..16]);
        Subject(bytes)
    }
}

/// The subject beside the client's address.
#[derive(Debug, Clone, Copy)]
pub(super) enum Principal<'a> {
    /// Only the client.
    Client,
    /// Of this e-mail address.
    Email(&'a EmailAddress),
    /// Of this account or API key.
    Account(Uuid),
}

/// The account with this address, ignoring case.
fn account(email: &EmailAddress) -> String {
    email.as_str().to_ascii_lowercase()
}

/// The mailbox of an address, as limits count it: without case and without a sub-address (`ada+x@`,
/// RFC 5233), which one person can invent freely.
fn mailbox(email: &EmailAddress) -> String {
    let text = account(email);
    match text.rsplit_once('@') {
        Some((local, domain)) => {
            let user = local.split_once('+').map_or(local, |(user, _)| user);
            format!("{}@{domain}", if user.is_empty() { local } else { user })
        }
        None => text,
    }
}

/// For IPv6 the /64 network, because a client can choose the rest of the address.
fn address_text(address: Option<IpAddr>) -> String {
    match address {
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => format!("{:x}", address.to_bits() >> 64),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_network_are_one_client() {
        let text = |address: &str| address_text(Some(address.parse().unwrap()));
        assert_eq!(text("2001:db8:1:2::1"), text("2001:db8:1:2:ffff::9"));
        assert_ne!(text("2001:db8:1:2::1"), text("2001:db8:1:3::1"));
        assert_ne!(text("192.0.2.1"), text("192.0.2.2"));
    }

    #[test]
    fn sub_addresses_are_one_mailbox() {
        let of = |text: &str| mailbox(&EmailAddress::parse(text).unwrap());
        assert_eq!(of("Ada+salon@Example.org"), "ada@example.org");
        assert_eq!(of("ada@example.org"), of("ada+x+y@example.org"));
        assert_ne!(of("ada@example.org"), of("ada@example.net"));
        assert_eq!(of("+x@example.org"), "+x@example.org");
    }

    #[tokio::test]
    async fn a_subject_tells_nothing_and_differs_by_limit_and_key() {
        let throttle = |byte: u8| {
            let key = Key { name: "k".to_owned(), bytes: vec![byte; 32] };
            Throttle::new(RequestLimits::default(), key, None, "").unwrap()
        };
        let one = throttle(1);
        let subject = one.subject("login-account", &["ada@example.org"]);
        assert_eq!(subject, one.subject("login-account", &["ada@example.org"]));
        assert_ne!(subject, one.subject("reset-email", &["ada@example.org"]));
        assert_ne!(subject, throttle(2).subject("login-account", &["ada@example.org"]));
    }
}
