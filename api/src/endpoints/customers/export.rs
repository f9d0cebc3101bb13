use std::sync::Arc;

use chrono::{DateTime, Utc};
use poem::web::Data;
use poem_openapi::OpenApi;
use punctual_core::{
    customers::{self, Customer, ListCustomers},
    pool::again_if_cut,
    types::{EmailAddress, Locale, PageSize, PersonName, Phone},
};

use crate::{
    auth::Caller,
    contract::{Access, Operation},
    endpoints::Tag,
    http::problem::Problem,
    state::State,
    views::CsvFile,
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("exportCustomers", Access::STAFF);

/// Rows per query.
const ROWS: u32 = 100;

const COLUMNS: [&str; 12] = [
    "id",
    "name",
    "email",
    "phone",
    "phone_e164",
    "locale",
    "completed",
    "no_shows",
    "cancelled",
    "last_at",
    "next_at",
    "created_at",
];

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
        let (core, actor) = (state.core.clone(), caller.actor());
        let limit = PageSize::new(ROWS).unwrap_or_default();
        let page = move |cursor| {
            let (core, which) = (core.clone(), ListCustomers { cursor, limit, ..ListCustomers::default() });
            async move { again_if_cut(|| customers::search(&core.pool, &actor, &which)).await }
        };
        Ok(CsvFile::new("customers.csv", &COLUMNS, page, cells))
    }
}

fn cells(customer: Customer) -> Vec<String> {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let at = |at: Option<DateTime<Utc>>| at.map(|at| at.to_rfc3339()).unwrap_or_default();
    let visits = customer.visits;
    vec![
        customer.id.to_string(),
        text(customer.name.as_ref().map(PersonName::as_str)),
        text(customer.email.as_ref().map(EmailAddress::as_str)),
        text(customer.phone.as_ref().map(Phone::as_str)),
        customer.phone_e164.unwrap_or_default(),
        text(customer.locale.map(Locale::as_str)),
        visits.completed.to_string(),
        visits.no_shows.to_string(),
        visits.cancelled.to_string(),
        at(visits.last_at),
        at(visits.next_at),
        customer.created_at.to_rfc3339(),
    ]
}
