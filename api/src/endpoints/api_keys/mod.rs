//! API keys, for administrators. No key may manage keys.

mod create;
mod list;
mod revoke;

use crate::contract::Operation;

/// The operations of this group.
pub type Operations = (create::CreateApiKey, list::ListApiKeys, revoke::RevokeApiKey);

/// Their access, limits and problems.
pub const OPERATIONS: &[&Operation] = &[&create::OPERATION, &list::OPERATION, &revoke::OPERATION];
