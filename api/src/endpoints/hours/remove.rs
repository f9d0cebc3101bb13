use std::sync::Arc;

use chrono::NaiveDate;
use poem::web::Data;
use poem_openapi::{
    OpenApi,
    param::{Header, Path},
};
use punctual_core::hours;
use uuid::Uuid;

use super::put::HoursChanged;
use crate::{
    auth::Caller,
    contract::{Access, Operation, SuccessHeader},
    endpoints::Tag,
    http::{
        etag,
        params::Query,
        problem::{Code, Problem},
        reply::Found,
    },
    state::State,
};

/// Access, limits and problems.
pub const OPERATION: Operation = Operation::new("removeLaterHours", Access::STAFF)
    .problems(&[
        Code::NotFound,
        Code::PreconditionFailed,
        Code::PreconditionRequired,
        Code::Unprocessable,
        Code::Overloaded,
    ])
    .headers(&[SuccessHeader::ETag]);

#[derive(Default)]
pub struct RemoveLaterHours;

#[OpenApi]
impl RemoveLaterHours {
    /// Remove weekly hours set for later
    ///
    /// The hours before that date go on. The answer lists bookings that no longer fit; they are not changed.
    #[oai(
        path = "/v1/staff/:id/hours",
        method = "delete",
        operation_id = "removeLaterHours",
        tag = "Tag::Catalogue"
    )]
    async fn remove_later_hours(
        &self,
        Data(state): Data<&Arc<State>>,
        caller: Caller,
        /// The member of staff.
        id: Path<Uuid>,
        /// The date from which they would have applied.
        valid_from: Query<NaiveDate>,
        /// The `rev` you read, as an entity tag, or `*` for any.
        #[oai(name = "If-Match", validator(max_length = 64))]
        if_match: Header<Option<String>>,
    ) -> Result<Found<HoursChanged>, Problem> {
        let expected = etag::expected(if_match.0.as_deref())?;
        let actor = caller.actor();
        let changed = hours::remove_week_from(&state.core, &actor, id.0, expected, valid_from.0).await?;
        let rev = changed.value.rev;
        Ok(Found::new(HoursChanged::from(changed)).rev(rev))
    }
}
