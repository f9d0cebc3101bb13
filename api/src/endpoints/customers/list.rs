use std::sync::Arc;

use chrono::{DateTime, FixedOffset};
use poem::web::Data;
use poem_openapi::{Object, OpenApi};
use punctual_core::{
    customers::{self, ListCustomers as Which},
    pool::again_if_cut,
    types::PageSize,
};
use serde::Serialize;

use crate::{
    auth::Caller,
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        params::Query,
        problem::{Place, Problem},
        reply::Found,
        values::PageCursor,
    },
    state::State,
    views::{Customer, ListOrder},
};

/// A page of customers.
#[derive(Debug, Object, Serialize)]
pub struct CustomerPage {
    /// The customers by creation.
    #[oai(validator(max_items = 100))]
    data: Vec<Customer>,
    /// Pass it as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<PageCursor>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("listCustomers", Access::STAFF);

#[derive(Default)]
pub struct ListCustomers;

#[OpenApi]
impl ListCustomers {
    /// Search customers
    ///
    /// Customers whose name, e-mail address and phone number together contain each word of a text, by creation.
    #[oai(path = "/v1/customers", method = "get", operation_id = "listCustomers", tag = "Tag::Customers")]
    #[expect(clippy::too_many_arguments, reason = "one for each parameter of the operation")]
    async fn list_customers(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// Words in any order, ignoring case and accents. Digits match a phone number in any notation. All customers when absent.
        #[oai(validator(max_length = 100))]
        q: Query<Option<String>>,
        /// Those that changed at this instant or later.
        updated_since: Query<Option<DateTime<FixedOffset>>>,
        /// Oldest first when absent.
        order: Query<Option<ListOrder>>,
        /// Maximum number; 50 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<Option<u32>>,
        /// `next_cursor` of the previous page.
        cursor: Query<Option<PageCursor>>,
    ) -> Result<Found<CustomerPage>, Problem> {
        let limit = limit.0.map_or(Ok(PageSize::default()), PageSize::new);
        let limit =
            limit.map_err(|error| Problem::invalid_at(Place::Query, "/limit", error.code, error.message))?;
        let which = Which {
            search: q.0.unwrap_or_default(),
            updated_since: updated_since.0.map(|since| since.to_utc()),
            order: order.0.unwrap_or_default().into(),
            limit,
            cursor: cursor.0.map(|cursor| cursor.0),
        };
        let actor = caller.actor();
        let page = again_if_cut(|| customers::search(&state.core.pool, &actor, &which)).await?;
        Ok(Found::new(CustomerPage {
            data: page.data.into_iter().map(Customer::from).collect(),
            next_cursor: page.next_cursor.map(PageCursor),
        }))
    }
}
