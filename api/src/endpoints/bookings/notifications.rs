use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};
use punctual_core::{bookings, pool::again_if_cut};
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
    views::{Mail, Mails},
};

/// Access, limits and problems.
pub const OPERATION: Operation =
    Operation::new("listBookingNotifications", Access::ACCOUNT).problems(&[Code::NotFound]);

#[derive(Default)]
pub struct ListBookingNotifications;

#[OpenApi]
impl ListBookingNotifications {
    /// List a booking's mails
    ///
    /// The state of each mail of the booking: planned, waiting for a retry, sent, or why it was not sent.
    #[oai(
        path = "/v1/bookings/:id/notifications",
        method = "get",
        operation_id = "listBookingNotifications",
        tag = "Tag::Bookings"
    )]
    async fn list_booking_notifications(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The booking.
        id: Path<Uuid>,
    ) -> Result<Found<Mails>, Problem> {
        let actor = caller.actor();
        let all = again_if_cut(|| bookings::notifications(&state.core, &actor, id.0)).await?;
        Ok(Found::new(Mails { data: all.into_iter().map(Mail::from).collect() }))
    }
}
