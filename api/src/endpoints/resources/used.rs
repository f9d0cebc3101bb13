use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{Object, OpenApi, param::Path};
use punctual_core::bookings;
use serde::Serialize;
use uuid::Uuid;

use crate::{
    auth::Caller,
    contract::{Access, Operation},
    endpoints::Tag,
    http::{
        problem::{Code, Problem},
        reply::Found,
    },
    state::State,
};

/// The rooms and equipment of a booking.
#[derive(Debug, Object, Serialize)]
pub struct BookingResources {
    /// By name.
    #[oai(validator(max_items = 5))]
    data: Vec<UsedResource>,
}

/// A room or a piece of equipment that a booking has.
#[derive(Debug, Object, Serialize)]
pub struct UsedResource {
    /// The resource.
    id: Uuid,
    /// Its name.
    #[oai(validator(max_length = 200))]
    name: String,
    /// What it is.
    #[oai(validator(max_length = 200))]
    kind: String,
}

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("listBookingResources", Access::STAFF).problems(&[Code::NotFound]);

#[derive(Default)]
pub struct ListBookingResources;

#[OpenApi]
impl ListBookingResources {
    /// List the rooms and equipment of a booking
    #[oai(
        path = "/v1/bookings/:id/resources",
        method = "get",
        operation_id = "listBookingResources",
        tag = "Tag::Bookings"
    )]
    async fn list_booking_resources(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The booking.
        id: Path<Uuid>,
    ) -> Result<Found<BookingResources>, Problem> {
        let actor = caller.actor();
        bookings::get(&state.core, &actor, id.0).await?;
        let used = bookings::used_resources(&state.core, &actor, id.0).await?;
        let data = used
            .into_iter()
            .map(|used| UsedResource { id: used.id, name: used.name, kind: used.kind })
            .collect();
        Ok(Found::new(BookingResources { data }))
    }
}
