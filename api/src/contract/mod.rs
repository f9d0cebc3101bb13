//! The contract with clients: the table of operations, the check of every request against it, and the document.

mod document;
mod guard;
mod operations;

use std::sync::LazyLock;

use poem_openapi::{OpenApi, registry::Registry};

pub use document::document;
pub use guard::{Matched, routes};
pub use operations::{Access, Header, OPERATIONS, Operation};

use crate::endpoints::Endpoints;

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let mut registry = Registry::new();
    Endpoints::register(&mut registry);
    registry
});

/// The schemas of all operations; built when the first request is checked.
#[must_use]
pub fn registry() -> &'static Registry {
    &REGISTRY
}
