//! The search for a customer in the form of a booking by phone.

use punctual_core::{
    customers::{self, ListCustomers},
    types::PageSize,
};
use serde::Serialize;
use uuid::Uuid;

use super::Desk;
use crate::http::problem::Problem;

/// Most customers that a search shows.
const MAX_RESULTS: u32 = 12;

/// A customer on file.
#[derive(Serialize)]
pub(super) struct Found {
    id: Uuid,
    name: String,
    reached: String,
    chosen: bool,
}

/// The results of a search, the chosen one first; none without a search text.
pub(super) async fn found(
    desk: &Desk,
    query: &str,
    chosen: Option<Uuid>,
) -> Result<Option<Vec<Found>>, Problem> {
    let (pool, actor) = (&desk.core().pool, desk.actor());
    let mut list = Vec::new();
    if let Some(id) = chosen {
        list.push(customers::get(pool, &actor, id).await?);
    }
    if !query.is_empty() {
        let limit = PageSize::new(MAX_RESULTS).unwrap_or_default();
        let which = ListCustomers { search: query.to_owned(), limit, ..ListCustomers::default() };
        let page = customers::search(pool, &actor, &which).await?;
        list.extend(page.data.into_iter().filter(|customer| Some(customer.id) != chosen));
    }
    if query.is_empty() && chosen.is_none() {
        return Ok(None);
    }
    let only = list.len() == 1;
    let found = list.into_iter().map(|customer| Found {
        id: customer.id,
        name: customer.name.map(|name| name.as_str().to_owned()).unwrap_or_default(),
        reached: [
            customer.phone.map(|phone| phone.as_str().to_owned()),
            customer.email.map(|email| email.as_str().to_owned()),
        ]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" · "),
        chosen: only || Some(customer.id) == chosen,
    });
    Ok(Some(found.collect()))
}
