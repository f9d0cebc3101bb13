//! The contract with clients: what operations declare, the check of every request against it, and the document. It
//! names no operation: the program passes them in; only the scopes of API keys go by the paths.

mod document;
mod guard;
mod operations;
mod scopes;

pub use document::{document, registry};
pub use guard::{Matched, routes};
pub use operations::{Access, Operation, SuccessHeader, problems};
pub use scopes::scope_of;
