//! The signed token of a form that adds something; it contains the idempotency key.

use chrono::{DateTime, Utc};
use punctual_core::{
    config::Keys,
    idempotency::IdempotencyKey,
    links::{Link, Purpose},
};
use uuid::Uuid;

use crate::http::problem::{Code, Problem};

/// Lifetime of a form in minutes: as long as the answer for its key is stored.
const LIFETIME_MIN: i64 = 24 * 60;

/// A new token.
pub fn new(keys: &Keys, now: DateTime<Utc>) -> String {
    let id = Uuid::from_bytes(rand::random());
    Link { purpose: Purpose::Form, id, epoch: minute(now) }.token(keys)
}

/// Whether a form with this token is accepted.
pub fn is_good(keys: &Keys, now: DateTime<Utc>, token: &str) -> bool {
    link(keys, now, token).is_some()
}

/// The key that it carries.
///
/// # Errors
/// `link_void` for an invalid or expired token.
pub fn key(keys: &Keys, now: DateTime<Utc>, token: &str) -> Result<IdempotencyKey, Problem> {
    let link = link(keys, now, token).ok_or_else(|| Problem::new(Code::LinkVoid))?;
    named("form", link.id)
}

/// The idempotency key of the form with this id.
///
/// # Errors
/// None: such a key is well-formed.
pub fn named(what: &str, id: Uuid) -> Result<IdempotencyKey, Problem> {
    IdempotencyKey::parse(&format!("page-{what}-{}", id.simple()))
        .map_err(|error| Problem::new(Code::InternalError).cause(error))
}

fn link(keys: &Keys, now: DateTime<Utc>, token: &str) -> Option<Link> {
    let link = Link::verify(keys, token).filter(|link| link.purpose == Purpose::Form)?;
    let age = i64::from(minute(now)) - i64::from(link.epoch);
    (-1..LIFETIME_MIN).contains(&age).then_some(link)
}

fn minute(now: DateTime<Utc>) -> i32 {
    i32::try_from(now.timestamp() / 60).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use punctual_core::config::Config;

    use super::*;

    #[test]
    fn a_form_is_good_for_a_day_and_only_with_a_token_of_ours() {
        let vars =
            [("PUNCTUAL_LINK_KEYS".to_owned(), "a:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=".to_owned())];
        let config = Config::parse(vars.into(), |_| unreachable!()).unwrap();
        let keys = config.link_keys().unwrap().clone();
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let token = new(&keys, now);
        assert_ne!(token, new(&keys, now), "each form has a key of its own");
        assert_eq!(key(&keys, now, &token).unwrap(), key(&keys, now, &token).unwrap());
        assert!(is_good(&keys, now + TimeDelta::minutes(LIFETIME_MIN - 1), &token));
        assert!(!is_good(&keys, now + TimeDelta::minutes(LIFETIME_MIN), &token));
        let other = Link { purpose: Purpose::Hold, id: Uuid::nil(), epoch: minute(now) }.token(&keys);
        for bad in ["", "x", &other, &token[1..]] {
            assert!(!is_good(&keys, now, bad), "{bad}");
        }
    }
}
