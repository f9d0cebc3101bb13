//! Runs a change once for each idempotency key.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::PgConnection;

use super::{Answer, Claim, Request, claim, store};
use crate::transaction::{Outcome, Step, Write, write};
use crate::{Core, Result};

/// [`crate::transaction::change`] for a request with a key: a repeated request gets the stored answer.
pub(crate) async fn once<A, T>(core: &Core, request: Request, args: A, step: Step<A, T>) -> Result<Answer<T>>
where
    A: Send + Sync + 'static,
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    let guard = request.lock(core).await?;
    write(core, Arc::new(Once { request, args, step }), guard).await
}

struct Once<A, T> {
    request: Request,
    args: A,
    step: Step<A, T>,
}

impl<A, T> Write for Once<A, T>
where
    A: Send + Sync + 'static,
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    type Output = Answer<T>;

    async fn run(&self, tx: &mut PgConnection, now: DateTime<Utc>) -> Result<Outcome<Answer<T>>> {
        if let Claim::Answered(value) = claim(tx, now, &self.request).await? {
            return Ok(Outcome::Unchanged(Answer { value, replayed: true }));
        }
        let value = (self.step)(&self.args, tx, now).await?;
        store(tx, &self.request, &value).await?;
        Ok(Outcome::Changed(Answer { value, replayed: false }, &[]))
    }
}
