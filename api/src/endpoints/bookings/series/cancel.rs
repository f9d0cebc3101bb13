use std::sync::Arc;

use poem::web::Data;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path},
};
use punctual_core::bookings::{self, StaffMessage};
use uuid::Uuid;

use crate::{
    auth::Caller,
    contract::{Access, Operation, SuccessHeader},
    endpoints::Tag,
    http::{
        body::Body,
        etag,
        problem::{Code, Problem},
        reply::Found,
        values::NoteText,
    },
    state::State,
    views::SeriesChange,
};

/// Which occurrences are cancelled.
#[derive(Debug, Object)]
#[oai(rename = "SeriesCancelRequest")]
pub struct CancelRequest {
    /// The number of the first of them; all later ones too.
    #[oai(validator(minimum(value = "1"), maximum(value = "52")))]
    from: i16,
    /// For staff: a message for the customer's mail, stored with the change.
    message: Option<NoteText>,
    /// For staff: whether the customer gets a mail about the change; true when absent.
    notify: Option<bool>,
    /// Whether only to say what would change; false when absent. The answer then has no `ETag`, and shows the series as it
    /// would be.
    dry_run: Option<bool>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("cancelSeries", Access::ACCOUNT)
    .problems(&[
        Code::Forbidden,
        Code::NotFound,
        Code::PreconditionFailed,
        Code::PreconditionRequired,
        Code::Overloaded,
    ])
    .headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct CancelSeries;

#[OpenApi]
impl CancelSeries {
    /// Cancel a series from an occurrence on
    ///
    /// Cancels all pending and confirmed ones in one step, and sends one mail about all. The answer lists those that were not
    /// changed: they have begun, or are too near for their customer to cancel. If there is nothing to cancel, nothing changes.
    #[oai(
        path = "/v1/series/:id/cancel",
        method = "post",
        operation_id = "cancelSeries",
        tag = "Tag::Bookings"
    )]
    async fn cancel_series(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The series.
        id: Path<Uuid>,
        /// The `rev` you read, as an entity tag, or `*` for any.
        #[oai(name = "If-Match", validator(max_length = 64))]
        if_match: Header<Option<String>>,
        body: Body<CancelRequest>,
    ) -> Result<Found<SeriesChange>, Problem> {
        let expected = etag::expected(if_match.0.as_deref())?;
        let CancelRequest { from, message, notify, dry_run } = body.0;
        let message = StaffMessage::new(message.map(|text| text.0), notify);
        let actor = caller.actor();
        if dry_run == Some(true) {
            let tried = bookings::try_cancel_series(&state.core, &actor, id.0, from, expected).await?;
            return Ok(Found::new(tried.into()));
        }
        let done = bookings::cancel_series(&state.core, &actor, id.0, from, expected, message).await?;
        let rev = done.series.rev;
        Ok(Found::new(done.into()).rev(rev))
    }
}
