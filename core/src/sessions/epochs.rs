//! Checks that the sessions of access tokens have not ended; concurrent checks share a statement.

use std::collections::HashMap;

use sqlx::PgPool;
use uuid::Uuid;

use super::{AccountState, SessionRef, check};
use crate::batcher::{Batch, Batcher};
use crate::pool::again_if_cut;
use crate::types::Role;
use crate::{Error, Result};

/// Checks sessions and token epochs.
pub struct Epochs {
    pool: PgPool,
    batcher: Batcher<BySession>,
}

impl Epochs {
    /// Runs its statements on this pool.
    #[must_use]
    pub fn new(pool: &PgPool) -> Self {
        Self { pool: pool.clone(), batcher: Batcher::new(BySession { pool: pool.clone() }) }
    }

    /// As [`check`], by a statement sent after this call.
    ///
    /// # Errors
    /// [`Error::SessionEnded`], [`Error::Unavailable`].
    pub async fn check(&self, session: SessionRef) -> Result<AccountState> {
        match self.batcher.submit((session.user_id, session.family_id)).await {
            Some(Some((epoch, account_state))) if epoch == session.token_epoch => Ok(account_state),
            Some(_) => Err(Error::SessionEnded),
            // The batch failed: this request's own statement returns the error.
            None => again_if_cut(|| check(&self.pool, session)).await,
        }
    }
}

struct BySession {
    pool: PgPool,
}

impl Batch for BySession {
    /// The account and the session.
    type Request = (Uuid, Uuid);
    /// None: the account is gone or the session has ended.
    type Answer = Option<(i32, AccountState)>;

    async fn run(&self, asked: Vec<(Uuid, Uuid)>) -> Vec<Self::Answer> {
        let (user_ids, family_ids): (Vec<Uuid>, Vec<Uuid>) = asked.iter().copied().unzip();
        let rows = sqlx::query!(
            r#"SELECT u.id, asked.family_id AS "family_id!", u.token_epoch, u.role AS "role: Role",
                      u.email_verified_at IS NOT NULL AS "verified!"
               FROM unnest($1::uuid[], $2::uuid[]) AS asked (user_id, family_id) JOIN users u ON u.id = asked.user_id
               WHERE EXISTS (SELECT FROM refresh_tokens t
                             WHERE t.family_id = asked.family_id AND t.user_id = u.id
                               AND t.spent_at IS NULL AND t.revoked_at IS NULL)"#,
            &user_ids,
            &family_ids,
        )
        .fetch_all(&self.pool)
        .await;
        match rows {
            Ok(rows) => {
                let account_state = |role, verified| AccountState { role, verified };
                let found: HashMap<(Uuid, Uuid), (i32, AccountState)> = rows
                    .into_iter()
                    .map(|row| {
                        ((row.id, row.family_id), (row.token_epoch, account_state(row.role, row.verified)))
                    })
                    .collect();
                asked.iter().map(|session| found.get(session).copied()).collect()
            }
            Err(error) => {
                tracing::debug!(%error, "epochs cannot be read");
                Vec::new()
            }
        }
    }
}
