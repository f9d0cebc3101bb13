use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};
use punctual_core::bookings;
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
    views::Mail,
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("sendConfirmation", Access::STAFF).problems(&[
    Code::NotFound,
    Code::NotResendable,
    Code::Overloaded,
]);

#[derive(Default)]
pub struct SendConfirmation;

#[OpenApi]
impl SendConfirmation {
    /// Send the confirmation again
    ///
    /// A new mail with the booking's link to the customer's current address, independent of earlier ones. For a pending
    /// booking it is the `pending` mail.
    #[oai(
        path = "/v1/bookings/:id/confirmation",
        method = "post",
        operation_id = "sendConfirmation",
        tag = "Tag::Bookings"
    )]
    async fn send_confirmation(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The booking.
        id: Path<Uuid>,
    ) -> Result<Found<Mail>, Problem> {
        let mail = bookings::send_confirmation(&state.core, &caller.actor(), id.0).await?;
        Ok(Found::new(Mail::from(mail)))
    }
}
