use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};
use punctual_core::notifications;
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
pub const OPERATION: Operation = Operation::new("resendNotification", Access::STAFF).problems(&[
    Code::NotFound,
    Code::NotResendable,
    Code::Overloaded,
]);

#[derive(Default)]
pub struct ResendNotification;

#[OpenApi]
impl ResendNotification {
    /// Send a mail again
    ///
    /// For a mail whose `state` is `failed` or `in_doubt`, after you have checked the cause. It keeps its Message-ID, so
    /// that mailboxes recognise a duplicate.
    #[oai(
        path = "/v1/bookings/:id/notifications/:notification_id/resend",
        method = "post",
        operation_id = "resendNotification",
        tag = "Tag::Bookings"
    )]
    async fn resend_notification(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The booking.
        id: Path<Uuid>,
        /// The mail, as `GET /v1/bookings/{id}/notifications` lists it.
        notification_id: Path<Uuid>,
    ) -> Result<Found<Mail>, Problem> {
        let mail = notifications::resend(&state.core, &caller.actor(), id.0, notification_id.0).await?;
        Ok(Found::new(Mail::from(mail)))
    }
}
