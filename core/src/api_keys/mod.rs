//! API keys: programs that use the API without an account, with the rights that an administrator gives them.

mod authenticate;
mod manage;
mod scope;
mod secret;

pub use authenticate::{KeyInUse, authenticate};
pub use manage::{ApiKey, NewApiKey, create, list, revoke};
pub use scope::{Area, Right, Scope, Scopes};
pub use secret::{ApiKeySecret, is_api_key};
