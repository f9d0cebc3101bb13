//! Whether access tokens are still valid, checked before every write; concurrent checks share a statement.

use std::collections::HashMap;

use sqlx::PgPool;
use uuid::Uuid;

use super::{Standing, check_epoch};
use crate::batcher::{Batch, Batcher};
use crate::pool::again_if_cut;
use crate::types::Role;
use crate::{Error, Result};

/// Checks token epochs of accounts.
pub struct Epochs {
    pool: PgPool,
    batcher: Batcher<ByAccount>,
}

impl Epochs {
    /// Runs its statements on this pool.
    #[must_use]
    pub fn new(pool: &PgPool) -> Self {
        Self { pool: pool.clone(), batcher: Batcher::new(ByAccount { pool: pool.clone() }) }
    }

    /// As [`check_epoch`], by a statement sent after this call.
    ///
    /// # Errors
    /// [`Error::SessionEnded`], [`Error::Unavailable`].
    pub async fn check(&self, user_id: Uuid, token_epoch: i32) -> Result<Standing> {
        match self.batcher.submit(user_id).await {
            Some(Some((epoch, standing))) if epoch == token_epoch => Ok(standing),
            Some(_) => Err(Error::SessionEnded),
            // The batch failed: a statement of its own finds out why.
            None => again_if_cut(|| check_epoch(&self.pool, user_id, token_epoch)).await,
        }
    }
}

struct ByAccount {
    pool: PgPool,
}

impl Batch for ByAccount {
    type Request = Uuid;
    /// None: there is no such account.
    type Answer = Option<(i32, Standing)>;

    async fn run(&self, user_ids: Vec<Uuid>) -> Vec<Self::Answer> {
        let rows = sqlx::query!(
            r#"SELECT id, token_epoch, role AS "role: Role", email_verified_at IS NOT NULL AS "verified!"
               FROM users WHERE id = ANY($1)"#,
            &user_ids,
        )
        .fetch_all(&self.pool)
        .await;
        match rows {
            Ok(rows) => {
                let standing = |role, verified| Standing { role, verified };
                let found: HashMap<Uuid, (i32, Standing)> = rows
                    .into_iter()
                    .map(|row| (row.id, (row.token_epoch, standing(row.role, row.verified))))
                    .collect();
                user_ids.iter().map(|id| found.get(id).copied()).collect()
            }
            Err(error) => {
                tracing::debug!(%error, "epochs cannot be read");
                Vec::new()
            }
        }
    }
}
