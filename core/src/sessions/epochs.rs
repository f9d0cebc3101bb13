//! Whether access tokens still stand, asked before every write: those who ask at once share a statement.

use std::collections::HashMap;

use sqlx::PgPool;
use uuid::Uuid;

use super::{Standing, check_epoch};
use crate::pool::again_if_cut;
use crate::rounds::{Ask, Rounds};
use crate::types::Role;
use crate::{Error, Result};

/// Asks for the epochs of accounts.
pub struct Epochs {
    pool: PgPool,
    rounds: Rounds<ByAccount>,
}

impl Epochs {
    /// By statements on this pool.
    #[must_use]
    pub fn new(pool: &PgPool) -> Self {
        Self { pool: pool.clone(), rounds: Rounds::new(ByAccount { pool: pool.clone() }) }
    }

    /// As [`check_epoch`], by a statement that begins after this call.
    ///
    /// # Errors
    /// [`Error::SessionEnded`], [`Error::Unavailable`].
    pub async fn check(&self, user_id: Uuid, token_epoch: i32) -> Result<Standing> {
        match self.rounds.ask(user_id).await {
            Some(Some((epoch, standing))) if epoch == token_epoch => Ok(standing),
            Some(_) => Err(Error::SessionEnded),
            // The round failed: a statement of one's own says why.
            None => again_if_cut(|| check_epoch(&self.pool, user_id, token_epoch)).await,
        }
    }
}

struct ByAccount {
    pool: PgPool,
}

impl Ask for ByAccount {
    type Question = Uuid;
    /// None: there is no such account.
    type Answer = Option<(i32, Standing)>;

    async fn answer(&self, user_ids: Vec<Uuid>) -> Vec<Self::Answer> {
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
