use std::sync::Arc;

use chrono::{DateTime, FixedOffset};
use poem::web::Data;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path},
};
use punctual_core::bookings::{self, MoveSeries, StaffMessage};
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

/// Where occurrences are moved to.
#[derive(Debug, Object)]
#[oai(rename = "SeriesMoveRequest")]
pub struct MoveRequest {
    /// The number of the first of them; all later ones too.
    #[oai(validator(minimum(value = "1"), maximum(value = "52")))]
    from: i16,
    /// The new start of that one. The later ones move by the same number of days, to the same time of day.
    start: DateTime<FixedOffset>,
    /// New member of staff; absent: each keeps its own.
    staff_id: Option<Uuid>,
    /// Pass grid and hours on purpose; never another booking.
    #[oai(rename = "override")]
    overriding: Option<bool>,
    /// A text for the customer's mail, kept with the change.
    message: Option<NoteText>,
    /// Whether the customer gets a mail about the change; true when absent.
    notify: Option<bool>,
    /// Whether only to say what would change; false when absent. The answer then has no `ETag`, and shows the series as it
    /// would be.
    dry_run: Option<bool>,
}

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("rescheduleSeries", Access::STAFF)
    .problems(&[
        Code::NotFound,
        Code::InvalidTransition,
        Code::SeriesConflict,
        Code::PreconditionFailed,
        Code::PreconditionRequired,
        Code::Unprocessable,
        Code::Overloaded,
    ])
    .headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct RescheduleSeries;

#[OpenApi]
impl RescheduleSeries {
    /// Move a series from an occurrence on
    ///
    /// Moves all pending and confirmed future ones, all or none, and sends one mail about all. One that was moved individually
    /// before is not moved. Name, duration, price and buffers stay as promised.
    #[oai(
        path = "/v1/series/:id/reschedule",
        method = "post",
        operation_id = "rescheduleSeries",
        tag = "Tag::Bookings"
    )]
    async fn reschedule_series(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The series.
        id: Path<Uuid>,
        /// The `rev` you read, as an entity tag, or `*` for any.
        #[oai(name = "If-Match", validator(max_length = 64))]
        if_match: Header<Option<String>>,
        body: Body<MoveRequest>,
    ) -> Result<Found<SeriesChange>, Problem> {
        let expected = etag::expected(if_match.0.as_deref())?;
        let MoveRequest { from, start, staff_id, overriding, message, notify, dry_run } = body.0;
        let to = MoveSeries {
            from,
            start: start.to_utc(),
            staff_id,
            overriding: overriding.unwrap_or(false),
            message: StaffMessage::new(message.map(|text| text.0), notify),
        };
        let actor = caller.actor();
        if dry_run == Some(true) {
            let tried = bookings::try_move_series(&state.core, &actor, id.0, expected, to).await?;
            return Ok(Found::new(tried.into()));
        }
        let done = bookings::move_series(&state.core, &actor, id.0, expected, to).await?;
        let rev = done.series.rev;
        Ok(Found::new(done.into()).rev(rev))
    }
}
