//! The keys of several requests that are served by one transaction.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::PgConnection;

use super::{RETENTION, Request, in_progress};
use crate::advisory_lock::lock_names;
use crate::{Error, Result};

/// The state of a key after [`lock_keys`].
pub(crate) enum KeyState<T> {
    /// No other transaction uses it until this one ends, and it has no stored answer.
    Ours,
    /// Another transaction uses it.
    Locked,
    /// The answer of an earlier equal request.
    Answered(T),
    /// The key was used for another request.
    Reused,
}

/// Locks the keys until the transaction ends and reads their stored answers. The result is in the order of the requests.
/// The locks are advisory, so that a key in use elsewhere holds up no other request: with `wait` the call waits for such
/// keys within `lock_timeout`, without it reports them as [`KeyState::Locked`].
///
/// # Errors
/// [`Error::IdempotencyInProgress`] when the wait ends.
pub(crate) async fn lock_keys<T: DeserializeOwned>(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    requests: &[&Request],
    wait: bool,
) -> Result<Vec<KeyState<T>>> {
    let names: Vec<String> = requests.iter().map(|request| request.lock_name()).collect();
    let locked = lock_names(&mut *tx, &names, wait).await.map_err(in_progress)?;
    // Plan: one lookup by the primary key for each request; as a join it could read all keys by their expiry.
    // A statement of its own: it sees what a transaction committed that held a lock until now.
    let (scopes, keys) = scopes_and_keys(requests);
    let stored = sqlx::query!(
        r#"SELECT i.place AS "place!", k.request_hash, k.response
           FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS i (scope, key, place)
           CROSS JOIN LATERAL (
               SELECT request_hash, response, expires_at FROM idempotency_keys
               WHERE idempotency_keys.scope = i.scope AND idempotency_keys.key = i.key OFFSET 0) AS k
           WHERE k.expires_at > $3"#,
        &scopes,
        &keys,
        now,
    )
    .fetch_all(tx)
    .await?;
    let mut states: Vec<KeyState<T>> =
        locked.into_iter().map(|locked| if locked { KeyState::Ours } else { KeyState::Locked }).collect();
    for row in stored {
        let Some(at) = usize::try_from(row.place - 1).ok().filter(|at| *at < states.len()) else { continue };
        states[at] = if row.request_hash == requests[at].hash() {
            let response =
                row.response.ok_or_else(|| Error::internal("idempotency", "an answer is missing"))?;
            let answer = serde_json::from_value(response)
                .map_err(|error| Error::internal("a stored answer cannot be read", error))?;
            KeyState::Answered(answer)
        } else {
            KeyState::Reused
        };
    }
    Ok(states)
}

/// Stores the answers of requests whose keys are [`KeyState::Ours`], in the same transaction.
pub(crate) async fn store_many<T: Serialize + Sync>(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
    answers: &[(&Request, &T)],
) -> Result<()> {
    let requests: Vec<&Request> = answers.iter().map(|(request, _)| *request).collect();
    let (scopes, keys) = scopes_and_keys(&requests);
    let hashes: Vec<Vec<u8>> = requests.iter().map(|request| request.hash().to_vec()).collect();
    let responses = answers
        .iter()
        .map(|(_, answer)| serde_json::to_value(answer))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| Error::internal("an answer cannot be stored", error))?;
    // The update replaces an expired key that is not pruned yet.
    let stored = sqlx::query!(
        "INSERT INTO idempotency_keys AS k (scope, key, request_hash, response, created_at, expires_at)
         SELECT scope, key, request_hash, response, $5, $6
         FROM unnest($1::text[], $2::text[], $3::bytea[], $4::jsonb[]) AS i (scope, key, request_hash, response)
         ORDER BY scope, key
         ON CONFLICT (scope, key) DO UPDATE
         SET request_hash = excluded.request_hash, response = excluded.response, created_at = $5, expires_at = $6
         WHERE k.expires_at <= $5",
        &scopes,
        &keys,
        &hashes,
        &responses,
        now,
        now + RETENTION,
    )
    .execute(tx)
    .await
    .map_err(in_progress)?;
    if stored.rows_affected() == answers.len() as u64 {
        Ok(())
    } else {
        // Only a program of an older release, which takes no advisory lock, stores an answer meanwhile.
        Err(Error::IdempotencyInProgress)
    }
}

fn scopes_and_keys(requests: &[&Request]) -> (Vec<String>, Vec<String>) {
    requests.iter().map(|request| (request.scope().to_owned(), request.key().to_owned())).unzip()
}
