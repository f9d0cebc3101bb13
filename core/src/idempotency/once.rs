//! Changes by requests that may have an idempotency key.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::PgConnection;

use super::{Answer, Claim, Request, claim, store};
use crate::transaction::{Outcome, Step, Write, change, write};
use crate::{Core, Result};

/// [`change`]; a request with a key that repeats an earlier one gets the stored answer of that one.
pub(crate) async fn change_once<A, T>(
    core: &Core,
    request: Option<Request>,
    args: A,
    step: Step<A, T>,
) -> Result<Answer<T>>
where
    A: Send + Sync + 'static,
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    let Some(request) = request else {
        return Ok(Answer { value: change(core, args, step).await?, replayed: false });
    };
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
