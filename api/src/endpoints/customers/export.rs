use std::sync::Arc;

use poem::web::Data;
use poem_openapi::OpenApi;

use crate::{
    auth::Caller,
    contract::{Access, Operation},
    endpoints::Tag,
    http::problem::Problem,
    state::State,
    views::{CsvFile, customers_file},
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("exportCustomers", Access::STAFF);

#[derive(Default)]
pub struct ExportCustomers;

#[expect(clippy::unused_async, reason = "an operation is an async function")]
#[OpenApi]
impl ExportCustomers {
    /// Export customers
    ///
    /// As CSV, by creation, without notes. A text that a spreadsheet would run as a formula begins with an apostrophe.
    #[oai(
        path = "/v1/customers.csv",
        method = "get",
        operation_id = "exportCustomers",
        tag = "Tag::Customers"
    )]
    async fn export_customers(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
    ) -> Result<CsvFile, Problem> {
        Ok(customers_file(&state.core, caller.actor()))
    }
}
