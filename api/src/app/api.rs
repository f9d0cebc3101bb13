//! Routes, schemas and document of all operations.

use std::sync::LazyLock;

use poem::Route;
use poem_openapi::registry::Registry;

use crate::{
    contract,
    endpoints::{self, Endpoints},
    views::webhook_catalogue,
};

static SCHEMAS: LazyLock<Registry> = LazyLock::new(contract::registry::<Endpoints>);

/// The schemas of all operations.
pub fn schemas() -> &'static Registry {
    &SCHEMAS
}

/// The routes of all operations.
pub fn routes() -> Route {
    contract::routes(Endpoints::default(), endpoints::operations())
}

/// The `OpenAPI` document as text, ending in a line break.
///
/// # Errors
/// When it cannot be written, which is a bug.
pub fn document() -> Result<String, serde_json::Error> {
    contract::document(Endpoints::default(), endpoints::operations(), webhook_catalogue())
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
